/**
 * Paired bootstrap by group: whole groups are drawn with replacement, and both models are judged on the same draw.
 *
 * Rows of one day share weather and traffic, so resampling single rows would make an interval that is too narrow.
 */
import type { Comparison } from '../contracts/model.ts';
import type { MetricName } from '../contracts/metric.ts';
import { DIRECTION, prepareMetric } from './metrics.ts';
import { seededRandom } from './random.ts';
import type { ScoredRows, WeightedMetric } from './weighted-metric.ts';

/** `cluster` is the column whose values are drawn; days of the event time without one. */
export type BootstrapPlan = { metric: MetricName; confidence: number; resamples: number; seed: number; cluster?: string };

/** Quantile of values in rising order, linear between neighbours (numpy's default). */
export const quantileOf = (sorted: Float64Array, probability: number): number => {
  const position = probability * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (high - low) * (position - below);
};

/** How often each group was drawn. */
const drawWeights = (weights: Float64Array, random: () => number): void => {
  weights.fill(0);
  for (let draw = 0; draw < weights.length; draw += 1) weights[Math.floor(random() * weights.length)]! += 1;
};

const subtract = (metric: MetricName, candidate: number | null, champion: number | null): number | null => {
  if (candidate === null || champion === null) return null;
  return DIRECTION[metric] === 1 ? candidate - champion : champion - candidate;
};

/** Differences of the resamples in rising order; undefined when one of them is not defined, because the rest would flatter. */
const resample = (plan: BootstrapPlan, groupCount: number, differenceOf: WeightedMetric): Float64Array | undefined => {
  const random = seededRandom(plan.seed);
  const weights = new Float64Array(groupCount);
  const differences = new Float64Array(plan.resamples);
  for (let index = 0; index < plan.resamples; index += 1) {
    drawWeights(weights, random);
    const difference = differenceOf(weights);
    if (difference === null) return undefined;
    differences[index] = difference;
  }
  return differences.sort();
};

/**
 * Compares two models on the same rows: candidate minus champion, sign turned where less is better, with the percentile interval.
 * The interval is null (and a gate on it says no) with fewer than 2 groups, or when the metric is not defined on a resample.
 */
export const comparePaired = (plan: BootstrapPlan, candidate: ScoredRows, champion: ScoredRows): Comparison => {
  const [ofCandidate, ofChampion] = [prepareMetric(plan.metric, candidate), prepareMetric(plan.metric, champion)];
  const differenceOf: WeightedMetric = (weights) => subtract(plan.metric, ofCandidate(weights), ofChampion(weights));
  const groups = candidate.groupCount;
  const differences = groups < 2 ? undefined : resample(plan, groups, differenceOf);
  const tail = (1 - plan.confidence) / 2;
  return {
    metric: plan.metric,
    difference: differenceOf(new Float64Array(groups).fill(1)),
    low: differences === undefined ? null : quantileOf(differences, tail),
    high: differences === undefined ? null : quantileOf(differences, 1 - tail),
    confidence: plan.confidence,
    resamples: plan.resamples,
    groups,
    ...(plan.cluster === undefined ? {} : { cluster: plan.cluster }),
  };
};
