/**
 * A pipeline: the versioned declaration of a model's whole life, or of a list of built-in steps.
 * Every object is strict: an unknown key is an error, never ignored.
 */
import { z } from 'zod';
import { AlertsSpec } from './alert.ts';
import { DataCheck } from './data-check.ts';
import { ColumnName, FeatureColumn, Task } from './features.ts';
import { MonitorSpec } from './monitor.ts';
import { GateSpec } from './gate.ts';
import { NAME_PATTERN } from './ids.ts';
import { Period } from './period.ts';
import { RolloutPlan } from './rollout-plan.ts';
import { DeclaredSchedules } from './schedule.ts';
import { SearchSpec } from './search.ts';
import { TriggersSpec } from './retraining-policy.ts';

export const Name = z.string().regex(NAME_PATTERN, 'a name: a letter or digit, then letters, digits, ".", "_" or "-", at most 128 characters');

/** A pool name is also a Temporal task queue. */
export const PoolName = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'a pool name: lower-case letters, digits and "-"');

/**
 * Files of one table: paths or globs (`*`, `?`, `**`) on the data workers, inside their allowed folders. Values of `masked` columns are shown nowhere: not in the
 * profile and not in the examples of a check.
 */
export const SourceTable = z.strictObject({
  files: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(10_000)]),
  format: z.enum(['parquet', 'csv']).default('parquet'),
  masked: z.array(z.string().min(1)).max(5_000).optional(),
});

export const SourceSpec = z.strictObject({
  dataset: Name.optional(),
  tables: z.record(ColumnName, SourceTable),
});
export type SourceSpec = z.infer<typeof SourceSpec>;

/**
 * Features: one DuckDB SELECT over the source tables. `identity` and `eventTime` order the rows and are not inputs of the model;
 * `label` is what is predicted: 0 or 1 (or false and true) for the task `binaryClassification`, a finite number for `regression`; null where it is
 * not known: such rows are left out of training.
 */
export const FeaturesSpec = z.strictObject({
  sql: z.string().min(1).max(100_000),
  identity: z.array(ColumnName).min(1),
  eventTime: ColumnName,
  label: ColumnName,
  task: Task.default('binaryClassification'),
  columns: z.array(FeatureColumn).min(1).max(2_000),
});
export type FeaturesSpec = z.infer<typeof FeaturesSpec>;

/**
 * Split by event time. `holdout.last` is an ISO 8601 period of whole months or days (P1M, P14D) at the end of the data;
 * months are calendar months in UTC. `train.last` limits how far back training looks; without it, all before the holdout.
 */
export const SplitSpec = z.strictObject({
  by: z.literal('time').default('time'),
  holdout: z.strictObject({ last: Period }),
  train: z.strictObject({ last: Period.optional() }).optional(),
});
export type SplitSpec = z.infer<typeof SplitSpec>;

export const JsonScalar = z.union([z.string().max(1_000), z.number(), z.boolean()]);

/** A trainer: a built-in one, or any executable that keeps trainers/CONTRACT.md (argv, never a shell). */
export const TrainSpec = z.strictObject({
  trainer: z.union([z.enum(['lightgbm', 'sklearn']), z.strictObject({ command: z.array(z.string().min(1)).min(1).max(20) })]),
  params: z.record(z.string().max(128), JsonScalar).default({}),
  seed: z.number().int().min(0).max(2_147_483_647).default(7),
  threads: z.number().int().min(1).max(64).default(2),
  pool: PoolName.default('cpu'),
  /** Bound on all attempts together, in seconds. */
  timeoutSeconds: z.number().int().min(1).max(604_800).default(3_600),
  /** How long the step may wait for a worker of its pool, in seconds. */
  scheduleToStartSeconds: z.number().int().min(1).max(604_800).default(3_600),
});
export type TrainSpec = z.infer<typeof TrainSpec>;

export { GateSpec };

export const ModelPipelineSpec = z.strictObject({
  kind: z.literal('model').default('model'),
  name: Name,
  description: z.string().max(2_000).optional(),
  owner: z.string().max(200).optional(),
  /** The registered model; by default it has the pipeline's name. */
  model: Name.optional(),
  source: SourceSpec,
  checks: z.array(DataCheck).max(500).default([]),
  features: FeaturesSpec,
  split: SplitSpec,
  train: TrainSpec,
  /** Finds the parameters with which `train` then fits. */
  search: SearchSpec.optional(),
  gates: z.array(GateSpec).max(50).default([]),
  rollout: RolloutPlan.prefault({}),
  monitor: MonitorSpec.optional(),
  triggers: TriggersSpec.prefault({}),
  alerts: AlertsSpec.prefault({}),
  schedule: DeclaredSchedules.optional(),
});
export type ModelPipelineSpec = z.infer<typeof ModelPipelineSpec>;

/** A chain of built-in steps, one after the other; `noop` does nothing and shows what orchestration costs. */
export const StepsPipelineSpec = z.strictObject({
  kind: z.literal('steps'),
  name: Name,
  description: z.string().max(2_000).optional(),
  owner: z.string().max(200).optional(),
  steps: z
    .array(z.strictObject({ name: Name, kind: z.literal('noop'), pool: PoolName.default('data'), scheduleToStartSeconds: z.number().int().min(1).max(604_800).default(3_600) }))
    .min(1)
    .max(100),
  schedule: DeclaredSchedules.optional(),
});
export type StepsPipelineSpec = z.infer<typeof StepsPipelineSpec>;

export const PipelineSpec = z.discriminatedUnion('kind', [ModelPipelineSpec, StepsPipelineSpec]);
export type PipelineSpec = z.infer<typeof PipelineSpec>;

/** The input form of a model pipeline: what a user writes, defaults left out. */
export type PipelineInput = z.input<typeof ModelPipelineSpec> | z.input<typeof StepsPipelineSpec>;

export const modelOf = (spec: ModelPipelineSpec): string => spec.model ?? spec.name;
