/** Wraps every activity so that what it uses is measured: the record of its step then says it, whoever writes that. */
import { Context } from '@temporalio/activity';
import type { ResourceMeter } from '../domain/ports/resource-meter.ts';

type Activity = (input: never) => Promise<unknown>;

/** How long the attempt lay in the task queue, in seconds; 0 where the clocks of server and worker disagree. */
const waitingSeconds = (): number => Math.max(0, Date.now() - Context.current().info.currentAttemptScheduledTimestampMs) / 1_000;

/** The same activities, measured. */
export const measured = <Activities extends object>(meter: ResourceMeter, activities: Activities): Activities =>
  Object.fromEntries(
    (Object.entries(activities) as [string, Activity][]).map(([name, activity]) => [
      name,
      (input: never) => meter.measure({ attempt: Context.current().info.attempt, waitingSeconds: waitingSeconds() }, () => activity(input)),
    ]),
  ) as Activities;
