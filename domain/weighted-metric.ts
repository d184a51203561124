/** Rows of one model in groups (days), and metrics of them as functions of the groups' weights: what a bootstrap resamples. */

/** `scores` are what the model answered, `labels` the truth, `groups` the number of each row's group, from 0. */
export type ScoredRows = { scores: Float64Array; labels: ArrayLike<number>; groups: Uint32Array; groupCount: number };

/** Rows that need no groups, as the rows of a single day. */
export const oneGroup = (scores: Float64Array, labels: ArrayLike<number>): ScoredRows => ({ scores, labels, groups: new Uint32Array(scores.length), groupCount: 1 });

/** A metric as a function of group weights; at most one pass over the rows. */
export type WeightedMetric = (weights: Float64Array) => number | null;

/** Null, never NaN, where a metric is not defined. */
export const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Sums of some values per row, by group: what a metric needs that is made of sums. The last one counts the rows. */
const groupSums = ({ scores, labels, groups, groupCount }: ScoredRows, valuesOf: ((score: number, label: number) => number)[]): Float64Array[] => {
  const sums = [...valuesOf, () => 1].map(() => new Float64Array(groupCount));
  const counts = sums.at(-1)!;
  for (let row = 0; row < scores.length; row += 1) {
    const group = groups[row]!;
    for (let index = 0; index < valuesOf.length; index += 1) sums[index]![group]! += valuesOf[index]!(scores[row]!, labels[row]!);
    counts[group]! += 1;
  }
  return sums;
};

const weigh = (weights: Float64Array, sums: Float64Array): number => {
  let total = 0;
  for (let group = 0; group < weights.length; group += 1) total += weights[group]! * sums[group]!;
  return total;
};

/** A metric that is a function of the weighted sums of values per row; the last sum is the number of rows. */
export const metricOfSums =
  (valuesOf: (rows: ScoredRows) => ((score: number, label: number) => number)[], combine: (...sums: number[]) => number) =>
  (rows: ScoredRows): WeightedMetric => {
    const sums = groupSums(rows, valuesOf(rows));
    return (weights) => finite(combine(...sums.map((sum) => weigh(weights, sum))));
  };

/** A metric that is the mean of one value per row. */
export const meanOf = (valueOf: (score: number, label: number) => number): ((rows: ScoredRows) => WeightedMetric) => metricOfSums(() => [valueOf], (sum = 0, rows = 0) => sum / rows);
