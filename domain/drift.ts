/**
 * Drift: how far the live rows of a window are from the training rows, by the population stability index (PSI).
 *
 * The index is computed from bins, so its cost does not depend on the number of rows. Fine bins are joined to groups first:
 * the sampling noise of PSI is about (groups - 1) / rows, and a thousand fine bins over a thousand rows would look like drift.
 */
import type { ReferenceDistribution } from '../contracts/features.ts';
import type { ColumnDrift, MonitorSpec } from '../contracts/monitor.ts';
import type { LiveDistribution } from './ports/monitoring.ts';

/** Deciles, the usual resolution of PSI, at which the rules of thumb (0.1 some drift, 0.2 drift) were made. */
const NUMERIC_GROUPS = 10;

/** A category rarer than this among the training rows shares a group with the other rare ones. */
const RARE_SHARE = 0.02;

/**
 * Rows of prior belief per group, so that a group empty on one side gives a large index and not an infinite one. The live
 * side's prior is "as in training": few rows are little evidence of drift, and no rows are none.
 */
const PRIOR_ROWS = 0.5;

type Groups = { reference: number[]; live: number[] };

const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);

const isCount = (count: number): boolean => Number.isFinite(count) && count >= 0;

/** Joins neighbouring bins until each group holds about a tenth of the training rows; a bin is never split. */
const numericGroups = (reference: number[], live: number[]): Groups => {
  const groups: Groups = { reference: [], live: [] };
  const target = sum(reference) / NUMERIC_GROUPS;
  let seen = 0;
  reference.forEach((count, bin) => {
    const group = target > 0 ? Math.min(NUMERIC_GROUPS - 1, Math.floor((seen + count / 2) / target)) : 0;
    groups.reference[group] = (groups.reference[group] ?? 0) + count;
    groups.live[group] = (groups.live[group] ?? 0) + (live[bin] ?? 0);
    seen += count;
  });
  // A heavy bin skips groups: the holes are no groups.
  return { reference: groups.reference.filter(isCount), live: groups.live.filter(isCount) };
};

/** Every frequent category is a group; the last one joins the rare ones with all values outside of the kept ones. */
const categoricalGroups = (reference: number[], live: number[]): Groups => {
  const total = sum(reference);
  const groups: Groups = { reference: [], live: [] };
  let rareReference = 0;
  let rareLive = 0;
  reference.forEach((count, bin) => {
    const isOther = bin === reference.length - 1;
    if (isOther || count < RARE_SHARE * total) {
      rareReference += count;
      rareLive += live[bin] ?? 0;
    } else {
      groups.reference.push(count);
      groups.live.push(live[bin] ?? 0);
    }
  });
  return { reference: [...groups.reference, rareReference], live: [...groups.live, rareLive] };
};

const requireSameBins = (reference: ReferenceDistribution, live: LiveDistribution): void => {
  const counts = [...reference.counts, reference.missing, ...live.counts, live.missing];
  if (reference.counts.length === live.counts.length && counts.every(isCount)) return;
  throw new RangeError(
    `the column "${reference.column}" has ${reference.counts.length} reference bins and ${live.counts.length} live ones: both need the same bins, with counts of 0 or more`,
  );
};

/**
 * PSI of one column: the sum over groups of (live share - reference share) * ln(live share / reference share). Missing values are
 * a group of their own, so a feed that goes silent is drift. 0 when equal, never negative; 0 when either side has no rows,
 * because nothing was seen that could differ.
 * @throws RangeError when the bins do not belong together
 */
export const populationStabilityIndex = (reference: ReferenceDistribution, live: LiveDistribution): number => {
  requireSameBins(reference, live);
  const join = reference.type === 'numeric' ? numericGroups : categoricalGroups;
  const groups = join(reference.counts, live.counts);
  const referenceCounts = [...groups.reference, reference.missing];
  const liveCounts = [...groups.live, live.missing];
  if (sum(referenceCounts) === 0 || sum(liveCounts) === 0) return 0;
  const prior = PRIOR_ROWS * referenceCounts.length;
  const referenceTotal = sum(referenceCounts) + prior;
  const liveTotal = sum(liveCounts) + prior;
  return referenceCounts.reduce((index, count, group) => {
    const referenceShare = (count + PRIOR_ROWS) / referenceTotal;
    const liveShare = ((liveCounts[group] ?? 0) + prior * referenceShare) / liveTotal;
    return index + (liveShare - referenceShare) * Math.log(liveShare / referenceShare);
  }, 0);
};

/**
 * Drift of a window: each input column on its own, and the share of columns above `columnThreshold`, which is drift from
 * `shareThreshold` on (and never without a drifted column).
 * @throws RangeError when a column of the reference has no live counterpart, or other bins
 */
export const driftOf = (
  references: ReferenceDistribution[],
  lives: LiveDistribution[],
  spec: MonitorSpec['drift'],
): { driftScore: number; drifted: boolean; columns: ColumnDrift[] } => {
  const byColumn = new Map(lives.map((live) => [live.column, live]));
  const columns = references.map((reference) => {
    const live = byColumn.get(reference.column);
    if (live === undefined) throw new RangeError(`the window has no counts of the column "${reference.column}"`);
    const psi = populationStabilityIndex(reference, live);
    return { column: reference.column, psi, drifted: psi > spec.columnThreshold };
  });
  const driftedColumns = columns.filter((column) => column.drifted).length;
  const driftScore = columns.length === 0 ? 0 : driftedColumns / columns.length;
  return { driftScore, drifted: driftedColumns > 0 && driftScore >= spec.shareThreshold, columns };
};
