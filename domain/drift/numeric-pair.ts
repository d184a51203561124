/** Two numeric distributions over the same bins, and how one is brought there. */
import type { NumericDistribution } from '../../contracts/features.ts';
import { ascendingOnce, atomEdges, binOf, equalEdges, type Range } from './binning.ts';

/** `counts` and `gaps` by bin, as in the distribution. */
export type BinnedSample = { rows: number; counts: ArrayLike<number>; gaps: ArrayLike<number>; minimum: number; maximum: number };

/** `distinct` and `referenceDistinct` are Infinity where there are more values than a distribution keeps. */
export type NumericPair = {
  edges: ArrayLike<number>;
  reference: BinnedSample;
  current: BinnedSample;
  /** Every value of both sides is an edge. */
  exact: boolean;
  deviation: number;
  distinct: number;
  referenceDistinct: number;
};

const sum = (numbers: ArrayLike<number>): number => {
  let total = 0;
  for (let index = 0; index < numbers.length; index += 1) total += numbers[index]!;
  return total;
};

const sampleOf = ({ counts, gaps, minimum, maximum }: NumericDistribution): BinnedSample => ({
  rows: sum(counts),
  counts,
  gaps,
  minimum: minimum ?? NaN,
  maximum: maximum ?? NaN,
});

/** Puts the values of an exact distribution in other bins. */
const project = (distribution: NumericDistribution, edges: ArrayLike<number>): BinnedSample => {
  const counts = new Float64Array(edges.length + 1);
  const gaps = new Float64Array(edges.length + 1);
  distribution.edges.forEach((value, index) => {
    const bin = binOf(edges, value);
    const count = distribution.counts[index] ?? 0;
    counts[bin]! += count;
    gaps[bin]! += count * Math.abs(value - edges[Math.min(bin, edges.length - 1)]!);
  });
  return { ...sampleOf(distribution), counts, gaps };
};

/** Puts the bins of a distribution among edges that hold its own and others beyond its range; undefined when they do not. */
const embed = (distribution: NumericDistribution, edges: ArrayLike<number>): BinnedSample | undefined => {
  const own = distribution.edges;
  const offset = own[0] === undefined ? -1 : binOf(edges, own[0]);
  if (offset < 0 || own.some((edge, index) => edges[offset + index] !== edge)) return undefined;
  const counts = new Float64Array(edges.length + 1);
  const gaps = new Float64Array(edges.length + 1);
  counts.set(distribution.counts, offset);
  gaps.set(distribution.gaps, offset);
  return { ...sampleOf(distribution), counts, gaps };
};

/** All numbers of two ascending lists, ascending, each once. */
const union = (left: readonly number[], right: readonly number[]): number[] => {
  const merged: number[] = [];
  let [l, r] = [0, 0];
  while (l < left.length || r < right.length) {
    const [first = Infinity, second = Infinity] = [left[l], right[r]];
    merged.push(Math.min(first, second));
    if (first <= second) l += 1;
    if (second <= first) r += 1;
  }
  return merged;
};

/**
 * Edges into which rows of this range must be counted to be compared with a distribution: its own, where it is exact such that each of its values has a
 * bin of its own, and others where it has no rows.
 */
export const comparisonEdges = (reference: NumericDistribution, { minimum, maximum }: Range): number[] => {
  const [first, last] = [reference.minimum ?? minimum, reference.maximum ?? maximum];
  const even = equalEdges({ minimum: Math.min(first, minimum), maximum: Math.max(last, maximum) });
  if (reference.exact) return ascendingOnce([...atomEdges(reference.edges), ...even]);
  return ascendingOnce([...reference.edges, ...even.filter((edge) => edge < first || edge > last)]);
};

const mismatch = ({ column }: NumericDistribution): RangeError => new RangeError(`the column "${column}" was counted in bins that are not those of its reference`);

/** @throws RangeError when the current side was counted in bins that do not belong to the reference */
export const numericPair = (reference: NumericDistribution, current: NumericDistribution): NumericPair => {
  const { deviation } = reference;
  const referenceDistinct = reference.exact ? reference.edges.length : Infinity;
  if (reference.exact && current.exact) {
    const edges = union(reference.edges, current.edges);
    return { edges, reference: project(reference, edges), current: project(current, edges), exact: true, deviation, distinct: edges.length, referenceDistinct };
  }
  const edges = current.exact ? comparisonEdges(reference, { minimum: current.minimum ?? 0, maximum: current.maximum ?? 0 }) : current.edges;
  const before = reference.exact ? project(reference, edges) : embed(reference, edges);
  if (before === undefined) throw mismatch(reference);
  return { edges, reference: before, current: current.exact ? project(current, edges) : sampleOf(current), exact: false, deviation, distinct: Infinity, referenceDistinct };
};

/** Difference of the two shares of values up to each edge, reference minus current. */
export const shareDifferences = ({ edges, reference, current }: NumericPair): Float64Array => {
  const differences = new Float64Array(edges.length);
  let [left, right] = [0, 0];
  for (let index = 0; index < edges.length; index += 1) {
    left += reference.counts[index]!;
    right += current.counts[index]!;
    differences[index] = left / reference.rows - right / current.rows;
  }
  return differences;
};
