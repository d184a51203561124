/** What a monitored version is compared with: its training rows, and the held-out rows on which it was judged. */
import type { ArtifactRef } from '../contracts/artifact.ts';
import { FeatureSetManifest, type ReferenceDistribution } from '../contracts/features.ts';
import type { Metrics } from '../contracts/model.ts';
import type { MetricName } from '../contracts/pipeline.ts';
import { MonitoringPart, type QualityMetric, type QualityReference } from '../contracts/quality.ts';
import { PerennialFailure } from '../domain/failure.ts';
import type { JudgedVersion } from '../domain/judge-quality.ts';
import type { ArtifactStore } from '../domain/ports/artifact-store.ts';
import type { ModelRegistry, VersionRecord } from '../domain/ports/model-registry.ts';

/** `quality` is null for a version whose report is gone, or of before there was one; `judged` are the metrics of its evaluation. */
export type MonitorReference = { columns: ReferenceDistribution[]; quality: QualityReference | null; judged: Metrics };

const CACHED_REFERENCES = 20;

/** Reads JSON that never changes once per process. */
const createJsonReader = <T>(artifacts: ArtifactStore, parse: (json: unknown) => T): ((artifact: ArtifactRef) => Promise<T>) => {
  const cache = new Map<string, T>();
  return async (artifact) => {
    const known = cache.get(artifact.sha256);
    if (known !== undefined) return known;
    const value = parse(JSON.parse(Buffer.from(await artifacts.get(artifact)).toString('utf8')));
    if (cache.size >= CACHED_REFERENCES) cache.clear();
    cache.set(artifact.sha256, value);
    return value;
  };
};

/** An evaluation whose report is not there any more is no reason to watch nothing. */
const orNull = async <T>(reading: Promise<T>): Promise<T | null> => {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof PerennialFailure && error.code === 'ArtifactNotFound') return null;
    throw error;
  }
};

/** The reader throws ModelVersionNotFound for a version that is not registered, and the failures of the store. */
export const createReferenceReader = ({ registry, artifacts }: { registry: ModelRegistry; artifacts: ArtifactStore }) => {
  const readManifest = createJsonReader(artifacts, (json) => FeatureSetManifest.parse(json));
  const readReport = createJsonReader(artifacts, (json) => MonitoringPart.parse(json));
  const requireVersion = async (model: string, version: number): Promise<VersionRecord> => {
    const record = await registry.version(model, version);
    if (record !== undefined) return record;
    throw new PerennialFailure('ModelVersionNotFound', `${model} has no version ${version} to monitor`);
  };
  return async (model: string, version: number): Promise<MonitorReference> => {
    const { lineage, evaluation } = await requireVersion(model, version);
    const { reference } = await readManifest(lineage.featureSetManifest);
    const report = await orNull(readReport(evaluation.report));
    return { columns: reference, quality: report?.monitoring ?? null, judged: evaluation.candidate };
  };
};

/** The value with which a version was judged, by the metric that the monitor watches. */
export const judgedVersionOf = ({ quality, judged }: MonitorReference, metric: QualityMetric): JudgedVersion => ({
  reference: quality,
  judged: quality?.metrics[metric] ?? (judged as Partial<Record<QualityMetric, number | null>>)[metric as MetricName] ?? null,
});
