/** All metrics by name, whichever task they belong to. */
import type { Task } from '../contracts/features.ts';
import type { Metrics } from '../contracts/model.ts';
import type { MetricName } from '../contracts/metric.ts';
import { CLASSIFICATION_METRICS } from './classification-metrics.ts';
import { REGRESSION_METRICS } from './regression-metrics.ts';
import type { ScoredRows, WeightedMetric } from './weighted-metric.ts';

const METRICS = { ...CLASSIFICATION_METRICS, ...REGRESSION_METRICS };

/** +1 where more is better, -1 where less is better. */
export const DIRECTION: Record<MetricName, 1 | -1> = { rocAuc: 1, logLoss: -1, brier: -1, accuracy: 1, rmse: -1, mae: -1, r2: 1 };

/** An error in units of the label: how much of a change is large is a share of it. */
export const isInLabelUnits = (metric: string): boolean => metric === 'rmse' || metric === 'mae';

/** The metrics that a model of a task is judged by. */
export const metricNamesOf = (task: Task): readonly MetricName[] => Object.keys(task === 'regression' ? REGRESSION_METRICS : CLASSIFICATION_METRICS) as MetricName[];

/** Prepares a metric for many weightings. Null for every weighting when a score is not a finite number. */
export const prepareMetric = (metric: MetricName, rows: ScoredRows): WeightedMetric => (rows.scores.every((score) => Number.isFinite(score)) ? METRICS[metric](rows) : () => null);

/** One metric over all rows. */
export const metricOf = (metric: MetricName, rows: ScoredRows): number | null => prepareMetric(metric, rows)(new Float64Array(rows.groupCount).fill(1));

/** All metrics of a task over all rows. */
export const metricsOf = (task: Task, rows: ScoredRows): Metrics => Object.fromEntries(metricNamesOf(task).map((name) => [name, metricOf(name, rows)]));
