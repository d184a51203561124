/** How a model pipeline does a step, or takes its output from an earlier run. */
import type { ModelPipelineSpec } from '../contracts/pipeline.ts';
import type { Pool } from '../contracts/queues.ts';
import type { ModelStep, StepContext } from '../contracts/run.ts';
import { positionOf, reusableOutputs } from '../domain/steps.ts';
import type { Approvals } from './approval.ts';
import { quick } from './proxies.ts';
import { enterStep, type RunState } from './run-state.ts';
import { setSearchAttributes } from './search-attributes.ts';

export type ModelRun = {
  state: RunState;
  spec: ModelPipelineSpec;
  /** Outputs of an earlier run that are used again. */
  proven: Partial<Record<ModelStep, unknown>>;
  approvals: Approvals;
};

/** Outputs that a retry uses again; none for a first run. */
export const loadProvenOutputs = async ({ input }: RunState, spec: ModelPipelineSpec): Promise<ModelRun['proven']> => {
  if (input.retryOf === undefined) return {};
  // Without a step to begin from, everything that is proven is used again; the rollout itself is always done anew.
  const before = input.retryFrom ?? 'rollout';
  const outputs = await quick(`outputs of ${input.retryOf}`).loadProvenOutputs({ retryOf: input.retryOf, before });
  return reusableOutputs(outputs, before, spec);
};

/** Does the step, unless its output is proven: then it is skipped, and the record of the earlier run stands for it. */
export const doStep = async <Output>(
  run: ModelRun,
  { name, pool }: { name: ModelStep; pool: Pool },
  work: (context: StepContext) => Promise<Output>,
): Promise<Output> => {
  const proven = run.proven[name];
  if (proven !== undefined) return proven as Output;
  setSearchAttributes({ stage: name });
  return work(enterStep(run.state, { name, position: positionOf(name), pool }));
};
