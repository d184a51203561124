/** How a closed run really ended, read from its last event. */
import { WorkflowContinuedAsNewError, WorkflowFailedError, type WorkflowExecutionDescription } from '@temporalio/client';
import { CancelledFailure, DefaultFailureConverter, defaultPayloadConverter, TerminatedFailure, type ProtoFailure } from '@temporalio/common';
import { FAILURES } from '../../contracts/failures.ts';
import type { FailureRecord, RunOutcome, RunState } from '../../contracts/run.ts';
import type { TemporalCalls } from './calls.ts';
import { recordOfFailure } from './failure-record.ts';

export type RunEnd = { state: RunState; outcome: RunOutcome | null; failure: FailureRecord | null };

const converter = new DefaultFailureConverter();

const protoOf = (error: Error): ProtoFailure => converter.errorToFailure(error, defaultPayloadConverter);

/** The end of a run whose `result()` threw this. */
export const endOfError = (error: unknown): RunEnd => {
  if (!(error instanceof WorkflowFailedError)) throw error;
  const { cause } = error;
  if (cause instanceof CancelledFailure) return { state: 'cancelled', outcome: null, failure: null };
  if (cause instanceof TerminatedFailure) {
    const { fix } = FAILURES.RunTerminated;
    return { state: 'terminated', outcome: null, failure: { code: 'RunTerminated', message: `the run was terminated: ${cause.message}`, fix } };
  }
  if (cause instanceof Error) return { state: 'failed', outcome: null, failure: recordOfFailure(protoOf(cause)) };
  return { state: 'failed', outcome: null, failure: null };
};

const stateOfOutcome = (outcome: RunOutcome | null | undefined): RunState => outcome?.kind ?? 'succeeded';

/** @throws PerennialFailure TemporalUnavailable */
export const closedEndOf = async (calls: TemporalCalls, description: WorkflowExecutionDescription): Promise<RunEnd> => {
  const { workflowId, runId } = description;
  try {
    const outcome = await calls.call((client) => client.workflow.getHandle(workflowId, runId, { followRuns: false }).result() as Promise<RunOutcome | undefined>);
    return { state: stateOfOutcome(outcome), outcome: outcome ?? null, failure: null };
  } catch (error) {
    if (error instanceof WorkflowContinuedAsNewError) return { state: 'running', outcome: null, failure: null };
    return endOfError(error);
  }
};
