/** Monitoring of a deployed model: windows of the prediction log, drift, quality. */
import { z } from 'zod';
import { ConceptSpec, type ConceptReport } from './concept-drift.ts';
import type { LiveInputs } from './live-inputs.ts';
import { QualitySpec, type EstimatedQuality, type QualityMetric, type WindowQuality } from './quality.ts';

/**
 * How the live values of a column are compared with the reference. `auto` is Evidently's choice: up to 1,000 reference rows a test (two-sample
 * Kolmogorov-Smirnov for numbers with more than 5 values, else chi-square, or Z for two values) whose p-value below 0.05 is drift; above, a distance
 * (Wasserstein in standard deviations for numbers, Jensen-Shannon else) that is drift from 0.1 on. `psi` is the population stability index.
 */
export const DriftMethod = z.enum(['ks', 'chisquare', 'z', 'wasserstein', 'jensenshannon', 'psi']);
export type DriftMethod = z.infer<typeof DriftMethod>;

const DriftMethodChoice = z.union([z.literal('auto'), DriftMethod]);

/**
 * Drift of a window. Each input column, and the score that the model gave, is compared with the reference: the rows that the version was trained on (for
 * the score, the rows it was judged on), or the `windows` windows before (until there is one, the training rows). The drift score is the
 * share of columns that drifted; drift is detected from `shareThreshold` on.
 * `columnThreshold` replaces the default threshold of every test, `columns` method and threshold of one column; a method that is not made for
 * a column's type (`ks` and `wasserstein` are for numbers, `chisquare` and `z` for categories) leaves it at `auto`.
 * A column whose share of missing values moved by `missingThreshold` or more counts as drifted for the window, whatever its values say.
 * `correction: benjaminiHochberg` judges the p-values of a window together, so that of many unchanged columns not one in twenty is reported.
 */
export const DriftSpec = z.strictObject({
  reference: z.enum(['training', 'movingWindow']).default('training'),
  windows: z.number().int().min(1).max(100).default(1),
  method: DriftMethodChoice.default('auto'),
  columnThreshold: z.number().positive().optional(),
  columns: z.record(z.string().max(128), z.strictObject({ method: DriftMethodChoice.optional(), threshold: z.number().positive().optional() })).default({}),
  shareThreshold: z.number().min(0).max(1).default(0.5),
  missingThreshold: z.number().positive().max(1).default(0.1),
  correction: z.enum(['none', 'benjaminiHochberg']).default('none'),
});
export type DriftSpec = z.infer<typeof DriftSpec>;

/**
 * A window closes when it holds `rows` predictions of the champion; the monitor looks every `everySeconds`. Drift: see DriftSpec.
 * Quality: see QualitySpec. `concept` reads the errors of the labelled rows with a detector of concept drift: see ConceptSpec.
 */
export const MonitorSpec = z.strictObject({
  everySeconds: z.number().min(0.5).max(86_400).default(60),
  rows: z.number().int().min(10).max(10_000_000).default(1_000),
  drift: DriftSpec.prefault({}),
  quality: QualitySpec.prefault({}),
  concept: ConceptSpec.optional(),
});
export type MonitorSpec = z.infer<typeof MonitorSpec>;

/**
 * Drift of one column. `score` is null when a side has no values; `drifted` is the verdict of the test alone (Evidently's on the same rows, unless
 * a correction is asked for). `adjusted` is the p-value adjusted for the number of tests in the window, null for distances.
 * `newCategories` are up to 20 values that the reference does not have (of a categorical column), `newShare` the share of live rows with any of them.
 */
export const ColumnDrift = z.strictObject({
  column: z.string(),
  method: DriftMethod,
  score: z.number().nullable(),
  threshold: z.number(),
  adjusted: z.number().nullable(),
  drifted: z.boolean(),
  missing: z.strictObject({ reference: z.number(), current: z.number(), drifted: z.boolean() }),
  newCategories: z.array(z.string()),
  newShare: z.number(),
});
export type ColumnDrift = z.infer<typeof ColumnDrift>;

/**
 * What a window says of drift. `driftScore` is the share of columns whose test says drift; `drifted` also counts the columns whose missing values
 * moved. `prediction` is the drift of the model's score, which does not count in the share; null when nothing is known of the reference's scores.
 */
export type WindowDrift = {
  driftScore: number;
  drifted: boolean;
  columns: ColumnDrift[];
  prediction: ColumnDrift | null;
};

/** One closed window. `quality` is null until enough labels have come; late labels change it, once each. */
export type MonitorWindow = WindowDrift & {
  window: number;
  version: number;
  from: string;
  to: string;
  rows: number;
  labelled: number;
  /** What quality is watched by. */
  metric?: QualityMetric;
  /** That metric over the labels, null until there are enough of them. */
  quality: number | null;
  judgedQuality: number | null;
  qualityDropped: boolean;
  /** Whether labels or, until they come, the estimate said so; null while nothing could. */
  judgedBy?: 'labels' | 'estimate' | null;
  /** The watched metric as the scores promise it; null for one that cannot be estimated. */
  estimatedQuality?: number | null;
  /** What the labels say; absent in a window that a version of before judged, as the rest. */
  performance?: WindowQuality | null;
  estimate?: EstimatedQuality | null;
  concept?: ConceptReport | null;
  inputs?: LiveInputs | null;
};

/** Input of the `modelMonitor` workflow; `cursor` is carried over continue-as-new. */
export type MonitorInput = {
  model: string;
  pipeline: string;
  version: number;
  spec: MonitorSpec;
  resume?: { nextWindow: number; windowsReported: string[] };
};

export type MonitorStatus = {
  model: string;
  version: number;
  windows: number;
  lastWindow: MonitorWindow | null;
  lastDecision: string | null;
};
