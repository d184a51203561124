/** What the end of a trainer means: its exit code, its last words, and why the worker stopped it, if it did. */
import { FAILURES, isFailureCode, type FailureCode } from '../../contracts/failures.ts';
import { PerennialFailure } from '../../domain/failure.ts';

/** How the trainer ended. `error`: it could not be started; `lost`: even the process that watched it was killed. */
export type TrainerEnd = { code: number | null; signal: string | null } | { error: string } | { lost: string };

/** Why the worker ended it before its time. */
export type StopReason = 'asked' | 'deadline' | null;

const EXIT_INTERRUPTED = 75;

type LastWords = { code: string; message: string; fix?: string };

/** The last line of stderr, when it is the JSON object of the contract. */
const lastWordsOf = (stderr: string): LastWords | undefined => {
  const line = stderr.trimEnd().split('\n').at(-1) ?? '';
  try {
    const value: unknown = JSON.parse(line);
    if (value === null || typeof value !== 'object') return undefined;
    const { code, message, fix } = value as Record<string, unknown>;
    if (typeof code !== 'string' || typeof message !== 'string') return undefined;
    return { code, message: message.slice(0, 2_000), ...(typeof fix === 'string' ? { fix: fix.slice(0, 1_000) } : {}) };
  } catch {
    return undefined;
  }
};

/** A trainer may name failures of data and training; no other code of the table is its to give. */
const isItsToGive = (code: string): code is FailureCode => isFailureCode(code) && !FAILURES[code].retryable && FAILURES[code].httpStatus === 422;

const crashMessage = (end: TrainerEnd): string => {
  if ('lost' in end) return `the trainer was lost (${end.lost})`;
  if ('error' in end) return `the trainer could not be started (${end.error})`;
  if (end.signal === 'SIGKILL') return 'the trainer was killed (SIGKILL): often because memory ran out';
  return end.signal === null ? `the trainer ended with exit code ${end.code}` : `the trainer ended with ${end.signal}`;
};

const UNSTARTABLE = new Set(['ENOENT', 'EACCES', 'ENOEXEC', 'ENOTDIR', 'EPERM', 'E2BIG']);

/** The failure of a trainer that ended; undefined when it ended with success. */
export const failureOfEnd = (end: TrainerEnd, about: { stopped: StopReason; command: string; stderr: string; logTail: string[]; seconds: number }): PerennialFailure | undefined => {
  const { stopped, logTail } = about;
  const failure = (code: FailureCode, message: string, fix?: string): PerennialFailure => new PerennialFailure(code, message, { logTail, ...(fix === undefined ? {} : { fix }) });
  if ('code' in end && end.code === 0) return undefined;
  if ('error' in end && UNSTARTABLE.has(end.error)) return failure('TrainerNotFound', `"${about.command}" cannot be started on this worker (${end.error})`);
  if (stopped === 'deadline') return failure('TrainerTimedOut', `the trainer ran longer than ${about.seconds} s`);
  if (stopped === 'asked') return failure('TrainerInterrupted', 'the trainer was stopped');
  const code = 'code' in end ? (end.code ?? -1) : -1;
  if (code === EXIT_INTERRUPTED) return failure('TrainerInterrupted', 'the trainer ended by itself as if it had been stopped (exit code 75)');
  const words = lastWordsOf(about.stderr);
  if (code >= 64 && code <= 78) {
    if (words === undefined) return failure('TrainerRejectedInput', `the trainer refused its input (exit code ${code}) and did not say why`);
    return failure(isItsToGive(words.code) ? words.code : 'TrainerRejectedInput', words.message, words.fix);
  }
  return failure('TrainerCrashed', words === undefined ? crashMessage(end) : `${crashMessage(end)}: ${words.message}`);
};
