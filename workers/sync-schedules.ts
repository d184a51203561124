/**
 * Brings schedules to Temporal that the API could not: it wrote the wish, and Temporal was away, or the API itself ended in between.
 */
import type { ScheduleEngine, ScheduleRows } from '../domain/ports/schedules.ts';
import { syncSchedule } from '../domain/schedule-sync.ts';
import type { Logger } from './logger.ts';
import { repeat } from './repeat.ts';

const EVERY_MS = 3_000;
const SCHEDULES_AT_ONCE = 50;

export type SchedulePorts = { rows: ScheduleRows; engine: ScheduleEngine };

/** One look at the schedules that Temporal lacks; one that fails does not hold up the others. */
const syncSchedules = async (ports: SchedulePorts, logger: Logger): Promise<void> => {
  for (const key of await ports.rows.unsynced(SCHEDULES_AT_ONCE)) {
    try {
      await syncSchedule(ports, key);
    } catch (error) {
      logger.warn({ ...key, error: String(error) }, 'a schedule could not be brought to Temporal; it is tried again');
    }
  }
};

/** Looks every 3 s until `stop`. */
export const keepSyncingSchedules = (ports: SchedulePorts, logger: Logger): { stop: () => Promise<void> } =>
  repeat(async () => {
    try {
      await syncSchedules(ports, logger);
    } catch (error) {
      logger.warn({ error: String(error) }, 'the wished-for schedules could not be read');
    }
  }, EVERY_MS);
