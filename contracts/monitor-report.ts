/** What a monitor saw and what came of it, as data for reports: the command line makes a page of it. */
import { z } from 'zod';
import { CalibrationBin, QualityMetric, QualityMetrics } from './quality.ts';

const Instant = z.string().describe('ISO 8601, UTC');

/** One bin: rows of the training data and of the window in it. `label` is a range, a category, `other` or `missing`. */
export const HistogramBin = z.object({ label: z.string(), reference: z.number(), current: z.number() });

/** Training rows against the rows of a window, in at most 20 bins. Numeric bins are in increasing order. */
export const ColumnHistogram = z.object({ column: z.string(), type: z.enum(['numeric', 'categorical']), bins: z.array(HistogramBin) });
export type ColumnHistogram = z.infer<typeof ColumnHistogram>;

/** One column of a window. `score` lies above (for p values: below) `threshold` when it drifted; null where the window does not say. */
export const ReportColumn = z.object({
  column: z.string(),
  method: z.string(),
  score: z.number().nullable(),
  threshold: z.number().nullable(),
  drifted: z.boolean(),
  missing: z.object({ reference: z.number(), current: z.number(), drifted: z.boolean() }).nullable().describe('Shares of missing values.'),
  newCategories: z.array(z.string()).describe('Values that the reference does not have, as far as they are named.'),
  newShare: z.number().nullable().describe('Share of the rows with such a value.'),
  histogram: ColumnHistogram.nullable(),
});
export type ReportColumn = z.infer<typeof ReportColumn>;

export const ReportWindow = z.object({
  window: z.number().int(),
  version: z.number().int(),
  from: Instant,
  to: Instant,
  rows: z.number().int(),
  labelled: z.number().int(),
  driftScore: z.number().describe('Share of the columns whose test says drift.'),
  drifted: z.boolean(),
  quality: z.number().nullable().describe('Null until enough labels have come.'),
  estimatedQuality: z.number().nullable().describe('What the quality is estimated to be until labels come; null without an estimate.'),
  estimatedRange: z.object({ low: z.number(), high: z.number() }).nullable().describe('Within which the estimate lies, by the size of the window.'),
  conceptDrift: z.boolean().nullable().describe('Whether the errors rose, by the detector of concept drift; null where none read the window.'),
  refusedShare: z.number().nullable().describe('Share of the requests that were refused.'),
  unlikeTraining: z.number().nullable().describe('Share of the rows with a value that no training row comes near.'),
  judgedQuality: z.number().nullable().describe('The value with which the version was judged before it was deployed.'),
  qualityDropped: z.boolean(),
  decision: z.string().nullable().describe('What the monitor made of the window.'),
});
export type ReportWindow = z.infer<typeof ReportWindow>;

/** Labelled rows with one value of a column; null where it is missing. */
export const ReportSlice = z.object({ column: z.string(), value: z.string().nullable(), rows: z.number().int(), quality: z.number().nullable() });
export type ReportSlice = z.infer<typeof ReportSlice>;

/** What the labels say of the newest window that has enough of them, beyond its one number. */
export const ReportPerformance = z.object({
  window: z.number().int(),
  version: z.number().int(),
  labelled: z.number().int(),
  quality: z.number().nullable(),
  metrics: QualityMetrics,
  calibration: z.array(CalibrationBin),
  slices: z.array(ReportSlice).describe('The largest first.'),
});
export type ReportPerformance = z.infer<typeof ReportPerformance>;

/** Something that was decided or done: a trigger with what became of it, a run, a rollout, a change of champion. */
export const ReportDecision = z.object({
  at: Instant,
  kind: z.enum(['trigger', 'run', 'rollout', 'promotion', 'alert']),
  title: z.string(),
  detail: z.string().nullable(),
  outcome: z.string().nullable(),
  good: z.boolean().nullable().describe('Whether it ended well; null where that is not known or means nothing.'),
});
export type ReportDecision = z.infer<typeof ReportDecision>;

export const MonitorReport = z
  .object({
    model: z.string(),
    pipeline: z.string().nullable(),
    version: z.number().int().nullable().describe('The version of the window that is shown.'),
    generatedAt: Instant,
    metric: QualityMetric,
    lowerIsBetter: z.boolean().describe('Whether less of the metric is better.'),
    shareThreshold: z.number().nullable().describe('The drift score from which on the window as a whole has drifted.'),
    maximumDrop: z.number().nullable().describe('How far the quality may get worse than the judged one.'),
    dropIsShare: z.boolean().describe('Whether maximumDrop is a share of the judged quality, as it is for errors in units of the label.'),
    window: ReportWindow.nullable().describe('The window whose columns are shown; null before the first one.'),
    columns: z.array(ReportColumn).describe('Drifted ones first, the farthest from their thresholds before the others.'),
    prediction: ReportColumn.nullable().describe("Drift of the model's own score, which does not count in the drift score."),
    performance: ReportPerformance.nullable(),
    windows: z.array(ReportWindow).describe('Oldest first.'),
    decisions: z.array(ReportDecision).describe('Oldest first, since the first of the windows.'),
  })
  .meta({ id: 'MonitorReport' });
export type MonitorReport = z.infer<typeof MonitorReport>;
