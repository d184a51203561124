/** How an activity ends when it is told to: cancelled for good, or interrupted and to be tried again. */
import { CancelledFailure } from '@temporalio/activity';

/** Temporal's reason for the abort; all but a cancellation of the run (the worker shuts down, the attempt timed out) leads to another attempt. */
const wasCancelled = (signal: AbortSignal): boolean => signal.reason instanceof CancelledFailure && signal.reason.message === 'CANCELLED';

/** The error with which an aborted activity ends; `interrupted` makes the retryable one. */
export const stoppedBy = (signal: AbortSignal, interrupted: () => Error = () => new Error('the worker stopped before the step was done')): Error =>
  wasCancelled(signal) ? new CancelledFailure('the run was cancelled') : interrupted();

/** Throws when the activity is to stop: to be called between pieces of work. */
export const stopIfAborted = (signal: AbortSignal): void => {
  if (signal.aborted) throw stoppedBy(signal);
};

/** Waits for work that heeds the signal itself; whatever it fails with after an abort is the abort. */
export const orStopped = async <T>(signal: AbortSignal, work: Promise<T>): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    throw signal.aborted ? stoppedBy(signal) : error;
  }
};
