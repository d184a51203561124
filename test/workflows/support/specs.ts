/** Pipelines and inputs of the tests, through the schemas: what a test does not say has the default of the product. */
import { definePipeline } from '../../../contracts/define-pipeline.ts';
import type { ModelPipelineSpec, PipelineInput, StepsPipelineSpec } from '../../../contracts/pipeline.ts';
import { composeRunId, runWorkflowId } from '../../../contracts/ids.ts';
import type { RolloutInput } from '../../../contracts/rollout.ts';
import { RolloutPlan, type CanaryPlan } from '../../../contracts/rollout-plan.ts';
import type { RunInput } from '../../../contracts/run.ts';
import type { PipelineSpec } from '../../../contracts/pipeline.ts';
import type { z } from 'zod';

type ModelInput = Extract<PipelineInput, { source: unknown }>;

export const twoSteps = {
  steps: [
    { weight: 10, seconds: 60, minimumRequests: 50, maximumSeconds: 600 },
    { weight: 100, seconds: 60, minimumRequests: 50, maximumSeconds: 600 },
  ],
  analysis: { intervalSeconds: 30 },
};

export const modelPipeline = (name: string, changes: Partial<ModelInput> = {}): ModelPipelineSpec =>
  definePipeline({
    name,
    source: { tables: { flights: { files: 'flights/*.parquet' } } },
    checks: [{ kind: 'rowCount', table: 'flights', min: 1 }],
    features: { sql: 'select * from flights', identity: ['id'], eventTime: 'at', label: 'late', columns: [{ name: 'distance', type: 'numeric' }] },
    split: { holdout: { last: 'P1M' } },
    train: { trainer: 'lightgbm' },
    gates: [{ kind: 'threshold', metric: 'rocAuc', min: 0.7 }],
    rollout: twoSteps,
    ...changes,
  }) as ModelPipelineSpec;

export const stepsPipeline = (name: string, count: number): StepsPipelineSpec =>
  definePipeline({ kind: 'steps', name, steps: Array.from({ length: count }, (_, index) => ({ name: `step-${index + 1}`, kind: 'noop' as const })) }) as StepsPipelineSpec;

export const runInput = (spec: PipelineSpec, changes: Partial<RunInput> = {}): RunInput => ({
  runId: composeRunId(spec.name, 'first'),
  pipeline: spec.name,
  pipelineVersion: 1,
  spec,
  trigger: { kind: 'manual', id: 'request-1', reason: 'a test' },
  ...changes,
});

export const workflowIdOf = (input: RunInput): string => runWorkflowId(input.pipeline, input.runId);

export const rolloutPlan = (changes: z.input<typeof CanaryPlan> = {}): RolloutPlan => RolloutPlan.parse({ ...twoSteps, ...changes });

export const strategyPlan = (plan: z.input<typeof RolloutPlan>): RolloutPlan => RolloutPlan.parse(plan);

export const rolloutInput = (model: string, changes: Partial<RolloutInput> = {}): RolloutInput => ({
  model,
  version: 2,
  plan: rolloutPlan(),
  requestedBy: 'a test',
  ...changes,
});
