/** The run ledger of a worker: adds to the end of each step what its attempt used, and tells the worker's metrics. */
import type { AttemptUse } from '../contracts/resources.ts';
import type { StepContext } from '../contracts/run.ts';
import type { ResourceMeter } from '../domain/ports/resource-meter.ts';
import type { RunLedger } from '../domain/ports/run-ledger.ts';

export type AttemptEnd = { context: StepContext; outcome: 'succeeded' | 'failed' | 'cancelled'; use: AttemptUse };

/** Steps whose rows other activities write: what those use is not theirs. */
const UNMEASURED_STEPS: ReadonlySet<string> = new Set(['search', 'gate', 'rollout']);

export const createMeteredLedger = (ledger: RunLedger, meter: Pick<ResourceMeter, 'current'>, onEnd: (end: AttemptEnd) => void): RunLedger => {
  const useOf = ({ step }: StepContext): AttemptUse | undefined => (UNMEASURED_STEPS.has(step) ? undefined : meter.current());
  const tell = (context: StepContext, outcome: AttemptEnd['outcome'], use: AttemptUse | undefined): void => {
    if (use !== undefined) onEnd({ context, outcome, use });
  };
  return {
    ...ledger,
    finishStep: async (context, output) => {
      const use = useOf(context);
      await ledger.finishStep(context, output, use);
      tell(context, 'succeeded', use);
    },
    failStep: async (context, failure, state) => {
      const use = useOf(context);
      tell(context, state, use);
      await ledger.failStep(context, failure, state, use);
    },
  };
};
