/** The one error that our own code throws on purpose: a code of contracts/failures.ts, and what happened in words. */
import { FAILURES, type FailureCode } from '../contracts/failures.ts';
import type { FailureRecord } from '../contracts/run.ts';

/**
 * Thrown by domain, ports and adapters when a named failure happens; activities, API and gateway translate it at their edge.
 * `message` says what is wrong and where, in a form that may be shown to a user: no secret, no stack.
 */
export class PerennialFailure extends Error {
  readonly code: FailureCode;
  readonly fix: string;
  /** The last lines of a trainer's log, at most 20. */
  readonly logTail: string[] | undefined;

  constructor(code: FailureCode, message: string, details: { fix?: string; logTail?: string[]; cause?: unknown } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'PerennialFailure';
    this.code = code;
    this.fix = details.fix ?? FAILURES[code].fix;
    this.logTail = details.logTail?.slice(-20);
  }

  get retryable(): boolean {
    return FAILURES[this.code].retryable;
  }
}

/** A failure as a record to store and show. */
export const failureRecord = (failure: PerennialFailure): FailureRecord => ({
  code: failure.code,
  message: failure.message,
  fix: failure.fix,
  ...(failure.logTail === undefined ? {} : { logTail: failure.logTail }),
});
