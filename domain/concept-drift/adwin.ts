/**
 * ADWIN, adaptive windowing: A. Bifet, R. Gavaldà, "Learning from Time-Changing Data with Adaptive Windowing", SIAM International Conference on
 * Data Mining 2007, in its second version: an exponential histogram, and the bound with the variance of the window. The variance of joined
 * buckets is that of B. Babcock et al., "Maintaining Variance and k-Medians over Data Stream Windows", PODS 2003.
 *
 * It keeps as long a window of the stream as has one mean. The window is stored as buckets of 1, 2, 4, … values, at most `MOST_BUCKETS` of a size
 * (and one more for a moment), so that a million values are about a hundred numbers. Constants and the order of sums are those of
 * the library river, so that it finds a change at the same value of the stream.
 */
import type { Change } from './change.ts';

export type AdwinParameters = { delta: number };

/** Sums and (unnormalised) variances of the buckets of one size, oldest first; row r has buckets of 2^r values. */
type BucketRow = { totals: number[]; variances: number[] };

export type AdwinState = { rows: BucketRow[]; width: number; total: number; variance: number; ticks: number };

const MOST_BUCKETS = 5;
/** Cuts are looked for at every 32nd value: it costs little delay and saves nearly all of the time. */
const CLOCK = 32;
const GRACE_PERIOD = 10;
const SHORTEST_PART = 5;

export const newAdwin = (): AdwinState => ({ rows: [{ totals: [], variances: [] }], width: 0, total: 0, variance: 0, ticks: 0 });

/** What joining two parts of n and m values with the means a and b adds to the sum of their variances. */
const between = (n: number, a: number, m: number, b: number): number => (n * m * (a - b) * (a - b)) / (n + m);

/** Joins the two oldest buckets of a full row into one of the next row. */
const compress = ({ rows }: AdwinState): void => {
  for (let row = 0; row < rows.length; row += 1) {
    const { totals, variances } = rows[row]!;
    if (totals.length <= MOST_BUCKETS) return;
    if (row + 1 === rows.length) rows.push({ totals: [], variances: [] });
    const next = rows[row + 1]!;
    const [first, second] = totals.splice(0, 2) as [number, number];
    const [firstVariance, secondVariance] = variances.splice(0, 2) as [number, number];
    const size = 2 ** row;
    next.totals.push(first + second);
    next.variances.push(firstVariance + secondVariance + between(size, first / size, size, second / size));
  }
};

const insert = (state: AdwinState, value: number): void => {
  const newest = state.rows[0]!;
  newest.totals.push(value);
  newest.variances.push(0);
  state.width += 1;
  if (state.width > 1) {
    const others = state.width - 1;
    const distance = value - state.total / others;
    state.variance += (others * distance * distance) / state.width;
  }
  state.total += value;
  compress(state);
};

const dropOldest = (state: AdwinState): void => {
  const { rows } = state;
  const oldest = rows.at(-1)!;
  const size = 2 ** (rows.length - 1);
  const total = oldest.totals.shift()!;
  const variance = oldest.variances.shift()!;
  state.width -= size;
  state.total -= total;
  state.variance -= variance + between(size, total / size, state.width, state.total / state.width);
  if (oldest.totals.length === 0) rows.pop();
};

/** Looks at every border between buckets, from the oldest on: whether the means of the two sides differ by more than chance, at confidence delta, lets them. */
const hasCut = ({ rows, width, total, variance }: AdwinState, delta: number): boolean => {
  const logarithm = Math.log((2 * Math.log(width)) / delta);
  let [oldSize, newSize, oldTotal, newTotal] = [0, width, 0, total];
  for (let row = rows.length - 1; row >= 0; row -= 1) {
    const { totals } = rows[row]!;
    const size = 2 ** row;
    for (let bucket = 0; bucket < totals.length; bucket += 1) {
      oldSize += size;
      newSize -= size;
      oldTotal += totals[bucket]!;
      newTotal -= totals[bucket]!;
      if (oldSize < SHORTEST_PART || newSize < SHORTEST_PART) continue;
      const reciprocal = 1 / (oldSize - SHORTEST_PART + 1) + 1 / (newSize - SHORTEST_PART + 1);
      const bound = Math.sqrt(2 * reciprocal * (variance / width) * logarithm) + (2 / 3) * logarithm * reciprocal;
      if (Math.abs(oldTotal / oldSize - newTotal / newSize) > bound) return true;
    }
  }
  return false;
};

/** Adds one value, changes `state` in place, and says whether the mean has changed, and which way. */
export const updateAdwin = (state: AdwinState, value: number, { delta }: AdwinParameters): Change => {
  insert(state, value);
  state.ticks += 1;
  if (state.ticks % CLOCK !== 0 || state.width <= GRACE_PERIOD) return 'none';
  const before = state.total / state.width;
  let isChanged = false;
  while (hasCut(state, delta)) {
    isChanged = true;
    dropOldest(state);
  }
  if (!isChanged) return 'none';
  return state.total / state.width > before ? 'rise' : 'fall';
};
