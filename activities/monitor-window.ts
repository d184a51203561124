/** One window of a monitor: read, judged in every way, saved. */
import type { MonitorActivities } from '../contracts/activities.ts';
import type { LiveInputs } from '../contracts/live-inputs.ts';
import type { ColumnDrift, MonitorWindow } from '../contracts/monitor.ts';
import { isReadable, readWindow } from '../domain/concept-drift/detector.ts';
import { severityOf } from '../domain/drift/methods.ts';
import { driftOf, type DriftSide } from '../domain/drift/window-drift.ts';
import { histogramsOf } from '../domain/histogram.ts';
import { judgeQuality } from '../domain/judge-quality.ts';
import { liveInputsOf } from '../domain/live-inputs.ts';
import type { ConceptRecord, InputRefusals, MonitorWindows, PredictionLog, WindowData } from '../domain/ports/monitoring.ts';
import { driftReferenceOf, judgedVersionOf, type MonitorReference } from './monitor-reference.ts';

export type WindowPorts = { predictions: PredictionLog; windows: MonitorWindows; refusals: InputRefusals };

export type MonitorLook = Parameters<MonitorActivities['evaluateMonitorWindows']>[0];

/** What the workflow is told of a window: a history holds summaries, the row in PostgreSQL holds all. */
const COLUMNS_IN_HISTORY = 20;
const CATEGORIES_IN_HISTORY = 3;
const SLICES_IN_HISTORY = 10;
const REFUSALS_IN_HISTORY = 10;

type Seen = { window: number; data: WindowData; drift: DriftSide; refusals: LiveInputs['refusals'] };

const judge = ({ spec, version }: MonitorLook, { window, data, drift, refusals }: Seen, reference: MonitorReference): MonitorWindow => ({
  window,
  version,
  from: data.from,
  to: data.to,
  rows: data.rows,
  ...driftOf(drift, data.live, spec.drift),
  ...judgeQuality(judgedVersionOf(reference, spec.quality), data, spec.quality),
  inputs: liveInputsOf(reference.training.columns, data, refusals),
});

const summaryOfColumn = (column: ColumnDrift): ColumnDrift => ({ ...column, newCategories: column.newCategories.slice(0, CATEGORIES_IN_HISTORY) });

export const summaryOf = (window: MonitorWindow): MonitorWindow => ({
  ...window,
  prediction: window.prediction === null ? null : summaryOfColumn(window.prediction),
  columns: [...window.columns].sort((first, second) => severityOf(second) - severityOf(first)).slice(0, COLUMNS_IN_HISTORY).map(summaryOfColumn),
  performance: window.performance && { ...window.performance, calibration: [], slices: window.performance.slices.slice(0, SLICES_IN_HISTORY) },
  inputs: window.inputs && { ...window.inputs, refusals: window.inputs.refusals.slice(0, REFUSALS_IN_HISTORY), columns: [] },
});

/** What the detector of concept drift reads of a window, if it is its turn and its labels have come; or what it read before. */
const readConcept = async (windows: MonitorWindows, { model, version, spec }: MonitorLook, window: number, data: WindowData): Promise<ConceptRecord | undefined> => {
  if (spec.concept === undefined) return undefined;
  const kept = await windows.concept(model, version, window);
  if (kept !== undefined) return kept;
  const before = window === 0 ? undefined : await windows.concept(model, version, window - 1);
  const isNext = window === 0 || before !== undefined;
  const closed = { rows: data.rows, labelled: data.labelled.labels.length, closedAtMs: Date.parse(data.to) };
  return isNext && isReadable(spec.concept, closed, Date.now()) ? readWindow(spec.concept, before?.state, data.labelled) : undefined;
};

/** Reads, judges and saves one window; undefined while it is not full. */
export const evaluateWindow = async ({ predictions, windows, refusals }: WindowPorts, look: MonitorLook, window: number, reference: MonitorReference): Promise<MonitorWindow | undefined> => {
  const { model, version, spec } = look;
  const { training, task } = reference;
  const drift = await driftReferenceOf(predictions, { model, version, spec, window }, training);
  const data = await predictions.window({ model, version, task, window, rowsPerWindow: spec.rows, reference: drift, training: training.columns, slices: spec.quality.slices });
  if (data === undefined) return undefined;
  const refused = await refusals.ofWindow({ model, version, window, to: data.to });
  const judged = judge(look, { window, data, drift, refusals: refused }, reference);
  const concept = await windows.save(model, judged, { histograms: histogramsOf(drift.columns, data.live.columns), concept: await readConcept(windows, look, window, data) });
  return { ...judged, concept: concept?.report ?? null };
};
