/** When a pipeline runs by itself. */
import { z } from 'zod';

/**
 * A hard limit on the runs of a model in the last `periodSeconds`, whoever started them. A run by drift, quality, data or schedule starts only when
 * it fits: fewer than `runs` were started, and the minutes that training took together with the bound of the next one (`train.timeoutSeconds`) are at
 * most `trainMinutes`. So the limit is kept without breaking a training off. What a person starts counts, and is not refused.
 */
export const BudgetSpec = z.strictObject({
  periodSeconds: z.number().int().min(60).max(31_622_400).default(2_592_000),
  runs: z.number().int().min(1).max(100_000).optional(),
  trainMinutes: z.number().positive().max(10_000_000).optional(),
});
export type BudgetSpec = z.infer<typeof BudgetSpec>;

/**
 * What makes a pipeline run by itself. `cooldownSeconds` is the least time between two runs that drift or quality started.
 * Drift in a window whose quality is known to hold does not retrain unless `driftWhenQualityHolds`; with `driftWhenQualityUnknown: false` it does not
 * either while the labels are not there yet: their quality drop will. `unbeatenRetrains` retrains in a row without a new champion are worth an alert.
 */
export const TriggersSpec = z.strictObject({
  drift: z.boolean().default(false),
  driftWhenQualityHolds: z.boolean().default(false),
  driftWhenQualityUnknown: z.boolean().default(true),
  quality: z.boolean().default(true),
  data: z.boolean().default(false),
  cooldownSeconds: z.number().min(0).max(31_536_000).default(3_600),
  budget: BudgetSpec.optional(),
  unbeatenRetrains: z.number().int().min(1).max(1_000).default(3),
});
export type TriggersSpec = z.infer<typeof TriggersSpec>;
