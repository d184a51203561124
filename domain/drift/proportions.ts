/** Tests of counts by category: chi-square, and Z for the share of one of two categories. */
import { twoSidedNormal, upperGamma } from './special-functions.ts';

/** Rows of each category, reference and current in the same order; every category has rows on one side at least. */
export type CategoryPair = { reference: number[]; current: number[] };

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/**
 * P-value of Pearson's chi-square of the current counts against those that the reference's shares make one expect (Evidently's form: the reference is
 * taken for the truth). A category that the reference lacks is impossible then: 0.
 */
export const chiSquare = ({ reference, current }: CategoryPair): number => {
  const scale = sum(current) / sum(reference);
  if (reference.length < 2) return 1;
  const statistic = reference.reduce((total, count, category) => {
    const expected = count * scale;
    return total + ((current[category] ?? 0) - expected) ** 2 / expected;
  }, 0);
  return upperGamma((reference.length - 1) / 2, statistic / 2);
};

/** P-value of the two-sided Z test, with pooled variance, that the first category's share is the same on both sides; 1 when there is only one category. */
export const proportionsZ = ({ reference, current }: CategoryPair): number => {
  if (reference.length < 2) return 1;
  const [referenceRows, currentRows] = [sum(reference), sum(current)];
  const [referenceShare, currentShare] = [(reference[0] ?? 0) / referenceRows, (current[0] ?? 0) / currentRows];
  const pooled = ((reference[0] ?? 0) + (current[0] ?? 0)) / (referenceRows + currentRows);
  return twoSidedNormal((referenceShare - currentShare) / Math.sqrt(pooled * (1 - pooled) * (1 / referenceRows + 1 / currentRows)));
};
