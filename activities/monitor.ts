/** Steps of a monitor: closes windows of the prediction log, and judges them again when labels come. */
import { log } from '@temporalio/activity';
import type { ArtifactRef } from '../contracts/artifact.ts';
import type { MonitorActivities } from '../contracts/activities.ts';
import { ColumnDistribution, FeatureSetManifest } from '../contracts/features.ts';
import { CHAMPION } from '../contracts/ids.ts';
import type { ColumnDrift, MonitorSpec, MonitorWindow } from '../contracts/monitor.ts';
import { metricOf } from '../domain/classification-metrics.ts';
import { severityOf } from '../domain/drift/methods.ts';
import { driftOf, type DriftSide } from '../domain/drift/window-drift.ts';
import { PerennialFailure } from '../domain/failure.ts';
import { histogramsOf } from '../domain/histogram.ts';
import type { ArtifactStore } from '../domain/ports/artifact-store.ts';
import type { ModelRegistry, VersionRecord } from '../domain/ports/model-registry.ts';
import type { MonitorWindows, PredictionLog, WindowData } from '../domain/ports/monitoring.ts';
import { effect } from './boundary.ts';

export type MonitorPorts = { registry: ModelRegistry; predictions: PredictionLog; windows: MonitorWindows; artifacts: ArtifactStore };

type Input = Parameters<MonitorActivities['evaluateMonitorWindows']>[0];
/** What a version was trained on and judged with. */
type Reference = { training: DriftSide; judgedQuality: number | null };

/** Windows that one call judges again; the rest waits for the next look, which is `everySeconds` away. */
const REJUDGED_AT_ONCE = 5;
/** Columns of a window that the workflow is told of: a history holds summaries, the row in PostgreSQL holds all. */
const COLUMNS_IN_HISTORY = 20;
const CATEGORIES_IN_HISTORY = 3;
const CACHED_REFERENCES = 20;
const REMEMBERED_WINDOWS = 10_000;

/** The monitored version never changes, so what live rows are compared with is read once per process. */
const createReferenceReader = ({ registry, artifacts }: MonitorPorts) => {
  const cache = new Map<string, DriftSide>();
  const readJson = async (artifact: ArtifactRef): Promise<unknown> => JSON.parse(Buffer.from(await artifacts.get(artifact)).toString('utf8'));
  /** The report may have been cleaned away; the inputs are watched without it. */
  const readScores = async (report: ArtifactRef): Promise<ColumnDistribution | null> => {
    try {
      const { scores } = (await readJson(report)) as { scores?: unknown };
      return scores === undefined ? null : ColumnDistribution.parse(scores);
    } catch (error) {
      if (error instanceof PerennialFailure && error.code === 'ArtifactNotFound') return null;
      throw error;
    }
  };
  const readTraining = async (manifest: ArtifactRef, report: ArtifactRef): Promise<DriftSide> => {
    const key = `${manifest.sha256}/${report.sha256}`;
    const known = cache.get(key);
    if (known !== undefined) return known;
    const { reference } = FeatureSetManifest.parse(await readJson(manifest));
    const training = { columns: reference, prediction: await readScores(report) };
    if (cache.size >= CACHED_REFERENCES) cache.clear();
    cache.set(key, training);
    return training;
  };
  const requireVersion = async (model: string, version: number): Promise<VersionRecord> => {
    const record = await registry.version(model, version);
    if (record !== undefined) return record;
    throw new PerennialFailure('ModelVersionNotFound', `${model} has no version ${version} to monitor`);
  };
  return async (model: string, version: number): Promise<Reference> => {
    const { lineage, evaluation } = await requireVersion(model, version);
    return { training: await readTraining(lineage.featureSetManifest, evaluation.report), judgedQuality: evaluation.candidate.rocAuc };
  };
};

/** The rows with which a window is compared: the first windows of a moving reference have none before them yet. */
const referenceOf = async ({ predictions }: MonitorPorts, { model, version, spec }: Input, window: number, { training }: Reference): Promise<DriftSide> => {
  if (spec.drift.reference === 'training' || window === 0) return training;
  const columns = training.columns.map(({ column, type }) => ({ name: column, type }));
  const first = Math.max(0, window - spec.drift.windows);
  return predictions.earlier({ model, version, from: first * spec.rows, to: window * spec.rows, columns });
};

const qualityOf = (scored: WindowData['scored'], { metric, minimumLabels }: MonitorSpec['quality']): number | null => {
  if (scored.length < minimumLabels) return null;
  const scores = Float64Array.from(scored, (row) => row.score);
  const labels = Uint8Array.from(scored, (row) => row.label);
  return metricOf(metric, { scores, labels, groups: new Uint32Array(scored.length), groupCount: 1 });
};

type Judged = { window: number; data: WindowData; reference: DriftSide; judgedQuality: number | null };

const judge = ({ spec, version }: Input, { window, data, reference, judgedQuality }: Judged): MonitorWindow => {
  const quality = qualityOf(data.scored, spec.quality);
  return {
    window,
    version,
    from: data.from,
    to: data.to,
    rows: data.rows,
    labelled: data.scored.length,
    ...driftOf(reference, data.live, spec.drift),
    quality,
    judgedQuality,
    qualityDropped: quality !== null && judgedQuality !== null && judgedQuality - quality > spec.quality.maximumDrop,
  };
};

const summaryOfColumn = (column: ColumnDrift): ColumnDrift => ({ ...column, newCategories: column.newCategories.slice(0, CATEGORIES_IN_HISTORY) });

const summaryOf = (window: MonitorWindow): MonitorWindow => ({
  ...window,
  prediction: window.prediction === null ? null : summaryOfColumn(window.prediction),
  columns: [...window.columns].sort((first, second) => severityOf(second) - severityOf(first)).slice(0, COLUMNS_IN_HISTORY).map(summaryOfColumn),
});

/** Reads, judges and saves one window; undefined while it is not full. */
const evaluateWindow = async (ports: MonitorPorts, input: Input, window: number, known: Reference): Promise<MonitorWindow | undefined> => {
  const { model, version, spec } = input;
  const reference = await referenceOf(ports, input, window, known);
  const data = await ports.predictions.window({ model, version, window, rowsPerWindow: spec.rows, reference });
  if (data === undefined) return undefined;
  const judged = judge(input, { window, data, reference, judgedQuality: known.judgedQuality });
  await ports.windows.save(model, judged, histogramsOf(reference.columns, data.live.columns));
  return judged;
};

/** An old window that cannot be read any more (its segment was lost, say) must not keep the next one from being closed. */
const rejudge = async (ports: MonitorPorts, input: Input, window: number, reference: Reference): Promise<MonitorWindow | undefined> => {
  try {
    return await evaluateWindow(ports, input, window, reference);
  } catch (error) {
    log.warn('a window could not be judged again', { model: input.model, window, error: String(error) });
    return undefined;
  }
};

/**
 * Remembers what this process has told of each window, so that a window that is judged again without new labels is not told again.
 * A repeated attempt tells everything: the answer of the one before may have been lost.
 */
const createTold = () => {
  const labelled = new Map<string, number>();
  return (input: Input, window: MonitorWindow, attempt: number): boolean => {
    const key = `${input.model}/${window.version}/${window.window}`;
    const isTold = attempt === 1 && labelled.get(key) === window.labelled;
    if (labelled.size >= REMEMBERED_WINDOWS) labelled.clear();
    labelled.set(key, window.labelled);
    return isTold;
  };
};

type Look = { input: Input; attempt: number; reference: Reference; isTold: ReturnType<typeof createTold> };

const evaluate = async (ports: MonitorPorts, { input, attempt, reference, isTold }: Look) => {
  const { model, version, nextWindow } = input;
  const changed: MonitorWindow[] = [];
  for (const window of await ports.windows.awaitingLabels(model, version, REJUDGED_AT_ONCE)) {
    const judged = await rejudge(ports, input, window, reference);
    if (judged !== undefined && !isTold(input, judged, attempt)) changed.push(summaryOf(judged));
  }
  const closed = await evaluateWindow(ports, input, nextWindow, reference);
  if (closed === undefined) return { nextWindow, changed };
  isTold(input, closed, attempt);
  return { nextWindow: nextWindow + 1, changed: [...changed, summaryOf(closed)] };
};

type Decision = Parameters<MonitorActivities['recordMonitorDecision']>[0] & { version?: number };

/** A monitor watches the champion: without a version, the decision is about a window of that one. */
const recordDecision = async ({ registry, windows }: MonitorPorts, { model, version, window, decision }: Decision): Promise<void> => {
  const decided = version ?? (await registry.alias(model, CHAMPION));
  if (decided !== undefined) await windows.recordDecision(model, decided, window, decision);
};

export const createMonitorActivities = (ports: MonitorPorts): Pick<MonitorActivities, 'evaluateMonitorWindows' | 'recordMonitorDecision'> => {
  const readReference = createReferenceReader(ports);
  const isTold = createTold();
  return {
    evaluateMonitorWindows: effect(async (input: Input, { attempt }) =>
      evaluate(ports, { input, attempt, isTold, reference: await readReference(input.model, input.version) }),
    ),
    recordMonitorDecision: effect((input: Decision) => recordDecision(ports, input)),
  };
};
