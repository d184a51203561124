/** Finds one run, wherever it is known, and shows it. */
import { workflowIdOfRunId } from '../../contracts/ids.ts';
import type { PipelineSpec } from '../../contracts/pipeline.ts';
import { WORKFLOWS_POOL } from '../../contracts/queues.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { ApiContext } from '../http/app-types.ts';
import type { LiveRun, RunMemo } from './live-runs.ts';
import { runLinks } from './run-links.ts';
import { readReasons, readRun, type RunRows, type StepRow } from './run-rows.ts';
import type { RunView } from './run-schemas.ts';
import { isTerminal, runView } from './run-view.ts';

export const runNotFound = (runId: string): PerennialFailure => new PerennialFailure('RunNotFound', `there is no run "${runId}"`);

/** Steps without an activity of their own: what they wait for is known to the workflow alone. */
const ASKED_STEPS = new Set(['gate', 'rollout']);

/** Rows that change all the time say enough: Temporal is asked when they fall silent, or when a step is tried again. */
const BUSY_MS = 1_500;

const isBusy = ({ steps, quietMs }: RunRows): boolean => quietMs < BUSY_MS && steps.every((step) => step.state !== 'failed');

const needsStatus = (steps: readonly StepRow[]): boolean => steps.some((step) => ASKED_STEPS.has(step.step) && step.state === 'running');

const specOf = async (context: ApiContext, { pipeline, version }: { pipeline: string; version: number | null | undefined }): Promise<PipelineSpec | undefined> => {
  if (version === null || version === undefined) return undefined;
  try {
    return (await context.pipelines.version(pipeline, version)).spec;
  } catch (error) {
    // A run of a pipeline that this database does not know, such as one restored from elsewhere, is still shown.
    if (error instanceof PerennialFailure && error.code === 'PipelineNotFound') return undefined;
    throw error;
  }
};

const memoOf = (live: LiveRun | undefined): RunMemo | undefined => (live === undefined || live.kind === 'absent' ? undefined : live.memo);

/**
 * The run as it is now. A run that ended, or whose rows keep changing, costs one question to PostgreSQL; another open one costs Temporal
 * one a second at most.
 * @throws PerennialFailure RunNotFound, PostgresUnavailable
 */
export const showRun = async (context: ApiContext, runId: string): Promise<RunView> => {
  const workflowId = workflowIdOfRunId(runId);
  if (workflowId === undefined) throw runNotFound(runId);
  const [found, pools, reasons] = await Promise.all([readRun(context.pool, runId), context.pools.live(), readReasons(context.pool, runId)]);
  const steps = found?.steps ?? [];
  const speaksForItself = found !== undefined && (isTerminal(found.run.state) || isBusy(found));
  const live = speaksForItself ? undefined : await context.liveRuns.of(workflowId, { withStatus: pools.has(WORKFLOWS_POOL) && needsStatus(steps) });
  if (found === undefined && live?.kind === 'absent') throw runNotFound(runId);
  if (found === undefined && live?.kind === 'unknown' && live.memo === undefined) {
    throw new PerennialFailure('TemporalUnavailable', 'the run has no row yet, and the Temporal server, which would know it, does not answer');
  }
  const pipeline = found?.run.pipeline ?? runId.slice(0, runId.lastIndexOf('.'));
  const spec = await specOf(context, { pipeline, version: found?.run.pipelineVersion ?? memoOf(live)?.pipelineVersion });
  const links = runLinks(context.temporal, { runId, workflowId });
  const retryOf = found?.run.retryOf ?? memoOf(live)?.retryOf;
  const earlier = retryOf === undefined ? undefined : ((await readRun(context.pool, retryOf))?.steps ?? []);
  return runView({ runId, workflowId, links, row: found?.run, steps, earlier, spec, live, moment: { nowMs: Date.now(), pools }, prices: context.prices, reasons });
};
