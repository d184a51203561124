/** Shares by bin or category of the two sides of a column, as Evidently cuts them (evidently.legacy.calculations.stattests.utils.get_binned_data). */
import { binOf } from './binning.ts';
import type { BinnedSample, NumericPair } from './numeric-pair.ts';
import type { CategoryPair } from './proportions.ts';
import type { SharePair } from './share-distances.ts';

/** A reference with at most so many distinct numbers is cut by value. */
const BY_VALUE = 20;

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

export const sharesOfCategories = ({ reference, current }: CategoryPair): SharePair => {
  const [referenceRows, currentRows] = [sum(reference), sum(current)];
  return { reference: reference.map((count) => count / referenceRows), current: current.map((count) => count / currentRows) };
};

/** Each non-empty bin as a category: for an exact pair, each value. */
export const valueCounts = ({ reference, current }: NumericPair): CategoryPair => {
  const counts: CategoryPair = { reference: [], current: [] };
  for (let bin = 0; bin < reference.counts.length; bin += 1) {
    const [left, right] = [reference.counts[bin]!, current.counts[bin]!];
    if (left + right === 0) continue;
    counts.reference.push(left);
    counts.current.push(right);
  }
  return counts;
};

/** Edges of numpy's `histogram_bin_edges(values, 'sturges')` over the values of both sides, which it takes for floating-point numbers. */
const sturgesEdges = ({ reference, current }: NumericPair): number[] => {
  const [first, last] = [Math.min(reference.minimum, current.minimum), Math.max(reference.maximum, current.maximum)];
  const width = (last - first) / (Math.log2(reference.rows + current.rows) + 1);
  if (width === 0) return [first - 0.5, first + 0.5];
  const bins = Math.ceil((last - first) / width);
  return Array.from({ length: bins + 1 }, (_edge, index) => (index === bins ? last : first + index * ((last - first) / bins)));
};

/** Rows with a value below x; inside of a bin they are taken for evenly spread. */
const createRowsBelow = (edges: ArrayLike<number>, sample: BinnedSample, exact: boolean): ((x: number) => number) => {
  const upTo = new Float64Array(edges.length + 1);
  let rows = 0;
  for (let bin = 0; bin <= edges.length; bin += 1) {
    rows += sample.counts[bin]!;
    upTo[bin] = rows;
  }
  return (x) => {
    const bin = binOf(edges, x);
    const before = bin === 0 ? 0 : upTo[bin - 1]!;
    if (exact) return before;
    const from = Math.max(bin === 0 ? -Infinity : edges[bin - 1]!, sample.minimum);
    const to = Math.min(bin === edges.length ? Infinity : edges[bin]!, sample.maximum);
    const share = to > from ? Math.min(1, Math.max(0, (x - from) / (to - from))) : x > to ? 1 : 0;
    return before + share * sample.counts[bin]!;
  };
};

const sharesBetween = (edges: number[], below: (x: number) => number, rows: number): number[] => {
  const cumulative = edges.map((edge, index) => (index === edges.length - 1 ? rows : index === 0 ? 0 : below(edge)));
  return cumulative.slice(1).map((count, index) => (count - cumulative[index]!) / rows);
};

/** By value where the reference has few, else in Sturges' bins. */
export const sharesOfNumbers = (pair: NumericPair): SharePair => {
  if (pair.referenceDistinct <= BY_VALUE) return sharesOfCategories(valueCounts(pair));
  const edges = sturgesEdges(pair);
  const cut = (sample: BinnedSample): number[] => sharesBetween(edges, createRowsBelow(pair.edges, sample, pair.exact), sample.rows);
  return { reference: cut(pair.reference), current: cut(pair.current) };
};
