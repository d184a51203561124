/** Quality of a deployed model: what the monitor declares, and what it measures of a window. */
import { z } from 'zod';
import { Task } from './features.ts';

/**
 * The first eight are of binary classification, with the decision made at a score of 0.5 and `expectedCalibrationError` over ten bins of the score.
 * The others are of regression; `bias` is the mean of prediction minus label, and only shown.
 */
export const QualityMetric = z.enum(['rocAuc', 'logLoss', 'brier', 'accuracy', 'precision', 'recall', 'f1', 'expectedCalibrationError', 'rmse', 'mae', 'r2', 'bias']);
export type QualityMetric = z.infer<typeof QualityMetric>;

/** Metrics that can be estimated before labels come. */
export const EstimatedMetric = z.enum(['rocAuc', 'accuracy', 'precision', 'recall', 'f1']);
export type EstimatedMetric = z.infer<typeof EstimatedMetric>;

/**
 * `metric` (by default `rocAuc`, for a regression `rmse`) over the labelled rows of a window is compared with its value on the held-out rows; a change
 * for the worse of more than `maximumDrop` (for rmse and mae: of more than this share of the judged error) in a window with at least `minimumLabels` labels is a quality drop. With `estimate`, a window with fewer labels is judged by the
 * estimate instead, until its labels come. `slices` are input columns: quality is also measured for each of their values with at least
 * `minimumSliceRows` labelled rows, the largest first.
 */
export const QualitySpec = z.strictObject({
  metric: QualityMetric.exclude(['bias']).optional(),
  maximumDrop: z.number().min(0).max(1).default(0.05),
  minimumLabels: z.number().int().min(1).default(500),
  estimate: z.boolean().default(false),
  slices: z.array(z.string().min(1).max(128)).max(10).default([]),
  minimumSliceRows: z.number().int().min(1).default(100),
});
export type QualitySpec = z.infer<typeof QualitySpec>;

/** A metric is null where it is not defined: no rows, one class for ROC AUC, no positive decision for precision. */
export const QualityMetrics = z.partialRecord(QualityMetric, z.number().nullable());
export type QualityMetrics = z.infer<typeof QualityMetrics>;

/** Rows whose score lies in [from, to); the last bin holds 1 too. Means are null without rows. */
export const CalibrationBin = z.object({
  from: z.number(),
  to: z.number(),
  rows: z.number().int(),
  meanScore: z.number().nullable(),
  positiveShare: z.number().nullable(),
});
export type CalibrationBin = z.infer<typeof CalibrationBin>;

/** Labelled rows with one value of a column; `value` is null for the rows where it is missing. */
export const SliceQuality = z.object({ column: z.string(), value: z.string().nullable(), rows: z.number().int(), metrics: QualityMetrics });
export type SliceQuality = z.infer<typeof SliceQuality>;

/** When the labels of a window came. Delays are from the answer to the arrival of the label. */
export const LabelTimes = z.object({ firstAt: z.string(), lastAt: z.string(), medianDelaySeconds: z.number() });
export type LabelTimes = z.infer<typeof LabelTimes>;

/** What the labels of a window say, so far. `coverage` is the share of its rows that have labels. */
export const WindowQuality = z.object({
  coverage: z.number(),
  labels: LabelTimes.nullable().describe('Null while there are no labels.'),
  positives: z.number().int().nullable().describe('Null for a regression.'),
  metrics: QualityMetrics,
  calibration: z.array(CalibrationBin).describe('The reliability curve; empty for a regression.'),
  slices: z.array(SliceQuality),
});
export type WindowQuality = z.infer<typeof WindowQuality>;

/** Three standard errors of sampling on either side, within 0 and 1. */
export const EstimatedValue = z.object({ value: z.number(), low: z.number(), high: z.number() });
export type EstimatedValue = z.infer<typeof EstimatedValue>;

/** Quality of all rows of a window as their scores promise it (CBPE). Null where a metric is not defined. */
export const EstimatedQuality = z.object({ rocAuc: EstimatedValue.nullable(), accuracy: EstimatedValue.nullable(), precision: EstimatedValue.nullable(), recall: EstimatedValue.nullable(), f1: EstimatedValue.nullable() });
export type EstimatedQuality = z.infer<typeof EstimatedQuality>;

/** Standard deviation of a metric's contributions on the held-out rows, and the share of rows that contribute. */
const SamplingError = z.object({ deviation: z.number(), share: z.number() });
export type SamplingError = z.infer<typeof SamplingError>;

/**
 * What the monitor needs of the held-out rows on which a version was judged: the metrics, and what estimates of them rest on. `curve` turns
 * scores into probabilities; it is null where they are better as they are, and for a regression, whose quality is not estimated.
 */
export const QualityReference = z.object({
  task: Task.default('binaryClassification'),
  metrics: QualityMetrics,
  curve: z.object({ scores: z.array(z.number()), probabilities: z.array(z.number()) }).nullable(),
  samplingErrors: z.record(EstimatedMetric, SamplingError.nullable()),
});
export type QualityReference = z.infer<typeof QualityReference>;
