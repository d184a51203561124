/** Reads what a run was started with from its first event: a run that the trigger ledger started carries no memo of ours. */
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { RunInput } from '../../contracts/run.ts';
import type { TemporalCalls } from './calls.ts';

const BOUND_MS = 2_000;

/** Undefined when it cannot be read: then less is shown of the run until its row is there. */
export const runInputOf = async (calls: TemporalCalls, { workflowId, runId }: WorkflowExecutionDescription): Promise<Partial<RunInput> | undefined> => {
  try {
    const { history } = await calls.call(
      (client) => client.workflowService.getWorkflowExecutionHistory({ namespace: client.options.namespace, execution: { workflowId, runId }, maximumPageSize: 1 }),
      { boundMs: BOUND_MS, impatient: true },
    );
    const payload = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
    return payload === undefined ? undefined : defaultPayloadConverter.fromPayload<Partial<RunInput>>(payload);
  } catch {
    return undefined;
  }
};
