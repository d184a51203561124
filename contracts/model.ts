/** Trained, judged and registered models. */
import { z } from 'zod';
import { ArtifactRef, Sha256 } from './artifact.ts';
import { GateMeasurements } from './gate.ts';
import { MetricName } from './metric.ts';

/** What the train step leaves: references, and the trainer's own numbers. */
export const TrainedModel = z.strictObject({
  model: ArtifactRef,
  signature: ArtifactRef,
  metrics: ArtifactRef,
  predictions: ArtifactRef.nullable(),
  log: ArtifactRef,
  trainMetrics: z.record(z.string(), z.number()),
  /** Hashes of the checkpoints that the training went on from; empty for an uninterrupted one. */
  resumedFrom: z.array(Sha256),
});
export type TrainedModel = z.infer<typeof TrainedModel>;

/** The metrics of the model's task; null where one is not defined. */
export const Metrics = z.partialRecord(MetricName, z.number().nullable());
export type Metrics = z.infer<typeof Metrics>;

/** Paired bootstrap of candidate minus champion (sign turned for metrics where less is better: positive is better). */
export const Comparison = z.strictObject({
  metric: MetricName,
  difference: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  confidence: z.number(),
  resamples: z.number().int(),
  groups: z.number().int(),
  /** The column whose values are the groups; days of the event time without one. */
  cluster: z.string().optional(),
});
export type Comparison = z.infer<typeof Comparison>;

/** What the evaluate step measures on the held-out rows; decisions on it are made in the workflow. */
export const EvaluationReport = z.strictObject({
  rows: z.number().int(),
  /** Null for a regression. */
  positives: z.number().int().nullable(),
  candidate: Metrics,
  champion: z.strictObject({ version: z.number().int(), metrics: Metrics }).nullable(),
  comparisons: z.array(Comparison),
  parity: z.strictObject({ rows: z.number().int(), largestDifference: z.number() }).nullable(),
  /** What gates beyond metrics and comparisons asked for; absent where none did. */
  measured: GateMeasurements.optional(),
  report: ArtifactRef,
});
export type EvaluationReport = z.infer<typeof EvaluationReport>;

/** Where a version came from: everything that its bytes depend on. */
export const Lineage = z.strictObject({
  runId: z.string(),
  pipeline: z.string(),
  pipelineVersion: z.number().int(),
  dataset: z.string(),
  datasetVersion: z.string(),
  datasetManifest: ArtifactRef,
  featureSetVersion: z.string(),
  featureSetManifest: ArtifactRef,
  trainer: z.string(),
  seed: z.number().int(),
  resumedFrom: z.array(Sha256),
});
export type Lineage = z.infer<typeof Lineage>;

export const RegisteredVersion = z.strictObject({ model: z.string(), version: z.number().int().positive() });
export type RegisteredVersion = z.infer<typeof RegisteredVersion>;

/** Largest difference between the trainer's predictions and ONNX Runtime's that a run accepts, as a share of the largest prediction where that is above 1. */
export const PARITY_LIMIT = 1e-5;
