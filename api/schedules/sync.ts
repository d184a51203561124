/** Brings what was just written to Temporal, as far as Temporal answers; what is left is the worker's. */
import type { ScheduleKey } from '../../contracts/schedule.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import { syncSchedule } from '../../domain/schedule-sync.ts';
import type { ApiContext } from '../http/app-types.ts';

const isAway = (error: unknown): boolean => error instanceof PerennialFailure && error.code === 'TemporalUnavailable';

/** @returns whether Temporal has it now. @throws PerennialFailure ScheduleInvalid */
export const syncOne = async ({ schedules }: ApiContext, key: ScheduleKey): Promise<boolean> => {
  try {
    await syncSchedule(schedules, key);
    return true;
  } catch (error) {
    if (!isAway(error)) throw error;
    return false;
  }
};

/** Each schedule of an apply in turn; what cannot be brought is a warning, because the pipeline itself is applied. */
export const syncAll = async (context: ApiContext, pipeline: string, names: readonly string[]): Promise<string[]> => {
  for (const [index, name] of names.entries()) {
    try {
      if (!(await syncOne(context, { pipeline, name }))) return [`Temporal does not answer: ${names.slice(index).join(', ')} will be brought there when it does.`];
    } catch (error) {
      if (!(error instanceof PerennialFailure)) throw error;
      return [`The schedule "${name}" is not in effect: ${error.message}`, ...(await syncAll(context, pipeline, names.slice(index + 1)))];
    }
  }
  return [];
};
