/** Drift of one column: which test, its score, its verdict. */
import type { CategoricalDistribution, ColumnDistribution, NumericDistribution } from '../../contracts/features.ts';
import type { ColumnDrift, DriftMethod, DriftSpec } from '../../contracts/monitor.ts';
import { categoricalPair, newCategories } from './categorical-pair.ts';
import { kolmogorovSmirnov } from './kolmogorov-smirnov.ts';
import { defaultMethod, defaultThreshold, isDrift, isPValue, suits } from './methods.ts';
import { numericPair, type NumericPair } from './numeric-pair.ts';
import { chiSquare, proportionsZ, type CategoryPair } from './proportions.ts';
import { jensenShannon, stabilityIndex } from './share-distances.ts';
import { sharesOfCategories, sharesOfNumbers, valueCounts } from './shares.ts';
import { normedWasserstein } from './wasserstein.ts';

/** New categories that are named. */
const NAMED_CATEGORIES = 20;

const numericScores: Record<DriftMethod, (pair: NumericPair) => number> = {
  ks: kolmogorovSmirnov,
  wasserstein: normedWasserstein,
  chisquare: (pair) => chiSquare(valueCounts(pair)),
  z: (pair) => proportionsZ(valueCounts(pair)),
  jensenshannon: (pair) => jensenShannon(sharesOfNumbers(pair)),
  psi: (pair) => stabilityIndex(sharesOfNumbers(pair)),
};

const categoricalScores: Record<Exclude<DriftMethod, 'ks' | 'wasserstein'>, (pair: CategoryPair) => number> = {
  chisquare: chiSquare,
  z: proportionsZ,
  jensenshannon: (pair) => jensenShannon(sharesOfCategories(pair)),
  psi: (pair) => stabilityIndex(sharesOfCategories(pair)),
};

const presentRows = ({ counts }: ColumnDistribution): number => counts.reduce((total, count) => total + count, 0);

const missingShare = (distribution: ColumnDistribution): number => {
  const rows = presentRows(distribution) + distribution.missing;
  return rows === 0 ? 0 : distribution.missing / rows;
};

type Comparison = { distinct: number; score(method: DriftMethod): number };

const compareNumbers = (reference: NumericDistribution, current: NumericDistribution): Comparison => {
  const pair = numericPair(reference, current);
  return { distinct: pair.distinct, score: (method) => numericScores[method](pair) };
};

const compareCategories = (reference: CategoricalDistribution, current: CategoricalDistribution): Comparison => {
  const pair = categoricalPair(reference, current);
  return {
    distinct: pair.names.length,
    score: (method) => categoricalScores[method === 'ks' || method === 'wasserstein' ? 'jensenshannon' : method](pair),
  };
};

const compare = (reference: ColumnDistribution, current: ColumnDistribution): Comparison => {
  if (reference.type === 'numeric' && current.type === 'numeric') return compareNumbers(reference, current);
  if (reference.type === 'categorical' && current.type === 'categorical') return compareCategories(reference, current);
  throw new RangeError(`the column "${reference.column}" is ${reference.type} in the reference and ${current.type} in the window`);
};

const methodOf = (reference: ColumnDistribution, distinct: number, spec: DriftSpec): DriftMethod => {
  const { type, column } = reference;
  const asked = spec.columns[column]?.method ?? spec.method;
  if (asked !== 'auto' && suits(asked, type)) return asked;
  return defaultMethod({ type, referenceRows: presentRows(reference), distinct });
};

const requireCounts = ({ column, counts, missing }: ColumnDistribution): void => {
  if (counts.every((count) => count >= 0) && missing >= 0) return;
  throw new RangeError(`the column "${column}" has counts that are no numbers of rows`);
};

/** What is new in the current rows that no test needs: missing values and categories. */
const changesOf = (reference: ColumnDistribution, current: ColumnDistribution, spec: DriftSpec) => {
  const [before, now] = [missingShare(reference), missingShare(current)];
  // The sum of shares like 0.1 rounds: a move of exactly the threshold must count.
  const missing = { reference: before, current: now, drifted: Math.abs(now - before) >= spec.missingThreshold - 1e-12 };
  const news = reference.type === 'categorical' && current.type === 'categorical' ? newCategories(reference, current) : { names: [], rows: 0 };
  const rows = presentRows(current);
  return { missing, newCategories: news.names.slice(0, NAMED_CATEGORIES), newShare: rows === 0 ? 0 : news.rows / rows };
};

/**
 * Drift of one column before any correction.
 * @throws RangeError when the two distributions are not of the same type and bins, or hold counts that are none
 */
export const columnDrift = (reference: ColumnDistribution, current: ColumnDistribution, spec: DriftSpec): ColumnDrift => {
  requireCounts(reference);
  requireCounts(current);
  const { column } = reference;
  const hasValues = presentRows(reference) > 0 && presentRows(current) > 0;
  const comparison = hasValues ? compare(reference, current) : undefined;
  const method = methodOf(reference, comparison?.distinct ?? 0, spec);
  const threshold = spec.columns[column]?.threshold ?? spec.columnThreshold ?? defaultThreshold(method);
  const score = comparison?.score(method) ?? null;
  return {
    column,
    method,
    score,
    threshold,
    adjusted: isPValue(method) ? score : null,
    drifted: score !== null && isDrift(method, score, threshold),
    ...changesOf(reference, current, spec),
  };
};
