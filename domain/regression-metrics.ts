/** Metrics of regression, defined as in scikit-learn (mean_absolute_error, root_mean_squared_error, r2_score), over rows in weighted groups. */
import type { RegressionMetric } from '../contracts/metric.ts';
import { meanOf, metricOfSums, type ScoredRows, type WeightedMetric } from './weighted-metric.ts';

const squaredError = (score: number, label: number): number => (score - label) ** 2;

const meanLabel = ({ scores, labels }: ScoredRows): number => {
  let sum = 0;
  for (let row = 0; row < scores.length; row += 1) sum += labels[row]!;
  return scores.length === 0 ? 0 : sum / scores.length;
};

/** Deviations are taken from the mean of all rows first: sums of large squares would lose the digits that matter. */
const deviations = (rows: ScoredRows): ((score: number, label: number) => number)[] => {
  const mean = meanLabel(rows);
  return [squaredError, (_score, label) => label - mean, (_score, label) => (label - mean) ** 2];
};

/** Prepares each metric for many weightings; null without rows, and `r2` where all labels are equal. */
export const REGRESSION_METRICS: Record<RegressionMetric, (rows: ScoredRows) => WeightedMetric> = {
  rmse: metricOfSums(() => [squaredError], (sum = 0, rows = 0) => Math.sqrt(sum / rows)),
  mae: meanOf((score, label) => Math.abs(score - label)),
  r2: metricOfSums(deviations, (errors = 0, sum = 0, squares = 0, rows = 0) => 1 - errors / (squares - (sum * sum) / rows)),
};

/** Mean of prediction minus label. */
export const biasOf = (rows: ScoredRows): number | null => meanOf((score, label) => score - label)(rows)(new Float64Array(rows.groupCount).fill(1));
