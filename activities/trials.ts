/** Fits and judges one trial of a search. While it is fitted, its value at each rung goes to the search, which may cancel it. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { log } from '@temporalio/activity';
import type { SearchActivities } from '../contracts/activities.ts';
import type { TrialInput, TrialReport } from '../contracts/search.ts';
import { PerennialFailure } from '../domain/failure.ts';
import { metricOf } from '../domain/metrics.ts';
import type { ModelRuntime } from '../domain/ports/model-runtime.ts';
import type { ResourceMeter } from '../domain/ports/resource-meter.ts';
import type { Trainer, TrainerProgress } from '../domain/ports/trainer.ts';
import type { WorkflowControl } from '../domain/ports/workflow-control.ts';
import { oneGroup } from '../domain/weighted-metric.ts';
import { task, type ActivityTools } from './boundary.ts';
import { inScratch } from './data-ports.ts';
import { readSignature } from './evaluate.ts';
import { specOf, type SearchPorts } from './search.ts';
import { stopIfAborted } from './stop.ts';
import { fitModel } from './train.ts';

export type TrialPorts = SearchPorts & { trainer: Trainer; runtime: ModelRuntime; workflows: WorkflowControl; meter: Pick<ResourceMeter, 'current'> };

/** The heartbeat time-out of the activity: a lost attempt trained no longer than that after its last heartbeat. */
const LOST_SECONDS = 30;
/** What a trainer gets to end in after its deadline, before it is killed: it lies within the time of the trial. */
const ENDING_SECONDS = 10;
const HEARTBEAT_MS = 2_000;

/** Counts how long the trainer runs, beginning with what earlier attempts used. */
const createStopwatch = ({ previous, attempt, report }: ActivityTools): { seconds: () => number; around: (trainer: Trainer) => Trainer } => {
  const known = previous?.used ?? { seconds: 0, attempt: 0 };
  const before = known.seconds + LOST_SECONDS * (attempt - Math.max(1, known.attempt));
  let beganAtMs: number | undefined;
  let ranMs = 0;
  const seconds = (): number => before + (ranMs + (beganAtMs === undefined ? 0 : Date.now() - beganAtMs)) / 1_000;
  return {
    seconds,
    around: (trainer) => ({
      train: async (job, hooks) => {
        beganAtMs = Date.now();
        const timer = setInterval(() => report({ used: { seconds: seconds(), attempt } }), HEARTBEAT_MS);
        try {
          return await trainer.train(job, hooks);
        } finally {
          clearInterval(timer);
          ranMs = Date.now() - beganAtMs;
          beganAtMs = undefined;
        }
      },
    }),
  };
};

/** Tells the search each rung once, one after the other. A report that is lost stops nobody. */
const createReporter = ({ trials, workflows }: TrialPorts, { context, number, rungs }: TrialInput): { take: (progress: TrainerProgress) => void; settled: () => Promise<void> } => {
  let reached = 0;
  let last = Promise.resolve();
  const send = async (report: TrialReport): Promise<void> => {
    await trials.report(context.runId, report);
    await workflows.reportTrial(context.runId, report);
  };
  return {
    take: ({ done, total, metrics }) => {
      const value = metrics['validation'];
      if (value === undefined || total <= 0) return;
      for (; reached < rungs.length && done / total >= rungs[reached]!; reached += 1) {
        const report = { number, rung: reached, value };
        last = last.then(() => send(report)).catch((error: unknown) => log.warn('a rung of a trial could not be reported', { number, error: String(error) }));
      }
    },
    settled: () => last,
  };
};

const trainTrial = async (ports: TrialPorts, input: TrialInput, tools: ActivityTools): ReturnType<SearchActivities['trainTrial']> => {
  const { context, number, params, rows, metric, rungs, pool } = input;
  const stopwatch = createStopwatch(tools);
  const secondsLeft = Math.floor(input.seconds - stopwatch.seconds() - ENDING_SECONDS);
  if (secondsLeft < 1) throw new PerennialFailure('TrainerTimedOut', `The attempts before this one used up the ${input.seconds} s of the trial.`);
  await ports.trials.start({ runId: context.runId, number, params, attempt: tools.attempt, worker: `${hostname()}/${process.pid}` });
  const { features, train } = await specOf(ports, context);
  const reporter = createReporter(ports, input);
  const fitting = {
    rows: { train: rows.fit, holdout: rows.validation },
    features,
    train: { ...train, params: { ...train.params, ...params }, timeoutSeconds: Math.min(train.timeoutSeconds, secondsLeft) },
    ...(rungs.length === 0 ? {} : { reportMetric: metric }),
    onProgress: reporter.take,
  };
  try {
    const trained = await fitModel({ ...ports, trainer: stopwatch.around(ports.trainer) }, fitting, tools);
    return { trained, seconds: stopwatch.seconds() };
  } finally {
    await reporter.settled();
    const use = ports.meter.current();
    if (use !== undefined) await ports.trials.account({ context, number, pool }, use).catch((error: unknown) => log.warn('the use of a trial could not be recorded', { number, error: String(error) }));
  }
};

type ScoreInput = Parameters<SearchActivities['scoreTrial']>[0];

const scoreTrial = async (ports: TrialPorts, { trial, trained, seconds }: ScoreInput, tools: ActivityTools, folder: string): Promise<{ value: number }> => {
  const { context, number, rows, metric } = trial;
  const { artifacts, runtime } = ports;
  const { features } = await specOf(ports, context);
  const signature = await readSignature(artifacts, trained.signature);
  const rowsFile = join(folder, 'validation.parquet');
  await artifacts.download(rows.validation, rowsFile);
  const onProgress = (done: number): void => tools.report({ progress: { done, total: rows.validationRows, what: `scoring trial ${number}` } });
  const { scores, labels } = await runtime.score({ model: await artifacts.get(trained.model), signature, rowsFile, features, onProgress });
  stopIfAborted(tools.signal);
  const value = metricOf(metric, oneGroup(scores, labels));
  if (value === null) throw new PerennialFailure('ModelFailed', `${metric} of trial ${number} is not defined on the ${scores.length} validation rows: a score is not a finite number, or a class is absent.`);
  await ports.trials.succeed({ runId: context.runId, number, value, seconds });
  return { value };
};

export const createTrialActivities = (ports: TrialPorts): Pick<SearchActivities, 'trainTrial' | 'scoreTrial'> => ({
  trainTrial: task((input: TrialInput, tools) => trainTrial(ports, input, tools)),
  scoreTrial: task((input: ScoreInput, tools) => inScratch(ports.scratch, 'trial', (folder) => scoreTrial(ports, input, tools, folder))),
});
