/** Quality of the labelled rows of a window: all metrics, the reliability curve, and the same per slice. */
import type { Task } from '../contracts/features.ts';
import type { MetricName } from '../contracts/metric.ts';
import type { QualityMetric, QualityMetrics, QualitySpec, SliceQuality } from '../contracts/quality.ts';
import { calibrationOf, expectedCalibrationError } from './calibration.ts';
import { confusionOf } from './classification-metrics.ts';
import { DIRECTION, isInLabelUnits, metricNamesOf, metricsOf } from './metrics.ts';
import { biasOf } from './regression-metrics.ts';
import { oneGroup } from './weighted-metric.ts';

/** Rows of a window that have their labels, in the order of the predictions. */
export type LabelledRows = { scores: Float64Array; labels: ArrayLike<number> };

/** Values of a column by row, as numbers of `values`. */
export type SliceColumn = { column: string; values: (string | null)[]; codes: Uint32Array };

/** More slices than a person reads are left out, the smallest first. */
const MOST_SLICES = 50;

const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

/** All metrics of some rows. Definitions are those of scikit-learn, but null where it warns and gives 0. */
export const qualityMetricsOf = (task: Task, { scores, labels }: LabelledRows): QualityMetrics => {
  if (task === 'regression') return { ...metricsOf(task, oneGroup(scores, labels)), bias: biasOf(oneGroup(scores, labels)) };
  const { truePositives, falsePositives, falseNegatives } = confusionOf({ scores, labels });
  return {
    ...metricsOf(task, oneGroup(scores, labels)),
    precision: ratio(truePositives, truePositives + falsePositives),
    recall: ratio(truePositives, truePositives + falseNegatives),
    f1: ratio(truePositives, truePositives + (falsePositives + falseNegatives) / 2),
    expectedCalibrationError: expectedCalibrationError(calibrationOf({ scores, labels })),
  };
};

/** What quality is watched by, where the declaration does not say. */
export const watchedMetricOf = (spec: Pick<QualitySpec, 'metric'>, task: Task): QualityMetric => spec.metric ?? (task === 'regression' ? 'rmse' : 'rocAuc');

/** What quality can be watched by. */
export const watchableMetricsOf = (task: Task): readonly QualityMetric[] =>
  task === 'regression' ? metricNamesOf(task) : [...metricNamesOf(task), 'precision', 'recall', 'f1', 'expectedCalibrationError'];

const directionOf = (metric: QualityMetric): 1 | -1 => (metric === 'expectedCalibrationError' ? -1 : ((DIRECTION as Partial<Record<QualityMetric, 1 | -1>>)[metric as MetricName] ?? 1));

export const isLowerBetter = (metric: QualityMetric): boolean => directionOf(metric) < 0;

/** By how much a metric is worse than it was when the version was judged, for an error in units of the label as a share of it; negative where it is better. */
export const dropOf = (metric: QualityMetric, judged: number, now: number): number => (directionOf(metric) * (judged - now)) / (isInLabelUnits(metric) && judged !== 0 ? judged : 1);

/** Rows of each value of a column that is large enough to be a slice. */
const rowsBySlice = ({ column, values, codes }: SliceColumn, minimumRows: number): { column: string; value: string | null; rows: Uint32Array }[] => {
  const counts = new Uint32Array(values.length);
  for (const code of codes) counts[code]! += 1;
  const rows = Array.from(counts, (count) => (count >= minimumRows ? new Uint32Array(count) : undefined));
  const filled = new Uint32Array(values.length);
  codes.forEach((code, row) => {
    const slice = rows[code];
    if (slice === undefined) return;
    slice[filled[code]!] = row;
    filled[code]! += 1;
  });
  return rows.flatMap((slice, code) => (slice === undefined ? [] : [{ column, value: values[code] ?? null, rows: slice }]));
};

/** Quality per slice, the largest slices first. */
export const slicesOf = (task: Task, { scores, labels }: LabelledRows, columns: readonly SliceColumn[], { minimumSliceRows }: Pick<QualitySpec, 'minimumSliceRows'>): SliceQuality[] => {
  const slices = columns.flatMap((column) => rowsBySlice(column, minimumSliceRows)).sort((first, second) => second.rows.length - first.rows.length);
  return slices.slice(0, MOST_SLICES).map(({ column, value, rows }) => ({
    column,
    value,
    rows: rows.length,
    metrics: qualityMetricsOf(task, { scores: Float64Array.from(rows, (row) => scores[row]!), labels: Float64Array.from(rows, (row) => labels[row]!) }),
  }));
};
