/** The rollout of a model as its row and its workflow have it; one whose workflow is gone is `orphaned`. */
import { WorkflowNotFoundError, type WorkflowExecutionDescription } from '@temporalio/client';
import { composeRolloutId, rolloutWorkflowId } from '../../contracts/ids.ts';
import { rolloutStatusQuery } from '../../contracts/messages.ts';
import { WORKFLOWS_POOL } from '../../contracts/queues.ts';
import type { RolloutOutcome, RolloutStatus } from '../../contracts/rollout.ts';
import type { RolloutPlan } from '../../contracts/rollout-plan.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { ApiContext } from '../http/app-types.ts';

export type RolloutRow = {
  rolloutId: string;
  version: number;
  plan: RolloutPlan;
  requestedBy: string;
  runId: string | null;
  startedAt: Date;
  finishedAt: Date | null;
  outcome: RolloutOutcome | null;
};

export type LiveRollout = {
  /** `unknown` when Temporal does not answer. */
  state: 'running' | 'orphaned' | 'none' | 'unknown';
  /** The newest row, whether open or not. */
  row: RolloutRow | undefined;
  /** Of the running workflow; null when it did not answer. */
  status: RolloutStatus | null;
  /** The rollout id of the running workflow, and the execution that it is in. */
  running: { rolloutId: string; version: number | null } | undefined;
};

const BOUND_MS = 1_500;
const QUERY_MS = 1_000;

const newestRow = async ({ database }: ApiContext, model: string): Promise<RolloutRow | undefined> => {
  const row = await database.selectFrom('rollouts').selectAll().where('model', '=', model).orderBy('started_at', 'desc').limit(1).executeTakeFirst();
  if (row === undefined) return undefined;
  return {
    rolloutId: row.rollout_id,
    version: row.version,
    plan: row.plan as RolloutPlan,
    requestedBy: row.requested_by,
    runId: row.run_id,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    outcome: row.outcome as RolloutOutcome | null,
  };
};

/** Undefined when there is none, null when Temporal does not answer. */
const describe = async ({ temporalCalls }: ApiContext, model: string): Promise<WorkflowExecutionDescription | undefined | null> => {
  try {
    return await temporalCalls.call((client) => client.workflow.getHandle(rolloutWorkflowId(model)).describe(), { boundMs: BOUND_MS, impatient: true });
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    if (error instanceof PerennialFailure && error.code === 'TemporalUnavailable') return null;
    throw error;
  }
};

const queryStatus = async ({ pools, temporalCalls }: ApiContext, model: string): Promise<RolloutStatus | null> => {
  if (!(await pools.live()).has(WORKFLOWS_POOL)) return null;
  return temporalCalls.call((client) => client.workflow.getHandle(rolloutWorkflowId(model)).query(rolloutStatusQuery), { boundMs: QUERY_MS, impatient: true, ofWorkflow: true }).catch(() => null);
};

/** The first execution's run id names the rollout, however often it continued as new. */
const firstRunIdOf = (description: WorkflowExecutionDescription): string => description.raw.workflowExecutionInfo?.firstRunId || description.runId;

/** A finished rollout's row is written last, so for a moment its workflow is closed and its row open. */
const SETTLING_MS = 3_000;

const isOrphan = (row: RolloutRow | undefined, description: WorkflowExecutionDescription | undefined): boolean => {
  if (row === undefined || row.finishedAt !== null) return false;
  const closedMs = description?.closeTime?.getTime();
  return closedMs === undefined || Date.now() - closedMs > SETTLING_MS;
};

export const liveRolloutOf = async (context: ApiContext, model: string): Promise<LiveRollout> => {
  const description = await describe(context, model);
  // The row is read after the workflow: a rollout that ends in between then has its end in the row.
  const row = await newestRow(context, model);
  if (description === null) return { state: 'unknown', row, status: null, running: undefined };
  if (description?.status.name !== 'RUNNING') return { state: isOrphan(row, description) ? 'orphaned' : 'none', row, status: null, running: undefined };
  const status = await queryStatus(context, model);
  const rolloutId = status?.rolloutId ?? composeRolloutId(model, firstRunIdOf(description));
  const version = status?.version ?? (row?.rolloutId === rolloutId ? row.version : null);
  return { state: 'running', row, status, running: { rolloutId, version } };
};
