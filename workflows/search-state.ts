/** The state of a search: what its trials reported and how they ended; and who is told of it. */
import { CancellationScope, setCurrentDetails, setHandler } from '@temporalio/workflow';
import { searchStatusQuery, trialReportedSignal } from '../contracts/messages.ts';
import type { FailureRecord } from '../contracts/run.ts';
import type { FinishedTrial, SearchInput, SearchOutcome, SearchRows, TrialReport } from '../contracts/search.ts';
import { limitSeconds, reservationSeconds } from '../domain/search/budget.ts';
import { bestOf, countEnds, lossOf } from '../domain/search/outcome.ts';
import { packTrials, unpackTrials } from '../domain/search/progress.ts';
import { isPruned } from '../domain/search/pruner.ts';
import { trialsOf } from '../domain/search/sampler.ts';

/** How a trial ended, and how long it is counted to have trained. */
export type EndedTrial = { trial: FinishedTrial; seconds: number; failure: FailureRecord | null };

type OpenTrial = { scope: CancellationScope; isPruned: boolean };

export type SearchState = {
  input: SearchInput;
  /** Trials that the search makes if its budget allows. */
  trials: number;
  limitSeconds: number;
  reservationSeconds: number;
  rows: SearchRows | null;
  finished: FinishedTrial[];
  open: Map<number, OpenTrial>;
  reports: TrialReport[];
  spentSeconds: number;
  lastFailure: FailureRecord | null;
};

const tellDetails = (state: SearchState): void => {
  const { input, finished, trials, open } = state;
  const best = bestOf(finished, input.metric);
  const found = best === null ? '' : `, best ${input.metric} ${best.value} in trial ${best.trial}`;
  setCurrentDetails(`**${finished.length}** of ${trials} trials ended, ${open.size} run${found}`);
};

/** The first report of a rung counts: an attempt that was repeated sends it again. */
const takeReport = (state: SearchState, report: TrialReport): void => {
  const trial = state.open.get(report.number);
  if (trial === undefined || trial.isPruned || state.reports.some(({ number, rung }) => number === report.number && rung === report.rung)) return;
  state.reports.push(report);
  const { search, metric } = state.input;
  if (!isPruned(search.pruner, report, { reports: state.reports, finished: state.finished, lossOf: lossOf(metric) })) return;
  trial.isPruned = true;
  trial.scope.cancel();
};

export const beginSearch = (input: SearchInput): SearchState => {
  const { search, train, resume } = input;
  const state: SearchState = {
    input,
    trials: trialsOf(search),
    limitSeconds: limitSeconds(search.budget),
    reservationSeconds: reservationSeconds(search.budget, train.timeoutSeconds),
    rows: resume?.rows ?? null,
    finished: unpackTrials(search.space, resume?.finished ?? []),
    open: new Map(),
    reports: (resume?.reports ?? []).map(([number, rung, value]) => ({ number, rung, value })),
    spentSeconds: resume?.spentSeconds ?? 0,
    lastFailure: null,
  };
  setHandler(trialReportedSignal, (report) => takeReport(state, report), { description: 'An intermediate value of a trial' });
  setHandler(
    searchStatusQuery,
    () => ({ trials: state.trials, finished: state.finished.length, running: [...state.open.keys()], best: bestOf(state.finished, input.metric), spentSeconds: state.spentSeconds }),
    { description: 'How far the search is, and its best trial' },
  );
  return state;
};

/** The value of the last rung that a trial came to; nulls when it came to none. */
export const lastReport = ({ reports }: SearchState, trial: number): Pick<FinishedTrial, 'value' | 'rung'> => {
  const own = reports.filter(({ number }) => number === trial);
  return own.reduce<Pick<FinishedTrial, 'value' | 'rung'>>((last, { rung, value }) => (last.rung === null || rung > last.rung ? { rung, value } : last), { value: null, rung: null });
};

export const openTrial = (state: SearchState, number: number): OpenTrial => {
  const trial = { scope: new CancellationScope(), isPruned: false };
  state.open.set(number, trial);
  tellDetails(state);
  return trial;
};

export const closeTrial = (state: SearchState, { trial, seconds, failure }: EndedTrial): void => {
  state.open.delete(trial.number);
  state.finished.push(trial);
  state.spentSeconds += seconds;
  state.lastFailure = failure ?? state.lastFailure;
  tellDetails(state);
};

/** The input of the next execution of the search. */
export const continuedInput = ({ input, finished, reports, spentSeconds, rows }: SearchState): SearchInput => ({
  ...input,
  resume: { finished: packTrials(input.search.space, finished), reports: reports.map(({ number, rung, value }) => [number, rung, value]), spentSeconds, rows: rows! },
});

/** What the search found; null when no trial succeeded. */
export const searchOutcome = ({ input, finished, trials, spentSeconds, rows }: SearchState): SearchOutcome | null => {
  const { metric, seed, search } = input;
  const best = bestOf(finished, metric);
  if (best === null) return null;
  return { metric, sampler: search.sampler, seed, best, ...countEnds(finished), endedBy: finished.length < trials ? 'budget' : 'trials', trainedSeconds: spentSeconds, rows: rows! };
};
