/**
 * What Temporal says of a run right now: the half that rows cannot know (attempts, heartbeats, waiting), and the truth about a
 * run whose worker died before it could write its end. Kept for a second per run, so that polling costs the server little.
 */
import { WorkflowNotFoundError, type Client, type WorkflowExecutionDescription } from '@temporalio/client';
import { runStatusQuery } from '../../contracts/messages.ts';
import type { FailureRecord, RunInput, RunOutcome, RunState, RunStatus } from '../../contracts/run.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { TemporalCalls } from '../temporal/calls.ts';
import { closedEndOf } from '../temporal/closed-run.ts';
import { pendingActivitiesOf, type PendingActivity } from '../temporal/pending-activities.ts';
import { runInputOf } from '../temporal/run-input.ts';

/** What is shown of a run's start for as long as its row is not there. */
export type RunMemo = Pick<RunInput, 'pipelineVersion' | 'trigger' | 'retryOf'>;

type Known = { workflowRunId: string; startedAt: string; memo: RunMemo | undefined };
export type LiveRun =
  | (Known & { kind: 'open'; pending: PendingActivity[]; status: RunStatus | null })
  | (Known & { kind: 'closed'; state: RunState; outcome: RunOutcome | null; failure: FailureRecord | null; closedAt: string })
  | { kind: 'absent' }
  /** Temporal does not answer; what is known was known before. */
  | (Partial<Known> & { kind: 'unknown' });

export type LiveRuns = {
  /** `withStatus` asks the workflow itself too, which needs a live workflows worker. */
  of(workflowId: string, options: { withStatus: boolean }): Promise<LiveRun>;
  /** Notes a run that was started this moment, so that its first polls need not ask. */
  started(workflowId: string, run: Known): void;
  /** Drops what is kept, after an act that changes it. */
  forget(workflowId: string): void;
};

const KEPT_MS = 1_000;
/** A run that this process has just started is surely there; only how it gets on is asked later. */
const NEW_MS = 2_000;
const MOST_KEPT = 2_000;
const DESCRIBE_MS = 3_000;
const QUERY_MS = 1_000;

type Kept = { until: number; withStatus: boolean; run: Promise<LiveRun> };

const beforeOf = async (kept: Kept | undefined): Promise<Partial<Known>> => {
  const run = await kept?.run.catch(() => undefined);
  if (run === undefined || run.kind === 'absent') return {};
  const { workflowRunId, startedAt, memo } = run;
  return { workflowRunId, startedAt, memo };
};

const memoOf = async (calls: TemporalCalls, description: WorkflowExecutionDescription): Promise<RunMemo | undefined> => {
  const memo = description.memo as Partial<RunMemo> | undefined;
  const found = memo?.trigger === undefined ? await runInputOf(calls, description) : memo;
  if (found?.trigger === undefined || found.pipelineVersion === undefined) return undefined;
  const { pipelineVersion, trigger, retryOf } = found;
  return { pipelineVersion, trigger, ...(retryOf === undefined ? {} : { retryOf }) };
};

/** The workflow's own words; null when it does not answer in time. */
const queryStatus = (calls: TemporalCalls, workflowId: string): Promise<RunStatus | null> =>
  calls.call((client) => client.workflow.getHandle(workflowId).query(runStatusQuery), { boundMs: QUERY_MS, impatient: true, ofWorkflow: true }).catch(() => null);

const describeRun = (calls: TemporalCalls, workflowId: string): Promise<WorkflowExecutionDescription | undefined> =>
  calls.call(
    (client: Client) =>
      client.workflow.getHandle(workflowId).describe().catch((error: unknown) => {
        if (error instanceof WorkflowNotFoundError) return undefined;
        throw error;
      }),
    { boundMs: DESCRIBE_MS, impatient: true },
  );

type Question = { workflowId: string; withStatus: boolean; before: Partial<Known> };

const ask = async (calls: TemporalCalls, { workflowId, withStatus, before }: Question): Promise<LiveRun> => {
  const [description, status] = await Promise.all([describeRun(calls, workflowId), withStatus ? queryStatus(calls, workflowId) : null]);
  if (description === undefined) return { kind: 'absent' };
  const memo = before.memo ?? (await memoOf(calls, description));
  const known = { workflowRunId: description.runId, startedAt: description.startTime.toISOString(), memo };
  if (description.status.name === 'RUNNING') return { ...known, kind: 'open', pending: pendingActivitiesOf(description), status };
  const end = await closedEndOf(calls, description);
  return { ...known, kind: 'closed', ...end, closedAt: (description.closeTime ?? new Date()).toISOString() };
};

/** In an outage, what was known before is still known. */
const askOrKeep = async (calls: TemporalCalls, question: Omit<Question, 'before'> & { before: Promise<Partial<Known>> }): Promise<LiveRun> => {
  const before = await question.before;
  try {
    return await ask(calls, { ...question, before });
  } catch (error) {
    if (error instanceof PerennialFailure && error.code === 'TemporalUnavailable') return { ...before, kind: 'unknown' };
    throw error;
  }
};

export const createLiveRuns = (calls: TemporalCalls): LiveRuns => {
  const kept = new Map<string, Kept>();

  const keep = (workflowId: string, entry: Kept): void => {
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(workflowId, entry);
  };

  const of: LiveRuns['of'] = (workflowId, { withStatus }) => {
    const known = kept.get(workflowId);
    if (known !== undefined && known.until > Date.now() && (known.withStatus || !withStatus)) return known.run;
    const run = askOrKeep(calls, { workflowId, withStatus, before: beforeOf(known) });
    const entry: Kept = { until: Date.now() + KEPT_MS, withStatus, run };
    keep(workflowId, entry);
    run.then(
      // The age counts from the answer, and the end of a run never changes.
      (answer) => (entry.until = answer.kind === 'closed' ? Number.POSITIVE_INFINITY : Date.now() + KEPT_MS),
      () => kept.delete(workflowId),
    );
    return run;
  };

  return {
    of,
    started: (workflowId, run) => keep(workflowId, { until: Date.now() + NEW_MS, withStatus: false, run: Promise.resolve({ ...run, kind: 'open', pending: [], status: null }) }),
    forget: (workflowId) => kept.delete(workflowId),
  };
};
