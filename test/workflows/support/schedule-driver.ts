/**
 * A workflow of the tests: it does what a Temporal Schedule with the overlap policy `skip` does, at given times, because the time-skipping server has no
 * schedules. Its bundle is its own, so that nothing of it ships.
 */
import { condition, ParentClosePolicy, sleep, startChild } from '@temporalio/workflow';
import type { TickInput } from '../../../contracts/schedule.ts';

export type DriverInput = { tick: TickInput; workflowId: string; taskQueue: string; times: string[] };

export const scheduleDriver = async ({ tick, workflowId, taskQueue, times }: DriverInput): Promise<{ taken: string[]; skipped: string[] }> => {
  const taken: string[] = [];
  const skipped: string[] = [];
  let isRunning = false;
  const end = (): void => {
    isRunning = false;
  };
  for (const time of times) {
    await sleep(Math.max(1, Date.parse(time) - Date.now()));
    if (isRunning) {
      skipped.push(time);
      continue;
    }
    isRunning = true;
    const options = { workflowId: `${workflowId}-${time}`, taskQueue, args: [tick], parentClosePolicy: ParentClosePolicy.ABANDON };
    const child = await startChild('scheduledTrigger', options);
    child.result().then(end, end);
    taken.push(time);
  }
  // The test server stumbles over a child that outlives its parent.
  await condition(() => !isRunning);
  return { taken, skipped };
};
