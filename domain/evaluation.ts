/** Judges a candidate, and the champion beside it, on the same held-out rows: metrics, comparisons and the full report. */
import type { ColumnDistribution, Task } from '../contracts/features.ts';
import type { Comparison, Metrics } from '../contracts/model.ts';
import type { GateSpec } from '../contracts/gate.ts';
import type { CalibrationBin, QualityReference } from '../contracts/quality.ts';
import { comparePaired, type BootstrapPlan } from './bootstrap.ts';
import type { ColumnCodes } from './column-codes.ts';
import { measureForGates, type RowMeasurements } from './gate-measurements.ts';
import { distributionOfValues } from './drift/binning.ts';
import { calibrationOf } from './calibration.ts';
import { confusionOf, rankRows, type Confusion } from './classification-metrics.ts';
import { metricsOf } from './metrics.ts';
import { qualityReferenceOf } from './performance-estimate/estimate.ts';
import { oneGroup, type ScoredRows } from './weighted-metric.ts';

/** Fixed, so that the same rows and models always give the same interval; recorded in the report. */
export const BOOTSTRAP_SEED = 7;

const MOST_ROC_POINTS = 200;

export type EvaluationInput = {
  task: Task;
  labels: Float64Array;
  /** Day of each row, as a position in `days`. */
  groups: Uint32Array;
  days: string[];
  candidate: Float64Array;
  champion: Float64Array | null;
  plans: BootstrapPlan[];
  /** Columns that the gates name; none by default. */
  columns?: Record<string, ColumnCodes>;
  gates?: readonly GateSpec[];
};

/** Share of negatives (x) and of positives (y) with a score of at least `threshold`. */
export type RocPoint = { threshold: number; falsePositiveRate: number; truePositiveRate: number };

/** `residuals` (prediction minus label) are of a regression; `confusion`, `calibration` and `roc` are null or empty then. */
export type ModelReport = { metrics: Metrics; confusion: Confusion | null; calibration: CalibrationBin[]; roc: RocPoint[]; residuals: ColumnDistribution | null };
/** `positives` is null for a regression. */
export type DayReport = { day: string; rows: number; positives: number | null; candidate: Metrics; champion: Metrics | null };

/** What the artifact `report` of an evaluation holds as JSON. */
export type FullReport = {
  task: Task;
  rows: number;
  positives: number | null;
  bootstrapSeed: number;
  candidate: ModelReport;
  champion: ModelReport | null;
  comparisons: Comparison[];
  measured: RowMeasurements;
  days: DayReport[];
  /** The candidate's scores of these rows: what its live scores are compared with later. */
  scores: ColumnDistribution;
  /** What its live quality is compared with, and estimated from. */
  quality: QualityReference;
};

/** The bootstraps that the gates ask for: one for each champion gate, equal ones once. */
export const plansOf = (gates: GateSpec[]): BootstrapPlan[] => {
  const plans = new Map<string, BootstrapPlan>();
  for (const gate of gates) {
    if (gate.kind !== 'champion' || gate.test === 'mcnemar') continue;
    const { metric, confidence, resamples, cluster } = gate;
    plans.set(`${metric}/${confidence}/${resamples}/${cluster ?? ''}`, { metric, confidence, resamples, seed: BOOTSTRAP_SEED, ...(cluster === undefined ? {} : { cluster }) });
  }
  return [...plans.values()];
};

/** Some of the rows of an evaluation, next to each other. */
export type RowsPart = Pick<EvaluationInput, 'labels' | 'groups' | 'candidate' | 'champion'> & { codes?: Record<string, Uint32Array> };

/** Puts the parts of the rows together again, in their order. */
export const joinRows = (parts: RowsPart[]): RowsPart => {
  const rows = parts.reduce((sum, part) => sum + part.labels.length, 0);
  const hasChampion = parts.some((part) => part.champion !== null);
  const codes = Object.fromEntries(Object.keys(parts[0]?.codes ?? {}).map((name) => [name, new Uint32Array(rows)]));
  const joined = { labels: new Float64Array(rows), groups: new Uint32Array(rows), candidate: new Float64Array(rows), champion: hasChampion ? new Float64Array(rows) : null, codes };
  let at = 0;
  for (const part of parts) {
    joined.labels.set(part.labels, at);
    joined.groups.set(part.groups, at);
    joined.candidate.set(part.candidate, at);
    if (part.champion !== null) joined.champion?.set(part.champion, at);
    for (const [name, column] of Object.entries(codes)) column.set(part.codes![name]!, at);
    at += part.labels.length;
  }
  return joined;
};

const positivesOf = (labels: ArrayLike<number>): number => {
  let positives = 0;
  for (let row = 0; row < labels.length; row += 1) positives += labels[row]!;
  return positives;
};

/** Points of the ROC curve from the highest threshold down, one for each distinct score, thinned to MOST_ROC_POINTS by rank; empty when a class is absent. */
const rocOf = ({ scores, labels }: ScoredRows): RocPoint[] => {
  const positives = positivesOf(labels);
  const negatives = labels.length - positives;
  if (positives === 0 || negatives === 0) return [];
  const order = rankRows(scores);
  const step = Math.max(1, Math.ceil(order.length / MOST_ROC_POINTS));
  const points: RocPoint[] = [];
  let [hits, due] = [0, 0];
  for (let taken = 1; taken <= order.length; taken += 1) {
    const row = order[order.length - taken]!;
    hits += labels[row]!;
    const last = taken === order.length;
    if (!last && scores[order[order.length - taken - 1]!] === scores[row]) continue;
    if (taken < due && !last) continue;
    points.push({ threshold: scores[row]!, falsePositiveRate: (taken - hits) / negatives, truePositiveRate: hits / positives });
    due = taken + step;
  }
  return points;
};

const reportOf = (task: Task, rows: ScoredRows): ModelReport => {
  const metrics = metricsOf(task, rows);
  if (task === 'binaryClassification') return { metrics, confusion: confusionOf(rows), calibration: calibrationOf(rows), roc: rocOf(rows), residuals: null };
  const residuals = distributionOfValues('residual', rows.scores.map((score, row) => score - rows.labels[row]!));
  return { metrics, confusion: null, calibration: [], roc: [], residuals };
};

/** The rows of a model in the clusters that a plan draws. */
const inClusters = (rows: ScoredRows, { cluster }: BootstrapPlan, columns: Record<string, ColumnCodes>): ScoredRows => {
  const column = cluster === undefined ? undefined : columns[cluster];
  return column === undefined ? rows : { ...rows, groups: column.codes, groupCount: column.values.length };
};

const selectRows = ({ scores, labels }: ScoredRows, rows: number[]): ScoredRows =>
  oneGroup(Float64Array.from(rows, (row) => scores[row]!), Float64Array.from(rows, (row) => labels[row]!));

const daysOf = ({ task, days }: EvaluationInput, candidate: ScoredRows, champion: ScoredRows | null): DayReport[] => {
  const rowsByDay: number[][] = days.map(() => []);
  candidate.groups.forEach((group, row) => rowsByDay[group]!.push(row));
  return days.map((day, group) => {
    const rows = rowsByDay[group]!;
    const ofDay = selectRows(candidate, rows);
    return {
      day,
      rows: rows.length,
      positives: task === 'regression' ? null : positivesOf(ofDay.labels),
      candidate: metricsOf(task, ofDay),
      champion: champion === null ? null : metricsOf(task, selectRows(champion, rows)),
    };
  });
};

/** Everything that is measured on the held-out rows. Time grows with rows x resamples: run it where it blocks nobody. */
export const evaluateScores = (input: EvaluationInput): FullReport => {
  const rowsOf = (scores: Float64Array): ScoredRows => ({ scores, labels: input.labels, groups: input.groups, groupCount: input.days.length });
  const candidate = rowsOf(input.candidate);
  const champion = input.champion === null ? null : rowsOf(input.champion);
  const columns = input.columns ?? {};
  return {
    task: input.task,
    rows: input.labels.length,
    positives: input.task === 'regression' ? null : positivesOf(input.labels),
    bootstrapSeed: BOOTSTRAP_SEED,
    candidate: reportOf(input.task, candidate),
    champion: champion === null ? null : reportOf(input.task, champion),
    comparisons: champion === null ? [] : input.plans.map((plan) => comparePaired(plan, inClusters(candidate, plan, columns), inClusters(champion, plan, columns))),
    measured: measureForGates({ ...input, days: { codes: input.groups, values: input.days }, columns, seed: BOOTSTRAP_SEED }, input.gates ?? []),
    days: daysOf(input, candidate, champion),
    scores: distributionOfValues('score', input.candidate),
    quality: qualityReferenceOf(input.task, candidate),
  };
};

/** Largest absolute difference of two lists of the same length, as a share of the largest of the second where that is above 1; NaN when a value is not a number, so that a bound on it fails. */
export const largestDifference = (left: Float64Array, right: Float64Array): number => {
  let [largest, scale] = [0, 1];
  for (let row = 0; row < left.length; row += 1) {
    const difference = Math.abs(left[row]! - right[row]!);
    if (!(difference <= largest)) largest = difference;
    if (Number.isNaN(largest)) return largest;
    scale = Math.max(scale, Math.abs(right[row]!));
  }
  return largest / scale;
};
