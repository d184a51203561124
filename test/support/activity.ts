/** Runs an activity as a worker would, without a server. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

/** Failures are what many tests are about: they belong in their expectations, not in the output. */
const logger = new DefaultLogger('ERROR');

/** @returns the activity's answer. `attempt` counts from 1; `onStart` gets the environment before the activity runs (to cancel it, say) */
export const runActivity = <Input, Output>(
  activity: (input: Input) => Promise<Output>,
  input: Input,
  { attempt = 1, onStart }: { attempt?: number; onStart?: (environment: MockActivityEnvironment) => void } = {},
): Promise<Output> => {
  const environment = new MockActivityEnvironment({ attempt }, { logger });
  onStart?.(environment);
  return environment.run(activity, input) as Promise<Output>;
};
