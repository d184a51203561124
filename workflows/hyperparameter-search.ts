/**
 * `hyperparameterSearch`: the sampler of a run's trials, each a child workflow.
 *
 * Trials run in batches. A batch is decided from the trials before it in the order of their numbers, so that neither the order in which trials end nor a
 * crash changes what is tried. A pruned trial is a cancelled one. Between two batches no trial is open: there the search continues as new.
 */
import { CancellationScope, CancelledFailure, continueAsNew, executeChild, isCancellation, ChildWorkflowCancellationType, ParentClosePolicy, TemporalFailure, TerminatedFailure, workflowInfo } from '@temporalio/workflow';
import { trialWorkflowId } from '../contracts/ids.ts';
import { DATA_POOL } from '../contracts/queues.ts';
import type { FailureRecord } from '../contracts/run.ts';
import type { SearchInput, SearchOutcome, TrialInput, TrialParams } from '../contracts/search.ts';
import { admitted } from '../domain/search/budget.ts';
import { lossOf } from '../domain/search/outcome.ts';
import { rungsOf } from '../domain/search/pruner.ts';
import { sampleBatch } from '../domain/search/sampler.ts';
import { failureRecordOf, namedFailure, reasonOf } from './failure.ts';
import { closing, io, quick } from './proxies.ts';
import { searchAttributesOf, setSearchAttributes } from './search-attributes.ts';
import { beginSearch, closeTrial, continuedInput, lastReport, openTrial, searchOutcome, type EndedTrial, type SearchState } from './search-state.ts';
import type { searchTrial } from './search-trial.ts';

/** A trial costs about 15 events, and some for its reports, so an execution stays far below the limits of a history. */
const TRIALS_PER_EXECUTION = 100;

/** So many failed trials and none that succeeded: the fault is not in the parameters. */
const HOPELESS_FAILURES = 10;

type Trial = { number: number; params: TrialParams };

const nextBatch = (state: SearchState): Trial[] => {
  const { input, finished, trials, spentSeconds: spent, limitSeconds: limit, reservationSeconds: reservation } = state;
  const first = finished.length;
  const wanted = Math.min(input.search.parallel, trials - first);
  const count = admitted({ wanted, limit, spent, reservation });
  const sampled = sampleBatch(input.search, { first, count, seed: input.seed }, { finished, lossOf: lossOf(input.metric) });
  return sampled.map((params, index) => ({ number: first + index, params }));
};

const trialInput = ({ input, rows, reservationSeconds }: SearchState, { number, params }: Trial): TrialInput => {
  const { context, metric, search, train } = input;
  const { pool, scheduleToStartSeconds } = train;
  return { context, number, params, rows: rows!, metric, rungs: rungsOf(search.pruner), pool, scheduleToStartSeconds, seconds: reservationSeconds };
};

/** A search that is terminated asks its trials to end; one that is cancelled waits until their trainers have. */
const executeTrial = (state: SearchState, trial: Trial) => {
  const { runId, pipeline, model } = state.input.context;
  return executeChild<typeof searchTrial>('searchTrial', {
    workflowId: trialWorkflowId(runId, trial.number),
    args: [trialInput(state, trial)],
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    typedSearchAttributes: searchAttributesOf({ pipeline, model, stage: 'search' }),
    staticSummary: `trial ${trial.number} of ${runId}`,
  });
};

const failed = (trial: Trial, seconds: number, failure: FailureRecord): EndedTrial => ({ trial: { ...trial, state: 'failed', value: null, rung: null }, seconds, failure });

/** How a trial ended that threw; what is no trial's own fault goes through and ends the search. */
const endOfError = (state: SearchState, trial: Trial, { error, startedAtMs, isPruned }: { error: TemporalFailure; startedAtMs: number; isPruned: boolean }): EndedTrial => {
  // How long the trainer of a stopped trial really ran is not known: no longer than since its beginning.
  const seconds = Math.min(state.reservationSeconds, (Date.now() - startedAtMs) / 1_000);
  if (isCancellation(error)) return { trial: { ...trial, state: isPruned ? 'pruned' : 'cancelled', ...lastReport(state, trial.number) }, seconds, failure: null };
  if (!(error.cause instanceof TerminatedFailure)) throw error;
  return failed(trial, seconds, failureRecordOf(error, { step: 'search', pool: state.input.train.pool }));
};

const runTrial = async (state: SearchState, trial: Trial): Promise<EndedTrial> => {
  const startedAtMs = Date.now();
  const open = openTrial(state, trial.number);
  try {
    const outcome = await open.scope.run(() => executeTrial(state, trial));
    if (outcome.kind === 'succeeded') return { trial: { ...trial, state: 'succeeded', value: outcome.value, rung: null }, seconds: outcome.seconds, failure: null };
    if (outcome.kind === 'reservationUsed') return { trial: { ...trial, state: 'cancelled', ...lastReport(state, trial.number) }, seconds: outcome.seconds, failure: null };
    return failed(trial, outcome.seconds, outcome.failure);
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error;
    return endOfError(state, trial, { error, startedAtMs, isPruned: open.isPruned });
  }
};

/** The end of a trial that did not succeed has no activity of its own. */
const recordEnd = async (state: SearchState, { trial, seconds, failure }: EndedTrial, isClosing: boolean): Promise<void> => {
  if (trial.state === 'succeeded') return;
  const { runId } = state.input.context;
  const end = { runId, number: trial.number, params: trial.params, state: trial.state, value: trial.value, seconds, failure };
  const summary = `trial ${trial.number} ${trial.state}`;
  await CancellationScope.nonCancellable(() => (isClosing ? closing(summary) : quick(summary)).recordTrial(end));
};

const finishTrial = async (state: SearchState, trial: Trial): Promise<void> => {
  const ended = await runTrial(state, trial);
  const isClosing = CancellationScope.current().consideredCancelled;
  await recordEnd(state, ended, isClosing);
  closeTrial(state, ended);
};

/** Runs the batch to its end. A failure of one trial that is none of its own cancels the others first. */
const runBatch = async (state: SearchState, batch: Trial[]): Promise<void> => {
  const scope = new CancellationScope();
  let failure: unknown;
  await scope.run(() =>
    Promise.all(
      batch.map((trial) =>
        finishTrial(state, trial).catch((error: unknown) => {
          failure ??= error;
          scope.cancel();
        }),
      ),
    ),
  );
  if (failure !== undefined) throw failure;
  if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('the search was cancelled');
};

const isHopeless = ({ finished }: SearchState): boolean => finished.length >= HOPELESS_FAILURES && finished.every(({ state }) => state === 'failed');

export const hyperparameterSearch = async (input: SearchInput): Promise<SearchOutcome> => {
  const { context, featureSet, validation } = input;
  const state = beginSearch(input);
  setSearchAttributes({ pipeline: context.pipeline, model: context.model, stage: 'search' });
  state.rows ??= await io(`last ${validation} of ${featureSet.trainRows} rows`).prepareSearch({ context: { ...context, pool: DATA_POOL }, train: featureSet.train, validation });
  const begun = state.finished.length;
  for (let batch = nextBatch(state); batch.length > 0; batch = nextBatch(state)) {
    if (state.finished.length - begun >= TRIALS_PER_EXECUTION || workflowInfo().continueAsNewSuggested) return continueAsNew<typeof hyperparameterSearch>(continuedInput(state));
    await runBatch(state, batch);
    if (isHopeless(state)) break;
  }
  const outcome = searchOutcome(state);
  if (outcome === null) throw namedFailure('SearchFoundNothing', `none of ${state.finished.length} trials succeeded: ${state.lastFailure === null ? 'none was admitted' : reasonOf(state.lastFailure)}`);
  return outcome;
};
