import type { OverlapPolicy, ScheduleKey, ScheduleSpec, ScheduleState } from '../../contracts/schedule.ts';

/** Temporal's schedules. Each method throws TemporalUnavailable in an outage. */
export interface ScheduleEngine {
  /** Creates the schedule, or brings it to the spec; whether it is paused stays. @throws PerennialFailure ScheduleInvalid */
  put(key: ScheduleKey, spec: ScheduleSpec): Promise<void>;
  /** One that is not there is no error. */
  remove(key: ScheduleKey): Promise<void>;
  /** Undefined when Temporal does not have it. */
  describe(key: ScheduleKey): Promise<ScheduleState | undefined>;
  /** @throws PerennialFailure ScheduleNotFound */
  pause(key: ScheduleKey, note: string): Promise<void>;
  /** @throws PerennialFailure ScheduleNotFound */
  resume(key: ScheduleKey, note: string): Promise<void>;
  /** One tick now, under the schedule's own overlap policy. @throws PerennialFailure ScheduleNotFound */
  trigger(key: ScheduleKey, overlap: OverlapPolicy): Promise<void>;
  /** The ticks of a past time now. @throws PerennialFailure ScheduleNotFound */
  backfill(key: ScheduleKey, period: { from: string; until: string; overlap: OverlapPolicy }): Promise<void>;
  /** The ticks between two instants by Temporal's own calculation, ISO 8601. @throws PerennialFailure ScheduleNotFound */
  ticksBetween(key: ScheduleKey, period: { from: string; until: string }): Promise<string[]>;
}

/** The schedules that are wished for. Each method throws PostgresUnavailable in an outage. */
export interface ScheduleRows {
  /**
   * Does `work` with the wish (null: it is to be gone) while its row is locked, and notes that Temporal has it; an error is noted and thrown.
   * Nothing happens when there is no such row.
   */
  sync(key: ScheduleKey, work: (wish: ScheduleSpec | null) => Promise<void>): Promise<void>;
  /** Schedules that Temporal does not have as they are wished for, those that failed lately left out. */
  unsynced(limit: number): Promise<ScheduleKey[]>;
}
