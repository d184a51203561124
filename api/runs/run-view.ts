/** One run as it is shown: rows for what is done, Temporal for what is happening, and Temporal's word when a row missed the end. Pure. */
import { modelOf, type PipelineSpec } from '../../contracts/pipeline.ts';
import { WORKFLOWS_POOL } from '../../contracts/queues.ts';
import { pipelineOfRunId } from '../../contracts/ids.ts';
import type { PriceTable } from '../../contracts/resources.ts';
import type { RunState, RunStatus } from '../../contracts/run.ts';
import { waitForPool } from '../system/worker-pools.ts';
import type { PendingActivity } from '../temporal/pending-activities.ts';
import type { LiveRun } from './live-runs.ts';
import { resourcesOf } from './resources.ts';
import type { RunRow, StepRow } from './run-rows.ts';
import type { RunReason, RunSummary, RunView, StepView } from './run-schemas.ts';
import { closeSteps, plannedSteps, presentStep, stepsOf, withAllPending, withReused, type Moment } from './step-views.ts';

export type RunParts = {
  runId: string;
  workflowId: string;
  links: RunView['links'];
  /** Absent while no step has begun. */
  row: RunRow | undefined;
  steps: readonly StepRow[];
  /** Rows of the run that this one retries; undefined when it retries none. */
  earlier: readonly StepRow[] | undefined;
  spec: PipelineSpec | undefined;
  /** Undefined when the row has the end already, so that nobody was asked. */
  live: LiveRun | undefined;
  moment: Moment;
  prices: PriceTable | null;
  reasons?: readonly RunReason[];
};

export const isTerminal = (state: RunState): boolean => state !== 'running';

const durationOf = (startedAt: string | null, end: { finishedAt: string | null; nowMs: number }): number | null =>
  startedAt === null ? null : Math.max(0, (end.finishedAt === null ? end.nowMs : Date.parse(end.finishedAt)) - Date.parse(startedAt));

type Base = Omit<RunView, 'step' | 'waitingFor' | 'degraded' | 'steps'>;

const baseOf = ({ runId, workflowId, links, row, steps, spec, live, moment, prices, reasons = [] }: RunParts): Base => {
  const known = live === undefined || live.kind === 'absent' ? undefined : live;
  const closed = live?.kind === 'closed' ? live : undefined;
  const state = row !== undefined && isTerminal(row.state) ? row.state : (closed?.state ?? row?.state ?? 'running');
  const startedAt = row?.startedAt ?? known?.startedAt ?? null;
  const finishedAt = row?.finishedAt ?? closed?.closedAt ?? null;
  return {
    runId,
    pipeline: row?.pipeline ?? pipelineOfRunId(runId) ?? '',
    pipelineVersion: row?.pipelineVersion ?? known?.memo?.pipelineVersion ?? null,
    model: row?.model ?? (spec?.kind === 'model' ? modelOf(spec) : null),
    workflowId,
    state,
    trigger: row?.trigger ?? known?.memo?.trigger ?? null,
    retryOf: row?.retryOf ?? known?.memo?.retryOf ?? null,
    outcome: row?.outcome ?? closed?.outcome ?? null,
    failure: row?.failure ?? closed?.failure ?? null,
    startedAt,
    finishedAt,
    durationMs: durationOf(startedAt, { finishedAt, nowMs: moment.nowMs }),
    links,
    resources: resourcesOf(steps.flatMap((step) => step.uses ?? []), prices),
    currency: prices?.currency ?? null,
    reasons: [...reasons],
  };
};

const asWaiting = (steps: StepView[], present: StepView | undefined, waitingFor: string): StepView[] =>
  steps.map((step) => (step === present ? { ...step, state: 'waiting', waitingFor } : step));

/** What an open run waits for, and its steps with that said. */
const openSteps = (steps: StepView[], { pending, status, moment }: { pending: PendingActivity[]; status: RunStatus | null; moment: Moment }): { steps: StepView[]; waitingFor: string | null } => {
  const present = presentStep(steps);
  const isWorking = present?.state === 'running' && pending.some((activity) => activity.started);
  // Without anybody in the pool of workflows nothing begins, whatever else is there; what has begun goes on.
  if (moment.pools !== undefined && !moment.pools.has(WORKFLOWS_POOL) && !isWorking) {
    const waitingFor = present?.waitingFor ?? waitForPool(WORKFLOWS_POOL);
    return { steps: typeof present?.waitingFor === 'string' ? steps : asWaiting(steps, present, waitingFor), waitingFor };
  }
  if (typeof present?.waitingFor === 'string') return { steps, waitingFor: present.waitingFor };
  const waitingFor = status?.waitingFor ?? (status?.waitingForApproval === true ? 'an approval' : null);
  return { steps: waitingFor === null ? steps : asWaiting(steps, present, waitingFor), waitingFor };
};

const degradedText = ({ live, moment }: RunParts): string | null => {
  if (live?.kind === 'unknown') return 'Temporal does not answer: attempts, heartbeats and waits are not known, and the run may have ended meanwhile.';
  return live?.kind === 'open' && moment.pools === undefined ? 'The leases of workers could not be read: which pools have a worker is not known.' : null;
};

export const runView = (parts: RunParts): RunView => {
  const base = baseOf(parts);
  const { pending, status } = parts.live?.kind === 'open' ? parts.live : { pending: [], status: null };
  const rows = withAllPending(stepsOf(parts.steps, plannedSteps(parts.spec), parts.prices), pending, parts.moment);
  const all = parts.earlier === undefined ? rows : withReused(rows, parts.earlier);
  const degraded = degradedText(parts);
  if (isTerminal(base.state)) return { ...base, step: null, waitingFor: null, degraded, steps: closeSteps(all, base.state) };
  const { steps, waitingFor } = openSteps(all, { pending, status, moment: parts.moment });
  return { ...base, step: presentStep(steps)?.name ?? null, waitingFor, degraded, steps };
};

/** A run in a list: from its row alone. */
export const runSummary = (row: RunRow, place: { links: RunView['links']; nowMs: number }): RunSummary => ({
  runId: row.runId,
  pipeline: row.pipeline,
  pipelineVersion: row.pipelineVersion,
  model: row.model,
  workflowId: row.workflowId,
  state: row.state,
  trigger: row.trigger,
  retryOf: row.retryOf,
  outcome: row.outcome,
  failure: row.failure,
  startedAt: row.startedAt,
  finishedAt: row.finishedAt,
  durationMs: durationOf(row.startedAt, { finishedAt: row.finishedAt, nowMs: place.nowMs }),
  links: place.links,
});
