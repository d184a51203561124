/** How unlike the groups of a column are decided on: the group metrics of fairlearn, with a bootstrap interval over clusters of rows. */
import type { FairnessMeasure, GateMeasurements, GroupRates } from '../contracts/gate.ts';
import { quantileOf } from './bootstrap.ts';
import type { ColumnCodes } from './column-codes.ts';
import { seededRandom } from './random.ts';

/** Values of a column beyond which it makes no groups. */
export const MOST_GROUPS = 100;

type Measurement = GateMeasurements['fairness'][number];

export type FairnessPlan = Pick<Measurement, 'column' | 'measure' | 'threshold' | 'minimumRows' | 'cluster' | 'confidence' | 'resamples'>;

/** Rows, positives, selected, true positives and false positives of a group. */
const COUNTS = 5;
type Counts = { rows: number; positives: number; selected: number; truePositives: number; falsePositives: number };

const share = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);

const ratesOf = ({ rows, positives, selected, truePositives, falsePositives }: Counts): Pick<GroupRates, 'selectionRate' | 'truePositiveRate' | 'falsePositiveRate'> => ({
  selectionRate: share(selected, rows),
  truePositiveRate: share(truePositives, positives),
  falsePositiveRate: share(falsePositives, rows - positives),
});

type Rates = ReturnType<typeof ratesOf>;

/** Smallest and largest of a rate; null where a group has none. */
const range = (groups: readonly Rates[], rate: keyof Rates): { least: number; most: number } | null => {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const group of groups) {
    const value = group[rate];
    if (value === null) return null;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return groups.length < 2 ? null : { least, most };
};

const difference = (groups: readonly Rates[], rate: keyof Rates): number | null => {
  const found = range(groups, rate);
  return found === null ? null : found.most - found.least;
};

const MEASURES: Record<FairnessMeasure, (groups: readonly Rates[]) => number | null> = {
  demographicParityDifference: (groups) => difference(groups, 'selectionRate'),
  disparateImpact: (groups) => {
    const found = range(groups, 'selectionRate');
    return found === null || found.most === 0 ? null : found.least / found.most;
  },
  equalOpportunityDifference: (groups) => difference(groups, 'truePositiveRate'),
  equalizedOddsDifference: (groups) => {
    const [right, wrong] = [difference(groups, 'truePositiveRate'), difference(groups, 'falsePositiveRate')];
    return right === null || wrong === null ? null : Math.max(right, wrong);
  },
};

/** Counts by cluster and group, one after the other: what a resample is made of. */
const countRows = (rows: { labels: ArrayLike<number>; scores: Float64Array }, { groups, clusters, threshold }: { groups: ColumnCodes; clusters: ColumnCodes; threshold: number }): Float64Array => {
  const counts = new Float64Array(clusters.values.length * groups.values.length * COUNTS);
  for (let row = 0; row < rows.labels.length; row += 1) {
    const at = (clusters.codes[row]! * groups.values.length + groups.codes[row]!) * COUNTS;
    const [isPositive, isSelected] = [rows.labels[row]!, rows.scores[row]! >= threshold ? 1 : 0];
    counts[at]! += 1;
    counts[at + 1]! += isPositive;
    counts[at + 2]! += isSelected;
    counts[at + 3]! += isPositive * isSelected;
    counts[at + 4]! += (1 - isPositive) * isSelected;
  }
  return counts;
};

/** Counts of each group under weights of the clusters. */
const weigh = (counts: Float64Array, groupCount: number, weights: Float64Array): Counts[] =>
  Array.from({ length: groupCount }, (_, group) => {
    const sums = [0, 0, 0, 0, 0];
    for (let cluster = 0; cluster < weights.length; cluster += 1) {
      const at = (cluster * groupCount + group) * COUNTS;
      for (let count = 0; count < COUNTS; count += 1) sums[count]! += weights[cluster]! * counts[at + count]!;
    }
    const [rows = 0, positives = 0, selected = 0, truePositives = 0, falsePositives = 0] = sums;
    return { rows, positives, selected, truePositives, falsePositives };
  });

/** The percentile interval over resampled clusters; nulls where a resample has no value. */
const intervalOf = (clusterCount: number, plan: FairnessPlan & { seed: number }, valueOf: (weights: Float64Array) => number | null): { low: number | null; high: number | null } => {
  const none = { low: null, high: null };
  if (clusterCount < 2) return none;
  const random = seededRandom(plan.seed);
  const [weights, values] = [new Float64Array(clusterCount), new Float64Array(plan.resamples)];
  for (let index = 0; index < plan.resamples; index += 1) {
    weights.fill(0);
    for (let draw = 0; draw < clusterCount; draw += 1) weights[Math.floor(random() * clusterCount)]! += 1;
    const value = valueOf(weights);
    if (value === null) return none;
    values[index] = value;
  }
  values.sort();
  const tail = (1 - plan.confidence) / 2;
  return { low: quantileOf(values, tail), high: quantileOf(values, 1 - tail) };
};

/** Measures one plan on the rows of one model; groups below `minimumRows` are shown, and are no part of the value. */
export const measureFairness = (
  rows: { labels: ArrayLike<number>; scores: Float64Array },
  columns: { groups: ColumnCodes; clusters: ColumnCodes },
  plan: FairnessPlan & { seed: number },
): Measurement => {
  const { seed: _seed, ...asked } = plan;
  const { groups, clusters } = columns;
  const distinct = groups.values.length;
  if (distinct > MOST_GROUPS) return { ...asked, distinct, value: null, low: null, high: null, groups: [] };
  const counts = countRows(rows, { ...columns, threshold: plan.threshold });
  const all = weigh(counts, distinct, new Float64Array(clusters.values.length).fill(1));
  const isLarge = all.map((group) => group.rows >= plan.minimumRows);
  const valueOf = (weights: Float64Array): number | null => MEASURES[plan.measure](weigh(counts, distinct, weights).filter((_, group) => isLarge[group]).map(ratesOf));
  const shown = all.map((group, index) => ({ value: groups.values[index]!, rows: group.rows, positives: group.positives, ...ratesOf(group) }));
  return { ...asked, distinct, value: MEASURES[plan.measure](all.filter((_, group) => isLarge[group]).map(ratesOf)), ...intervalOf(clusters.values.length, plan, valueOf), groups: shown };
};
