/**
 * How the trigger ledger asks whether a run is still open when it cannot await it as a child (after it continued as new,
 * or when the run was started by an earlier ledger): Temporal refuses a signal to a closed workflow.
 */
import { defineSignal, getExternalWorkflowHandle, isCancellation, TemporalFailure } from '@temporalio/workflow';

/** Means nothing to the run: only whether it can be delivered counts. */
export const presenceSignal = defineSignal('presence');

/** True while the workflow is open. */
export const isOpen = async (workflowId: string): Promise<boolean> => {
  try {
    await getExternalWorkflowHandle(workflowId).signal(presenceSignal);
    return true;
  } catch (error) {
    if (isCancellation(error) || !(error instanceof TemporalFailure)) throw error;
    return false;
  }
};
