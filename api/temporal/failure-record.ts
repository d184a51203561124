/** Reads failures as the Temporal server stores them back into records of contracts/failures.ts. */
import { defaultPayloadConverter, type ProtoFailure } from '@temporalio/common';
import { FAILURES, isFailureCode, type FailureCode } from '../../contracts/failures.ts';
import type { FailureRecord } from '../../contracts/run.ts';

const TIMEOUT_SCHEDULE_TO_START = 2;

const record = (code: FailureCode, message: string): FailureRecord => ({ code, message, fix: FAILURES[code].fix });

/** Our own activities put the whole record into the details. */
const detailsOf = (failure: ProtoFailure): FailureRecord | undefined => {
  const payload = failure.applicationFailureInfo?.details?.payloads?.[0];
  if (payload === undefined) return undefined;
  try {
    const details = defaultPayloadConverter.fromPayload<Partial<FailureRecord> | null>(payload);
    if (typeof details?.code !== 'string' || typeof details.message !== 'string') return undefined;
    const fix = typeof details.fix === 'string' ? details.fix : '';
    return { code: details.code, message: details.message, fix, ...(Array.isArray(details.logTail) ? { logTail: details.logTail.map(String).slice(-20) } : {}) };
  } catch {
    return undefined;
  }
};

/** The record of a failure; the innermost cause that has a code of ours speaks. */
export const recordOfFailure = (failure: ProtoFailure): FailureRecord => {
  const details = detailsOf(failure);
  if (details !== undefined) return details;
  const type = failure.applicationFailureInfo?.type ?? '';
  if (isFailureCode(type)) return record(type, failure.message ?? '');
  if (failure.timeoutFailureInfo?.timeoutType === TIMEOUT_SCHEDULE_TO_START) return record('NoWorkerInPool', 'no worker took the step within its scheduleToStart limit');
  if (failure.cause !== undefined && failure.cause !== null) return recordOfFailure(failure.cause);
  return record('Internal', failure.message ?? '');
};
