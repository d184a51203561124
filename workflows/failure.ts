/** Turns what Temporal says of a failed activity or child into a code of contracts/failures.ts, in words that a user can act on. */
import { ActivityFailure, ApplicationFailure, CancelledFailure, ChildWorkflowFailure, TemporalFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/workflow';
import { FAILURES, isFailureCode, type FailureCode } from '../contracts/failures.ts';
import type { Pool } from '../contracts/queues.ts';
import type { FailureRecord } from '../contracts/run.ts';

/** Where in a run it happened. */
export type Place = { step: string; pool: Pool };

const record = (code: FailureCode, message: string, extra: Partial<FailureRecord> = {}): FailureRecord => ({
  code,
  message,
  fix: FAILURES[code].fix,
  ...extra,
});

const isRecord = (value: unknown): value is FailureRecord =>
  typeof value === 'object' && value !== null && typeof (value as FailureRecord).code === 'string' && typeof (value as FailureRecord).message === 'string';

/** What really failed, inside of the failures of activities and children that carry it. */
const innermost = (error: unknown): unknown =>
  (error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) && error.cause !== undefined ? innermost(error.cause) : error;

/** The code with which an activity or child failed; null when it was no named failure. */
export const codeOf = (error: unknown): FailureCode | null => {
  const failure = innermost(error);
  if (!(failure instanceof ApplicationFailure)) return null;
  return isFailureCode(failure.type ?? '') ? (failure.type as FailureCode) : null;
};

const ofApplicationFailure = (failure: ApplicationFailure): FailureRecord => {
  const [detail] = failure.details ?? [];
  const code = isFailureCode(failure.type ?? '') ? (failure.type as FailureCode) : 'Internal';
  const known = isRecord(detail) ? detail : record(code, failure.message);
  // A crash arrives here only after its retries, so it is final.
  return known.code === 'TrainerCrashed' ? { ...known, code: 'TrainerFailed', fix: FAILURES.TrainerFailed.fix } : known;
};

const ofTimeout = (failure: TimeoutFailure, place: Place): FailureRecord => {
  if (failure.timeoutType === 'SCHEDULE_TO_START') {
    return record('NoWorkerInPool', `no worker of the pool "${place.pool}" took the step "${place.step}" in time`);
  }
  if (place.step === 'train') return record('TrainerTimedOut', 'the trainer did not end within train.timeoutSeconds');
  const last = failure.cause === undefined ? '' : `; the last error was: ${failure.cause.message}`;
  return record('Internal', `the step "${place.step}" did not end in time (${failure.timeoutType})${last}`);
};

/** The failure as it is stored and shown. */
export const failureRecordOf = (error: TemporalFailure, place: Place): FailureRecord => {
  const cause = innermost(error);
  if (cause instanceof ApplicationFailure) return ofApplicationFailure(cause);
  if (cause instanceof TimeoutFailure) return ofTimeout(cause, place);
  if (cause instanceof TerminatedFailure) {
    const fix = 'Traffic may still be split: look at the deployment, and roll back.';
    return record('Internal', `the workflow of the step "${place.step}" was terminated`, { fix });
  }
  if (error instanceof ChildWorkflowFailure && cause instanceof CancelledFailure) {
    const fix = 'Retry the run from this step.';
    return record('Internal', `the workflow of the step "${place.step}" was cancelled outside of the run`, { fix });
  }
  return record('Internal', cause instanceof Error ? cause.message : error.message);
};

/** One line for an outcome that names a failure as its reason. */
export const reasonOf = (failure: FailureRecord): string => `${failure.code}: ${failure.message}`;

/** The failure with which a workflow ends: its type is the code, its first detail the record. */
export const toWorkflowFailure = (failure: FailureRecord, cause?: Error): ApplicationFailure =>
  ApplicationFailure.create({ message: failure.message, type: failure.code, nonRetryable: true, details: [failure], cause });

/** A named failure that the workflow itself finds. */
export const namedFailure = (code: FailureCode, message: string): ApplicationFailure => toWorkflowFailure(record(code, message));

/** True when a child could not start because its workflow id is taken. The class is not exported to workflows: known by its name. */
export const isAlreadyStarted = (error: unknown): boolean =>
  error instanceof TemporalFailure && error.name === 'WorkflowExecutionAlreadyStartedError';
