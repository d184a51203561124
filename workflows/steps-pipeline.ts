/**
 * A pipeline of built-in steps. The steps write the rows of the run themselves, and the last one ends it: one activity per
 * step and nothing else, because this path shows what orchestration by Perennial costs.
 */
import type { StepsPipelineSpec } from '../contracts/pipeline.ts';
import type { RunOutcome } from '../contracts/run.ts';
import { noop } from './proxies.ts';
import { enterStep, type RunState } from './run-state.ts';

export const runStepsPipeline = async (state: RunState, spec: StepsPipelineSpec): Promise<RunOutcome> => {
  const outcome: RunOutcome = { kind: 'succeeded' };
  for (const [position, { name, pool, scheduleToStartSeconds }] of spec.steps.entries()) {
    const isLast = position === spec.steps.length - 1;
    const context = enterStep(state, { name, position, pool, ...(isLast ? { finishesRun: outcome } : {}) });
    await noop({ summary: name, pool, scheduleToStartSeconds }).noop({ context });
  }
  return outcome;
};
