/** Hyper-parameter search: what a pipeline declares, its trials, and what it ends with. */
import { z } from 'zod';
import type { ArtifactRef } from './artifact.ts';
import type { SplitWindow } from './features.ts';
import { MetricName } from './metric.ts';
import { Period } from './period.ts';
import type { FailureRecord, StepContext } from './run.ts';

export const ParameterValue = z.union([z.string().max(200), z.number(), z.boolean()]);
export type ParameterValue = z.infer<typeof ParameterValue>;

/**
 * What one parameter may be. `log` draws evenly on a logarithmic scale. `step` of an integer counts from `min`. `points` is how many values a grid takes
 * between `min` and `max`, both of them among these.
 */
export const SearchParameter = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('number'), min: z.number(), max: z.number(), log: z.boolean().default(false), points: z.number().int().min(2).max(100).optional() }),
  z.strictObject({
    type: z.literal('integer'),
    min: z.number().int(),
    max: z.number().int(),
    log: z.boolean().default(false),
    step: z.number().int().min(1).default(1),
    points: z.number().int().min(2).max(100).optional(),
  }),
  z.strictObject({ type: z.literal('categorical'), values: z.array(ParameterValue).min(1).max(50) }),
]);
export type SearchParameter = z.infer<typeof SearchParameter>;

/** Parameters by name; those of `train.params` that are not named here keep their values. */
export const SearchSpace = z.record(z.string().min(1).max(128), SearchParameter);
export type SearchSpace = z.infer<typeof SearchSpace>;

/**
 * A hard limit on the training of all trials together, in minutes, in money (at `pricePerMinute` for a minute of one trial), or both. Each trial reserves
 * `trialMinutes` (by default all of train.timeoutSeconds) before it begins, and is stopped when it has used them up.
 */
export const SearchBudget = z.strictObject({
  minutes: z.number().positive().max(1_000_000).optional(),
  money: z.number().positive().optional(),
  pricePerMinute: z.number().positive().optional(),
  trialMinutes: z.number().min(0.5).max(10_080).optional(),
});
export type SearchBudget = z.infer<typeof SearchBudget>;

export const SearchSpec = z.strictObject({
  space: SearchSpace,
  sampler: z.enum(['grid', 'random', 'tpe']).default('tpe'),
  pruner: z.enum(['none', 'median', 'asha']).default('none'),
  trials: z.number().int().min(1).max(1_000).default(20),
  /** Trials that run side by side; the sampler decides them together, from the trials before them. */
  parallel: z.number().int().min(1).max(50).default(2),
  /** By default logLoss, and for a regression rmse. */
  metric: MetricName.optional(),
  /** By default that of `train`. */
  seed: z.number().int().min(0).max(2_147_483_647).optional(),
  /** The rows at the end of the training window on which trials are judged; by default a period as long as the holdout. The holdout itself stays unseen. */
  validation: z.strictObject({ last: Period }).optional(),
  budget: SearchBudget.optional(),
});
export type SearchSpec = z.infer<typeof SearchSpec>;

export type TrialParams = Record<string, ParameterValue>;

/** Ends of a trial; `pruned` and `cancelled` are cancelled workflows: the one by the pruner, the other with its search or at its reservation. */
export type TrialEnd = 'succeeded' | 'pruned' | 'failed' | 'cancelled';
export type TrialState = 'running' | TrialEnd;

/** An intermediate value of the search's metric: `rung` is the number of the place in training at which it was measured, from 0. */
export type TrialReport = { number: number; rung: number; value: number };

/** A trial that has ended, as the sampler sees it. `value` is of the search's metric; of a pruned trial it is that of its last rung. */
export type FinishedTrial = { number: number; params: TrialParams; state: TrialEnd; value: number | null; rung: number | null };

/** Training rows cut in two by time: trials are fitted on the first part and judged on the second. */
export type SearchRows = { fit: ArtifactRef; validation: ArtifactRef; fitRows: number; validationRows: number; split: SplitWindow };

/** What a trial's workflow needs; the pipeline itself is read by its version, so that histories stay small. */
export type TrialInput = {
  context: StepContext;
  number: number;
  params: TrialParams;
  rows: SearchRows;
  metric: MetricName;
  /** Places in training at which the metric is reported, as shares of it; empty without a pruner. */
  rungs: number[];
  pool: string;
  scheduleToStartSeconds: number;
  /** Training time that the trial may use over all its attempts. */
  seconds: number;
};

export type TrialOutcome =
  | { kind: 'succeeded'; value: number; seconds: number }
  | { kind: 'failed'; failure: FailureRecord; seconds: number }
  | { kind: 'reservationUsed'; seconds: number };

/** A finished trial for continue-as-new: number, end, value, rung, then the values of the parameters in the order of their names. */
export type PackedTrial = [number: number, state: TrialEnd, value: number | null, rung: number | null, ...values: ParameterValue[]];

/** Where a search stands between two batches of trials: what continue-as-new carries on. */
export type SearchProgress = { finished: PackedTrial[]; reports: [number: number, rung: number, value: number][]; spentSeconds: number; rows: SearchRows };

/** Bound on trials x (parameters + rungs + 2), so that a progress stays below 64 KiB. */
export const MOST_SEARCH_NUMBERS = 3_000;

export type SearchInput = {
  context: StepContext;
  featureSet: { train: ArtifactRef; trainRows: number };
  search: SearchSpec;
  metric: MetricName;
  seed: number;
  validation: string;
  train: { pool: string; timeoutSeconds: number; scheduleToStartSeconds: number };
  resume?: SearchProgress;
};

/** Why a search ended: all trials were made, or no further one fitted into the budget. */
export type SearchOutcome = {
  metric: MetricName;
  sampler: SearchSpec['sampler'];
  seed: number;
  best: { trial: number; value: number; params: TrialParams };
  trials: number;
  succeeded: number;
  pruned: number;
  failed: number;
  cancelled: number;
  endedBy: 'trials' | 'budget';
  trainedSeconds: number;
  rows: SearchRows;
};

/** Answer of the `status` query of a search. */
export type SearchStatus = { trials: number; finished: number; running: number[]; best: SearchOutcome['best'] | null; spentSeconds: number };
