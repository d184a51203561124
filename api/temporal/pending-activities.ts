/** Reads the pending activities of a described workflow: which are waiting, how they get on, why the last attempt failed. */
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { FailureRecord } from '../../contracts/run.ts';
import { recordOfFailure } from './failure-record.ts';

export type Progress = { done: number; total: number; metrics?: Record<string, number>; what?: string };

export type PendingActivity = {
  type: string;
  pool: string;
  /** False while it lies in the queue: before its first attempt, or between two. */
  started: boolean;
  attempt: number;
  scheduledAt: string | null;
  startedAt: string | null;
  heartbeatAt: string | null;
  progress: Progress | null;
  lastFailure: FailureRecord | null;
};

type RawPending = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];
type Timestamp = RawPending['scheduledTime'];

const STARTED = 2;
const CANCEL_REQUESTED = 3;

const instant = (time: Timestamp): string | null =>
  time === undefined || time === null ? null : new Date(Number(time.seconds) * 1_000 + (time.nanos ?? 0) / 1e6).toISOString();

const isProgress = (value: unknown): value is Progress =>
  typeof value === 'object' && value !== null && typeof (value as Progress).done === 'number' && typeof (value as Progress).total === 'number';

/** Heartbeat details are whatever the activity reported; only what is well formed is shown. */
const progressOf = (raw: RawPending): Progress | null => {
  const payload = raw.heartbeatDetails?.payloads?.[0];
  if (payload === undefined) return null;
  try {
    const details = defaultPayloadConverter.fromPayload<{ progress?: unknown } | null>(payload);
    return isProgress(details?.progress) ? details.progress : null;
  } catch {
    return null;
  }
};

const pendingOf = (raw: RawPending): PendingActivity => ({
  type: raw.activityType?.name ?? '',
  pool: raw.activityOptions?.taskQueue?.name ?? '',
  started: raw.state === STARTED || raw.state === CANCEL_REQUESTED,
  attempt: raw.attempt ?? 1,
  scheduledAt: instant(raw.scheduledTime),
  startedAt: instant(raw.lastStartedTime),
  heartbeatAt: instant(raw.lastHeartbeatTime),
  progress: progressOf(raw),
  lastFailure: raw.lastFailure === undefined || raw.lastFailure === null ? null : recordOfFailure(raw.lastFailure),
});

export const pendingActivitiesOf = (description: WorkflowExecutionDescription): PendingActivity[] => (description.raw.pendingActivities ?? []).map(pendingOf);
