/** What a monitored version is compared with: the rows that it was trained on, and the held-out rows on which it was judged. */
import type { ArtifactRef } from '../contracts/artifact.ts';
import { ColumnDistribution, FeatureSetManifest, type Task } from '../contracts/features.ts';
import type { Metrics } from '../contracts/model.ts';
import type { MonitorSpec } from '../contracts/monitor.ts';
import type { MetricName } from '../contracts/metric.ts';
import { QualityReference, type QualitySpec } from '../contracts/quality.ts';
import type { DriftSide } from '../domain/drift/window-drift.ts';
import { PerennialFailure } from '../domain/failure.ts';
import type { JudgedVersion } from '../domain/judge-quality.ts';
import type { ArtifactStore } from '../domain/ports/artifact-store.ts';
import type { ModelRegistry, VersionRecord } from '../domain/ports/model-registry.ts';
import type { PredictionLog } from '../domain/ports/monitoring.ts';
import { watchedMetricOf } from '../domain/window-quality.ts';
import { readJson } from './data-ports.ts';

/** `quality` is null for a version whose report is gone, or of before there was one; `judged` are the metrics of its evaluation. */
export type MonitorReference = { training: DriftSide; quality: QualityReference | null; judged: Metrics; task: Task };

type Known = Omit<MonitorReference, 'judged' | 'task'>;

const CACHED_REFERENCES = 20;

/** By the metrics that it was judged by: a report may have been cleaned away. */
const taskOf = (judged: Metrics): Task => ('rmse' in judged ? 'regression' : 'binaryClassification');

/** The monitored version never changes, so what live rows are compared with is read once per process. */
export const createReferenceReader = ({ registry, artifacts }: { registry: ModelRegistry; artifacts: ArtifactStore }) => {
  const cache = new Map<string, Known>();
  /** The report may have been cleaned away, or be of before it had these parts; the inputs are watched without it. */
  const readReport = async (artifact: ArtifactRef): Promise<{ prediction: ColumnDistribution | null; quality: QualityReference | null }> => {
    try {
      const { scores, quality } = (await readJson(artifacts, artifact)) as { scores?: unknown; quality?: unknown };
      return { prediction: scores === undefined ? null : ColumnDistribution.parse(scores), quality: quality === undefined ? null : QualityReference.parse(quality) };
    } catch (error) {
      if (error instanceof PerennialFailure && error.code === 'ArtifactNotFound') return { prediction: null, quality: null };
      throw error;
    }
  };
  const readKnown = async (manifest: ArtifactRef, report: ArtifactRef): Promise<Known> => {
    const key = `${manifest.sha256}/${report.sha256}`;
    const known = cache.get(key);
    if (known !== undefined) return known;
    const { reference } = FeatureSetManifest.parse(await readJson(artifacts, manifest));
    const { prediction, quality } = await readReport(report);
    const read = { training: { columns: reference, prediction }, quality };
    if (cache.size >= CACHED_REFERENCES) cache.clear();
    cache.set(key, read);
    return read;
  };
  const requireVersion = async (model: string, version: number): Promise<VersionRecord> => {
    const record = await registry.version(model, version);
    if (record !== undefined) return record;
    throw new PerennialFailure('ModelVersionNotFound', `${model} has no version ${version} to monitor`);
  };
  return async (model: string, version: number): Promise<MonitorReference> => {
    const { lineage, evaluation } = await requireVersion(model, version);
    return { ...(await readKnown(lineage.featureSetManifest, evaluation.report)), judged: evaluation.candidate, task: taskOf(evaluation.candidate) };
  };
};

/** The value with which a version was judged, by the metric that the monitor watches. */
export const judgedVersionOf = ({ quality, judged, task }: MonitorReference, spec: QualitySpec): JudgedVersion => {
  const metric = watchedMetricOf(spec, task);
  return { task, reference: quality, judged: quality?.metrics[metric] ?? judged[metric as MetricName] ?? null };
};

/** The rows with which the drift of a window is measured: the first windows of a moving reference have none before them yet. */
export const driftReferenceOf = async (
  predictions: PredictionLog,
  { model, version, spec, window }: { model: string; version: number; spec: MonitorSpec; window: number },
  training: DriftSide,
): Promise<DriftSide> => {
  if (spec.drift.reference === 'training' || window === 0) return training;
  const columns = training.columns.map(({ column, type }) => ({ name: column, type }));
  const first = Math.max(0, window - spec.drift.windows);
  return predictions.earlier({ model, version, from: first * spec.rows, to: window * spec.rows, columns });
};
