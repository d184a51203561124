/** The peer: seven activities one after the other, written as the SDK's own samples are. */
import { proxyActivities } from '@temporalio/workflow';
import type { bareActivities } from './bare-worker.ts';

const { noop } = proxyActivities<typeof bareActivities>({ startToCloseTimeout: '1 minute' });

export const bareRun = async (steps: number): Promise<string> => {
  for (let step = 0; step < steps; step += 1) await noop({ step });
  return 'succeeded';
};
