/** Sends an update to a workflow and says in our own words why it was refused. */
import { WorkflowNotFoundError, WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { isFailureCode } from '../../contracts/failures.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { ApiContext } from '../http/app-types.ts';

type Update = {
  workflowId: string;
  name: string;
  args: [{ by: string; [detail: string]: string }];
  /** Names the update: the same id again is the same update. */
  updateId: string;
  /** What to answer when the workflow is not there or has ended. */
  absent: () => PerennialFailure;
};

const refusalOf = (error: WorkflowUpdateFailedError): PerennialFailure | undefined => {
  const { cause } = error;
  const code = cause instanceof ApplicationFailure ? (cause.type ?? '') : '';
  return cause !== undefined && isFailureCode(code) ? new PerennialFailure(code, cause.message) : undefined;
};

/**
 * Waits until the workflow took the update.
 * @throws PerennialFailure NoWorkerInPool when there is no worker that could answer, TemporalUnavailable, or what the workflow refused it with
 */
export const sendUpdate = async ({ pools, temporalCalls }: Pick<ApiContext, 'pools' | 'temporalCalls'>, update: Update): Promise<void> => {
  await pools.requireWorkflows();
  try {
    await temporalCalls.call(
      (client: Client) => client.workflow.getHandle(update.workflowId).executeUpdate<void, Update['args']>(update.name, { args: update.args, updateId: update.updateId }),
      { ofWorkflow: true },
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw update.absent();
    throw (error instanceof WorkflowUpdateFailedError ? refusalOf(error) : undefined) ?? error;
  }
};
