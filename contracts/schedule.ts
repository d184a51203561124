/** Schedules: when a pipeline runs by the clock. Each is a real Temporal Schedule, which starts `scheduledTrigger` at every tick. */
import { z } from 'zod';
import { NAME_PATTERN } from './ids.ts';

/** As `Name` in pipeline.ts, which imports this file. */
const ScheduleName = z.string().regex(NAME_PATTERN, 'a name: a letter or digit, then letters, digits, ".", "_" or "-", at most 128 characters');

/**
 * What happens to a tick while the run of an earlier one is not over. `skip` drops it and counts it; `bufferOne` keeps one for afterwards,
 * `bufferAll` every one; `cancelOther` cancels the running one and its run first; `allowAll` hands every tick to the ledger, which still
 * runs one after the other. (Temporal's terminating policy is left out: it would leave the run of the terminated tick behind.)
 */
export const OverlapPolicy = z.enum(['skip', 'bufferOne', 'bufferAll', 'cancelOther', 'allowAll']);
export type OverlapPolicy = z.infer<typeof OverlapPolicy>;

const CronText = z.string().min(1).max(200);
const Moment = z.iso.datetime({ offset: true, error: 'an instant such as 2026-01-31T06:00:00Z' });

/**
 * `cron` (5 fields, with a sixth for the year, or 7 with seconds first; `@daily` and its like) in `timeZone` (an IANA name), or `everySeconds` counted from the epoch, moved by
 * `offsetSeconds`: exactly one of the two. `jitterSeconds` delays each tick by a fixed share of that time. A tick that the server missed is
 * taken late within `catchupSeconds` (by default one interval, an hour for cron; Temporal's least is 10), and is counted as missed after it.
 * With `pauseOnFailure` the schedule pauses when the run of a tick has failed.
 */
export const ScheduleSpec = z.strictObject({
  description: z.string().max(500).optional(),
  cron: z.union([CronText, z.array(CronText).min(1).max(20)]).optional(),
  everySeconds: z.number().int().min(1).max(31_536_000).optional(),
  offsetSeconds: z.number().int().min(0).max(31_536_000).optional(),
  timeZone: z.string().min(1).max(64).default('UTC'),
  startAt: Moment.optional(),
  endAt: Moment.optional(),
  jitterSeconds: z.number().int().min(0).max(86_400).default(0),
  overlap: OverlapPolicy.default('skip'),
  catchupSeconds: z.number().int().min(10).max(31_536_000).optional(),
  pauseOnFailure: z.boolean().default(false),
});
export type ScheduleSpec = z.infer<typeof ScheduleSpec>;

/** A schedule in a pipeline: one, or a list of them with a name each. */
export const DeclaredSchedule = z.strictObject({ name: ScheduleName.default('default'), ...ScheduleSpec.shape });
export const DeclaredSchedules = z.union([DeclaredSchedule, z.array(DeclaredSchedule).min(1).max(20)]);

/** The schedules that a pipeline declares, whichever way. */
export const schedulesOf = ({ schedule }: { schedule?: z.infer<typeof DeclaredSchedules> | undefined }): { name: string; spec: ScheduleSpec }[] => {
  const declared = schedule === undefined ? [] : Array.isArray(schedule) ? schedule : [schedule];
  return declared.map(({ name, ...spec }) => ({ name, spec }));
};

export const BackfillRequest = z.strictObject({
  from: Moment,
  until: Moment,
  /** By default every tick of the time counts, one after the other. */
  overlap: OverlapPolicy.default('bufferAll'),
});

export type ScheduleKey = { pipeline: string; name: string };

/**
 * Input of the `scheduledTrigger` workflow. Ticks `perLocalTime` are the same tick when their clocks in `timeZone` show the same: a daily tick in the
 * hour that the end of summer time repeats then counts once. `perInstant` is for ticks that are meant in every hour.
 */
export type TickInput = { pipeline: string; schedule: string; timeZone: string; once: 'perInstant' | 'perLocalTime' };

/** How the run of a tick ended, as far as its schedule cares: a business ending (rejected, rolledBack) has ended well. */
export type RunPresence = 'open' | 'ended' | 'failed' | 'cancelled' | 'absent';

export type TickResult =
  | { outcome: 'ran' | 'coalesced'; triggerId: string; runId: string; run: Exclude<RunPresence, 'open' | 'failed'> }
  | { outcome: 'rejected'; triggerId: string; reason: string };

/** What Temporal says of a schedule. Instants are ISO 8601 in UTC; counts are since it was created. */
export type ScheduleState = {
  paused: boolean;
  note: string | null;
  /** The next ticks, at most ten. */
  next: string[];
  /** The latest ticks, newest last, with the workflow that each started. */
  recent: { scheduledAt: string; takenAt: string; workflowId: string }[];
  running: string[];
  taken: number;
  skippedByOverlap: number;
  missedCatchup: number;
  droppedFromBuffer: number;
};
