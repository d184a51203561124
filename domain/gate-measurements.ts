/** What the gates of a pipeline ask of the held-out rows, measured: by slice, by group, and both models' decisions side by side. */
import type { GateMeasurements, GateSpec } from '../contracts/gate.ts';
import type { Task } from '../contracts/features.ts';
import { calibrationOf, expectedCalibrationError } from './calibration.ts';
import type { ColumnCodes } from './column-codes.ts';
import { measureFairness, MOST_GROUPS, type FairnessPlan } from './fairness.ts';
import { mcnemarOf } from './mcnemar.ts';
import { metricOf } from './metrics.ts';
import { oneGroup } from './weighted-metric.ts';

/** Columns of the held-out rows that the gates name. */
export const gateColumnsOf = (gates: readonly GateSpec[]): string[] => [
  ...new Set(gates.flatMap((gate) => [...('column' in gate ? [gate.column] : []), ...('cluster' in gate && gate.cluster !== undefined ? [gate.cluster] : [])])),
];

export type MeasuredRows = {
  task: Task;
  labels: Float64Array;
  candidate: Float64Array;
  champion: Float64Array | null;
  /** The days of the event time: the clusters where a gate names none. */
  days: ColumnCodes;
  columns: Record<string, ColumnCodes>;
  seed: number;
};

export type RowMeasurements = Pick<GateMeasurements, 'slices' | 'fairness' | 'mcnemar' | 'calibrationError'>;

const columnOf = ({ columns }: MeasuredRows, name: string): ColumnCodes => {
  const column = columns[name];
  if (column === undefined) throw new Error(`the column ${name} was not read`);
  return column;
};

const rowsByValue = ({ codes, values }: ColumnCodes): number[][] => {
  const rows: number[][] = values.map(() => []);
  codes.forEach((code, row) => rows[code]!.push(row));
  return rows;
};

const measureSlice = (rows: MeasuredRows, { column, metric }: Extract<GateSpec, { kind: 'slice' }>): RowMeasurements['slices'][number] => {
  const codes = columnOf(rows, column);
  const distinct = codes.values.length;
  if (distinct > MOST_GROUPS) return { column, metric, distinct, values: [] };
  const values = rowsByValue(codes).map((part, index) => {
    const slice = oneGroup(Float64Array.from(part, (row) => rows.candidate[row]!), Float64Array.from(part, (row) => rows.labels[row]!));
    return { value: codes.values[index]!, rows: part.length, metric: metricOf(metric, slice) };
  });
  return { column, metric, distinct, values };
};

/** What a fairness gate asks to be measured; its bounds are judged later. */
export const fairnessPlanOf = ({ column, measure, threshold, minimumRows, cluster, confidence, resamples }: Extract<GateSpec, { kind: 'fairness' }>): FairnessPlan => ({
  column,
  measure,
  threshold,
  minimumRows,
  cluster: cluster ?? null,
  confidence,
  resamples,
});

const fairnessOf = (rows: MeasuredRows, gate: Extract<GateSpec, { kind: 'fairness' }>): RowMeasurements['fairness'][number] => {
  const clusters = gate.cluster === undefined ? rows.days : columnOf(rows, gate.cluster);
  return measureFairness({ labels: rows.labels, scores: rows.candidate }, { groups: columnOf(rows, gate.column), clusters }, { ...fairnessPlanOf(gate), seed: rows.seed });
};

/** Measures what the gates ask for, and nothing else. */
export const measureForGates = (rows: MeasuredRows, gates: readonly GateSpec[]): RowMeasurements => {
  const asksMcnemar = gates.some((gate) => gate.kind === 'champion' && gate.test === 'mcnemar');
  const asksCalibration = gates.some(({ kind }) => kind === 'calibration');
  return {
    slices: gates.flatMap((gate) => (gate.kind === 'slice' ? [measureSlice(rows, gate)] : [])),
    fairness: gates.flatMap((gate) => (gate.kind === 'fairness' ? [fairnessOf(rows, gate)] : [])),
    mcnemar: asksMcnemar && rows.champion !== null ? mcnemarOf({ labels: rows.labels, candidate: rows.candidate, champion: rows.champion }) : null,
    calibrationError: asksCalibration && rows.task === 'binaryClassification' ? expectedCalibrationError(calibrationOf({ scores: rows.candidate, labels: rows.labels })) : null,
  };
};
