/** Drift of a window: every column on its own, the model's score, and the share of columns that drifted. */
import type { ColumnDistribution } from '../../contracts/features.ts';
import type { ColumnDrift, DriftSpec, WindowDrift } from '../../contracts/monitor.ts';
import { columnDrift } from './column-drift.ts';
import { isDrift, isPValue } from './methods.ts';
import { benjaminiHochberg } from './multiple-testing.ts';

/** Adjusts the p-values of a window for their number; they decide where the spec says so. */
const correct = (columns: ColumnDrift[], { correction }: DriftSpec): ColumnDrift[] => {
  const tested = columns.filter(({ method, score }) => isPValue(method) && score !== null);
  const adjusted = new Map(benjaminiHochberg(tested.map(({ score }) => score ?? 1)).map((value, index) => [tested[index], value]));
  return columns.map((column) => {
    const value = adjusted.get(column);
    if (value === undefined) return column;
    const drifted = correction === 'none' ? column.drifted : isDrift(column.method, value, column.threshold);
    return { ...column, adjusted: value, drifted };
  });
};

const shareOf = (columns: ColumnDrift[], counts: (column: ColumnDrift) => boolean): number => (columns.length === 0 ? 0 : columns.filter(counts).length / columns.length);

/** The distributions of one side: of the input columns in any order, and of the model's score where it is known. */
export type DriftSide = { columns: ColumnDistribution[]; prediction: ColumnDistribution | null };

/**
 * @throws RangeError when a column of the reference has no live counterpart, or one that cannot be compared
 */
export const driftOf = (reference: DriftSide, current: DriftSide, spec: DriftSpec): WindowDrift => {
  const byColumn = new Map(current.columns.map((live) => [live.column, live]));
  const columns = reference.columns.map((distribution) => {
    const live = byColumn.get(distribution.column);
    if (live === undefined) throw new RangeError(`the window has no counts of the column "${distribution.column}"`);
    return columnDrift(distribution, live, spec);
  });
  const judged = correct(columns, spec);
  const changed = shareOf(judged, (column) => column.drifted || column.missing.drifted);
  const hasPrediction = reference.prediction !== null && current.prediction !== null;
  return {
    driftScore: shareOf(judged, (column) => column.drifted),
    drifted: changed > 0 && changed >= spec.shareThreshold,
    columns: judged,
    prediction: hasPrediction ? columnDrift(reference.prediction!, current.prediction!, spec) : null,
  };
};
