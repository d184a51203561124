/** Steps of a monitor: closes windows of the prediction log, and judges them again when labels come. */
import { log } from '@temporalio/activity';
import type { ArtifactRef } from '../contracts/artifact.ts';
import type { MonitorActivities } from '../contracts/activities.ts';
import { FeatureSetManifest, type ReferenceDistribution } from '../contracts/features.ts';
import { CHAMPION } from '../contracts/ids.ts';
import type { MonitorSpec, MonitorWindow } from '../contracts/monitor.ts';
import { metricOf } from '../domain/classification-metrics.ts';
import { driftOf } from '../domain/drift.ts';
import { PerennialFailure } from '../domain/failure.ts';
import { histogramsOf } from '../domain/histogram.ts';
import type { ArtifactStore } from '../domain/ports/artifact-store.ts';
import type { ModelRegistry, VersionRecord } from '../domain/ports/model-registry.ts';
import type { MonitorWindows, PredictionLog, WindowData } from '../domain/ports/monitoring.ts';
import { effect } from './boundary.ts';

export type MonitorPorts = { registry: ModelRegistry; predictions: PredictionLog; windows: MonitorWindows; artifacts: ArtifactStore };

type Input = Parameters<MonitorActivities['evaluateMonitorWindows']>[0];
type Reference = { columns: ReferenceDistribution[]; judgedQuality: number | null };

/** Windows that one call judges again; the rest waits for the next look, which is `everySeconds` away. */
const REJUDGED_AT_ONCE = 5;
/** Columns of a window that the workflow is told of: a history holds summaries, the row in PostgreSQL holds all. */
const COLUMNS_IN_HISTORY = 20;
const CACHED_REFERENCES = 20;
const REMEMBERED_WINDOWS = 10_000;

/** The monitored version never changes, so what live rows are compared with is read once per process. */
const createReferenceReader = ({ registry, artifacts }: MonitorPorts) => {
  const cache = new Map<string, ReferenceDistribution[]>();
  const readColumns = async (manifest: ArtifactRef): Promise<ReferenceDistribution[]> => {
    const known = cache.get(manifest.sha256);
    if (known !== undefined) return known;
    const bytes = await artifacts.get(manifest);
    const { reference } = FeatureSetManifest.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    if (cache.size >= CACHED_REFERENCES) cache.clear();
    cache.set(manifest.sha256, reference);
    return reference;
  };
  const requireVersion = async (model: string, version: number): Promise<VersionRecord> => {
    const record = await registry.version(model, version);
    if (record !== undefined) return record;
    throw new PerennialFailure('ModelVersionNotFound', `${model} has no version ${version} to monitor`);
  };
  return async (model: string, version: number): Promise<Reference> => {
    const { lineage, evaluation } = await requireVersion(model, version);
    return { columns: await readColumns(lineage.featureSetManifest), judgedQuality: evaluation.candidate.rocAuc };
  };
};

const qualityOf = (scored: WindowData['scored'], { metric, minimumLabels }: MonitorSpec['quality']): number | null => {
  if (scored.length < minimumLabels) return null;
  const scores = Float64Array.from(scored, (row) => row.score);
  const labels = Uint8Array.from(scored, (row) => row.label);
  return metricOf(metric, { scores, labels, groups: new Uint32Array(scored.length), groupCount: 1 });
};

const judge = (input: Input, window: number, data: WindowData, reference: Reference): MonitorWindow => {
  const { spec, version } = input;
  const quality = qualityOf(data.scored, spec.quality);
  const { judgedQuality } = reference;
  return {
    window,
    version,
    from: data.from,
    to: data.to,
    rows: data.rows,
    labelled: data.scored.length,
    ...driftOf(reference.columns, data.distributions, spec.drift),
    quality,
    judgedQuality,
    qualityDropped: quality !== null && judgedQuality !== null && judgedQuality - quality > spec.quality.maximumDrop,
  };
};

const summaryOf = (window: MonitorWindow): MonitorWindow => ({
  ...window,
  columns: [...window.columns].sort((first, second) => second.psi - first.psi).slice(0, COLUMNS_IN_HISTORY),
});

/** Reads, judges and saves one window; undefined while it is not full. */
const evaluateWindow = async ({ predictions, windows }: MonitorPorts, input: Input, window: number, reference: Reference): Promise<MonitorWindow | undefined> => {
  const { model, version, spec } = input;
  const data = await predictions.window({ model, version, window, rowsPerWindow: spec.rows, reference: reference.columns });
  if (data === undefined) return undefined;
  const judged = judge(input, window, data, reference);
  await windows.save(model, judged, histogramsOf(reference.columns, data.distributions));
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
