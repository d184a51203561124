/** Histories of executions: fetched with those of their children and continuations, and replayed on the present code. */
import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';

export type History = temporal.api.history.v1.IHistory;
export type Recorded = { workflowId: string; history: History };

export type Execution = { workflowId: string; runId: string };

/** Children and the continuation that a history names. */
const executionsAfter = (workflowId: string, history: History): Execution[] =>
  (history.events ?? []).flatMap((event) => {
    const child = event.childWorkflowExecutionStartedEventAttributes?.workflowExecution;
    if (child?.workflowId && child.runId) return [{ workflowId: child.workflowId, runId: child.runId }];
    const next = event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
    return next ? [{ workflowId, runId: next }] : [];
  });

/** The history of an execution, of its children and of what it continued as. */
export const recordHistories = async (client: Client, executions: Execution[]): Promise<Recorded[]> => {
  const recorded = new Map<string, Recorded>();
  const open = [...executions];
  for (let execution = open.pop(); execution !== undefined; execution = open.pop()) {
    const { workflowId, runId } = execution;
    if (recorded.has(runId)) continue;
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    recorded.set(runId, { workflowId, history });
    open.push(...executionsAfter(workflowId, history));
  }
  return [...recorded.values()];
};

/** Replays histories; returns what went wrong, one line per history that does not fit the code. */
export const replayHistories = async (bundle: { codePath: string } | { code: string }, recorded: Recorded[]): Promise<string[]> => {
  const problems: string[] = [];
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: bundle, replayName: 'replay' }, recorded)) {
    if (error !== undefined) problems.push(`${workflowId}: ${error.message}`);
  }
  return problems;
};
