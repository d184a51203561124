/**
 * One-pass counting of numbers into bins: distributions of any number of rows in bounded memory. Counts of parts of the rows in the same bins add
 * up to the counts of the whole.
 */
import type { NumericDistribution } from '../../contracts/features.ts';

/** Up to so many distinct values a distribution keeps each of them. */
export const EXACT_VALUES = 2_000;
/** Rows from which the edges for more values are taken; the counts themselves are of all rows. */
export const SAMPLED_ROWS = 50_000;
/** Edges at equally frequent values, for the resolution where the rows are, and at equal distances, for that of the tails. */
const QUANTILE_EDGES = 512;
const EQUAL_EDGES = 256;
/** Cells of the table that leads from a value to its bin. */
const GUIDE_CELLS = 4_096;

const bits = new DataView(new ArrayBuffer(8));

/** The next smaller double. */
const nextBelow = (value: number): number => {
  if (value === 0) return -Number.MIN_VALUE;
  bits.setFloat64(0, value);
  bits.setBigInt64(0, bits.getBigInt64(0) + (value > 0 ? -1n : 1n));
  return bits.getFloat64(0);
};

const ascending = (left: number, right: number): number => left - right;

/** For ascending distinct values: edges that give each value a bin that holds nothing else. */
export const atomEdges = (values: readonly number[]): number[] => ascendingOnce(values.flatMap((value) => [nextBelow(value), value]));

/** Number of edges below the value: its bin. `from` and `to` are bounds that are known already. */
export const binOf = (edges: ArrayLike<number>, value: number, from = 0, to = edges.length): number => {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (edges[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
};

export type Range = { minimum: number; maximum: number };

/** Edges at equal distances over the range, its ends among them. */
export const equalEdges = ({ minimum, maximum }: Range): number[] =>
  Array.from({ length: EQUAL_EDGES + 1 }, (_edge, index) => (index === EQUAL_EDGES ? maximum : minimum * (1 - index / EQUAL_EDGES) + maximum * (index / EQUAL_EDGES)));

export const ascendingOnce = (edges: readonly number[]): number[] => [...new Set(edges)].sort(ascending);

/**
 * Edges for a column with many values. A value that is frequent on its own (a sensor's stop, a default) gets its own bin, or it would be
 * spread over the width of one.
 */
export const edgesOfSample = (sample: Float64Array, range: Range): number[] => {
  const sorted = sample.slice().sort();
  const edges = equalEdges(range);
  let previous: number | undefined;
  for (let index = 1; index < QUANTILE_EDGES; index += 1) {
    const value = sorted[Math.floor((index * sorted.length) / QUANTILE_EDGES)];
    if (value === undefined) break;
    if (value === previous) edges.push(nextBelow(value));
    edges.push(value);
    previous = value;
  }
  return ascendingOnce(edges);
};

/** For each of equal cells of the range, between which bins a value of it lies: the search there is a step or two. */
const createGuide = (edges: Float64Array) => {
  const [first = 0, last = 0] = [edges[0], edges.at(-1)];
  const scale = last > first ? GUIDE_CELLS / (last - first) : 0;
  const low = new Uint32Array(GUIDE_CELLS + 1);
  const high = new Uint32Array(GUIDE_CELLS + 1).fill(edges.length);
  for (let cell = 1; cell <= GUIDE_CELLS && scale > 0; cell += 1) {
    // A cell to each side more than needed, because the division rounds.
    low[cell] = binOf(edges, first + (cell - 1) / scale);
    if (cell < GUIDE_CELLS - 1) high[cell] = binOf(edges, first + (cell + 2) / scale);
  }
  return { first, scale, low, high };
};

export type BinCounter = {
  /** Counts the numbers; NaN and infinity count as missing. */
  add(values: ArrayLike<number>): void;
  addMissing(rows: number): void;
  result(column: string): NumericDistribution;
};

/** Counts numbers in the given bins, and their mean and deviation by Welford's method. */
export const createBinCounter = (givenEdges: readonly number[]): BinCounter => {
  const edges = Float64Array.from(givenEdges);
  const counts = new Float64Array(edges.length + 1);
  const gaps = new Float64Array(edges.length + 1);
  const guide = createGuide(edges);
  const state = { rows: 0, mean: 0, squares: 0, minimum: Infinity, maximum: -Infinity, missing: 0 };
  const lastEdge = edges.length - 1;

  const find = (value: number): number => {
    const position = (value - guide.first) * guide.scale;
    const cell = position <= 0 ? 0 : position >= GUIDE_CELLS ? GUIDE_CELLS : position | 0;
    return binOf(edges, value, guide.low[cell], guide.high[cell]);
  };

  const add = (values: ArrayLike<number>): void => {
    let { rows, mean, squares, minimum, maximum, missing } = state;
    for (let index = 0; index < values.length; index += 1) {
      const value = values[index]!;
      if (!Number.isFinite(value)) {
        missing += 1;
        continue;
      }
      const bin = find(value);
      counts[bin]! += 1;
      gaps[bin]! += lastEdge < 0 ? 0 : Math.abs(value - edges[bin > lastEdge ? lastEdge : bin]!);
      rows += 1;
      const distance = value - mean;
      mean += distance / rows;
      squares += distance * (value - mean);
      if (value < minimum) minimum = value;
      if (value > maximum) maximum = value;
    }
    Object.assign(state, { rows, mean, squares, minimum, maximum, missing });
  };

  return {
    add,
    addMissing: (rows) => {
      state.missing += rows;
    },
    result: (column) => ({
      type: 'numeric',
      column,
      exact: false,
      edges: [...edges],
      counts: [...counts],
      gaps: [...gaps],
      missing: state.missing,
      minimum: state.rows === 0 ? null : state.minimum,
      maximum: state.rows === 0 ? null : state.maximum,
      deviation: state.rows === 0 ? 0 : Math.sqrt(state.squares / state.rows),
    }),
  };
};

/** The distribution of values that are all kept. `values` ascend, with one count each. */
export const exactDistribution = (column: string, { values, counts, missing }: { values: readonly number[]; counts: readonly number[]; missing: number }): NumericDistribution => {
  const rows = counts.reduce((sum, count) => sum + count, 0);
  const mean = values.reduce((sum, value, index) => sum + (value * counts[index]!) / rows, 0);
  const variance = values.reduce((sum, value, index) => sum + ((value - mean) ** 2 * counts[index]!) / rows, 0);
  return {
    type: 'numeric',
    column,
    exact: true,
    edges: [...values],
    counts: [...counts, 0],
    gaps: new Array<number>(values.length + 1).fill(0),
    missing,
    minimum: values[0] ?? null,
    maximum: values.at(-1) ?? null,
    deviation: rows === 0 ? 0 : Math.sqrt(variance),
  };
};

/** Distribution of numbers that are in memory. `edges`: the bins to use where they have too many distinct values to keep. */
export const distributionOfValues = (column: string, values: Float64Array, edges?: readonly number[]): NumericDistribution => {
  const present = values.filter(Number.isFinite).sort();
  const missing = values.length - present.length;
  const distinct: number[] = [];
  const counts: number[] = [];
  for (const value of present) {
    // -0 is 0.
    if (value === distinct.at(-1)) counts[counts.length - 1]! += 1;
    else {
      distinct.push(value);
      counts.push(1);
    }
  }
  if (distinct.length <= EXACT_VALUES) return exactDistribution(column, { values: distinct, counts, missing });
  const step = Math.max(1, Math.ceil(present.length / SAMPLED_ROWS));
  const sample = present.filter((_value, index) => index % step === 0);
  const counter = createBinCounter(edges ?? edgesOfSample(sample, { minimum: present[0]!, maximum: present.at(-1)! }));
  counter.add(present);
  counter.addMissing(missing);
  return counter.result(column);
};
