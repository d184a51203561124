/** Brings Temporal's schedules to what is declared: the rows are the wish, Temporal has what is. */
import type { ScheduleKey } from '../contracts/schedule.ts';
import type { ScheduleEngine, ScheduleRows } from './ports/schedules.ts';

/**
 * Creates, updates or deletes one schedule of Temporal by its row, which is locked meanwhile: of two at once the later one sees the newer wish.
 * Safe to repeat: every write is absolute.
 * @throws PerennialFailure TemporalUnavailable, ScheduleInvalid, PostgresUnavailable
 */
export const syncSchedule = ({ rows, engine }: { rows: ScheduleRows; engine: ScheduleEngine }, key: ScheduleKey): Promise<void> =>
  rows.sync(key, (wish) => (wish === null ? engine.remove(key) : engine.put(key, wish)));
