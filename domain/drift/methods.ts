/**
 * Which test compares a column, with which threshold, and what its score says: the defaults of Evidently 0.7
 * (evidently.legacy.calculations.stattests.registry and the tests beside it).
 */
import type { ColumnDistribution } from '../../contracts/features.ts';
import type { ColumnDrift, DriftMethod } from '../../contracts/monitor.ts';

/** Up to so many reference rows a significance test decides; above, where any difference is significant, a distance does. */
const SMALL_REFERENCE = 1_000;
/** A number with at most so many distinct values is compared like a category. */
const FEW_VALUES = 5;

/** Scores of these are p-values: small is drift. Of the others, distances, large is drift. */
const P_VALUES: readonly DriftMethod[] = ['ks', 'chisquare', 'z'];
const ONLY_NUMERIC: readonly DriftMethod[] = ['ks', 'wasserstein'];
const ONLY_CATEGORICAL: readonly DriftMethod[] = ['chisquare', 'z'];

export const isPValue = (method: DriftMethod): boolean => P_VALUES.includes(method);

export const defaultThreshold = (method: DriftMethod): number => (isPValue(method) ? 0.05 : 0.1);

/** Whether the method is made for this type of column. */
export const suits = (method: DriftMethod, type: ColumnDistribution['type']): boolean => !(type === 'numeric' ? ONLY_CATEGORICAL : ONLY_NUMERIC).includes(method);

/** `referenceRows` counts the rows with a value; `distinct` the values of both sides together. */
export const defaultMethod = ({ type, referenceRows, distinct }: { type: ColumnDistribution['type']; referenceRows: number; distinct: number }): DriftMethod => {
  const isMeasured = type === 'numeric' && distinct > FEW_VALUES;
  if (referenceRows > SMALL_REFERENCE) return isMeasured ? 'wasserstein' : 'jensenshannon';
  if (isMeasured) return 'ks';
  return distinct > 2 ? 'chisquare' : 'z';
};

/** Evidently's comparisons: at the threshold itself, KS and the distances say drift, chi-square and Z do not. */
export const isDrift = (method: DriftMethod, score: number, threshold: number): boolean => {
  if (!isPValue(method)) return score >= threshold;
  return method === 'ks' ? score <= threshold : score < threshold;
};

/** How far a column drifted, to put the worst first: 1 at the threshold; by the ratio of distances, by the order of magnitude of p-values. */
export const severityOf = ({ method, score, threshold, missing }: Pick<ColumnDrift, 'method' | 'score' | 'threshold' | 'missing'>): number => {
  const ofMissing = missing.drifted ? 1 + Math.abs(missing.current - missing.reference) : 0;
  if (score === null) return ofMissing;
  const ofValues = isPValue(method) ? 1 + Math.log10(threshold / Math.max(score, 1e-300)) : score / threshold;
  return Math.max(ofMissing, ofValues);
};
