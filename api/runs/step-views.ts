/** Steps of a run as they are shown: the rows, put right by what Temporal says of the present moment. Pure. */
import type { PipelineSpec } from '../../contracts/pipeline.ts';
import { MODEL_STEPS, type RunState } from '../../contracts/run.ts';
import type { PendingActivity } from '../temporal/pending-activities.ts';
import { waitForPool } from '../system/worker-pools.ts';
import type { PriceTable } from '../../contracts/resources.ts';
import { resourcesOf } from './resources.ts';
import type { StepView } from './run-schemas.ts';
import type { StepRow } from './run-rows.ts';

/** What is known of the moment; `pools` are those with a live worker, undefined when nobody could be asked. */
export type Moment = { nowMs: number; pools: ReadonlySet<string> | undefined };

type Planned = { name: string; pool: string | null };

/** The steps that a pipeline has, in their order. A step whose pool the pipeline does not choose shows it when it begins. */
export const plannedSteps = (spec: PipelineSpec | undefined): Planned[] => {
  if (spec === undefined) return [];
  if (spec.kind === 'steps') return spec.steps.map(({ name, pool }) => ({ name, pool }));
  return MODEL_STEPS.filter((name) => name !== 'search' || spec.search !== undefined).map((name) => ({ name, pool: name === 'train' ? spec.train.pool : null }));
};

const duration = (from: string | null, to: string | null): number | null => (from === null || to === null ? null : Math.max(0, Date.parse(to) - Date.parse(from)));

const OPEN = new Set(['waiting', 'running']);
const DONE = new Set(['succeeded', 'reused']);

/** A step as its row has it. */
const ofRow = (row: StepRow, prices: PriceTable | null): StepView => ({
  name: row.step,
  state: row.state,
  waitingFor: null,
  pool: row.pool,
  attempts: row.attempts,
  progress: null,
  heartbeatAgeSeconds: null,
  input: row.input ?? null,
  output: row.output ?? null,
  failure: row.failure,
  startedAt: row.startedAt,
  finishedAt: row.finishedAt,
  durationMs: duration(row.startedAt, row.finishedAt),
  resources: resourcesOf(row.uses, prices),
});

const notStarted = ({ name, pool }: Planned): StepView => ({
  name,
  state: 'notStarted',
  waitingFor: null,
  pool,
  attempts: 0,
  progress: null,
  heartbeatAgeSeconds: null,
  input: null,
  output: null,
  failure: null,
  startedAt: null,
  finishedAt: null,
  durationMs: null,
  resources: null,
});

/** Rows and plan together: every planned step once, in order, and rows of steps that the plan does not know. */
export const stepsOf = (rows: readonly StepRow[], plan: readonly Planned[], prices: PriceTable | null): StepView[] => {
  const byName = new Map(rows.map((row) => [row.step, row]));
  const planned = plan.map((step) => {
    const row = byName.get(step.name);
    return row === undefined ? notStarted(step) : ofRow(row, prices);
  });
  const unplanned = rows.filter((row) => !plan.some((step) => step.name === row.step)).map((row) => ofRow(row, prices));
  return [...planned, ...unplanned];
};

/**
 * A run that retries another writes no rows for the steps whose outputs it takes over: those before the first that it did itself.
 * `earlier` are the rows of the run that it retries, where these outputs stand.
 */
export const withReused = (steps: readonly StepView[], earlier: readonly StepRow[]): StepView[] => {
  const first = steps.findIndex((step) => step.state !== 'notStarted');
  return steps.map((step, index) => {
    if (index >= first) return step;
    const row = earlier.find((candidate) => candidate.step === step.name);
    return { ...step, state: 'reused', pool: row?.pool ?? step.pool, input: row?.input ?? null, output: row?.output ?? null };
  });
};

/** The step that a pending activity is: by its name, or for built-in steps, which share a name, the first that is not done. */
const stepOfPending = (steps: readonly StepView[], pending: PendingActivity): StepView | undefined =>
  steps.find((step) => step.name === pending.type && !DONE.has(step.state)) ?? (pending.type === 'noop' ? steps.find((step) => !DONE.has(step.state)) : undefined);

const waitOf = (pending: PendingActivity, moment: Moment): string | null => {
  // A pool without a worker waits even when an attempt is under way: its worker died, and the server has not noticed yet.
  if (moment.pools !== undefined && !moment.pools.has(pending.pool)) return waitForPool(pending.pool);
  if (pending.started) return null;
  if (pending.attempt > 1) return `attempt ${pending.attempt}, after ${pending.lastFailure?.code ?? 'a failure'}`;
  return `a free worker of pool ${pending.pool}`;
};

const GRACE_MS = 1_000;

/** A step that Temporal has in hand. A task that a worker takes at once is never shown as waiting. */
export const withPending = (step: StepView, pending: PendingActivity, moment: Moment): StepView => {
  const scheduledMs = pending.scheduledAt === null ? moment.nowMs : Date.parse(pending.scheduledAt);
  const wait = waitOf(pending, moment);
  const isFresh = pending.attempt <= 1 && !pending.started && moment.nowMs - scheduledMs < GRACE_MS && moment.pools?.has(pending.pool) !== false;
  const waitingFor = isFresh ? null : wait;
  const startedAt = step.startedAt ?? pending.startedAt;
  return {
    ...step,
    state: waitingFor === null ? 'running' : 'waiting',
    waitingFor,
    pool: pending.pool === '' ? step.pool : pending.pool,
    attempts: Math.max(step.attempts, pending.started || pending.attempt > 1 ? pending.attempt - (pending.started ? 0 : 1) : 0),
    progress: pending.progress,
    heartbeatAgeSeconds: pending.heartbeatAt === null || !pending.started ? null : Math.max(0, Math.round((moment.nowMs - Date.parse(pending.heartbeatAt)) / 100) / 10),
    failure: pending.lastFailure,
    output: null,
    startedAt,
    finishedAt: null,
    durationMs: startedAt === null ? null : Math.max(0, moment.nowMs - Date.parse(startedAt)),
  };
};

/** Puts what is pending over the rows. */
export const withAllPending = (steps: readonly StepView[], pending: readonly PendingActivity[], moment: Moment): StepView[] => {
  const shown = [...steps];
  for (const activity of pending) {
    const step = stepOfPending(shown, activity);
    if (step !== undefined) shown[shown.indexOf(step)] = withPending(step, activity, moment);
  }
  return shown;
};

/** Steps of a run that ended: what was open ended with it, what never began never will. */
export const closeSteps = (steps: readonly StepView[], state: RunState): StepView[] =>
  steps.map((step) => {
    if (step.state === 'notStarted') return { ...step, state: 'skipped' };
    if (!OPEN.has(step.state)) return step;
    return { ...step, state: state === 'cancelled' || state === 'terminated' ? 'cancelled' : 'failed', waitingFor: null };
  });

/** The step at which an open run is: the first that is not done. */
export const presentStep = (steps: readonly StepView[]): StepView | undefined =>
  steps.find((step) => OPEN.has(step.state)) ?? steps.find((step) => !DONE.has(step.state) && step.state !== 'skipped');
