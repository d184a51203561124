/** Batch scoring: a model version over all rows of a dataset version. */
import { z } from 'zod';
import { ArtifactRef } from './artifact.ts';
import { FeatureColumn, Task } from './features.ts';
import { Name } from './pipeline.ts';

/** The history of a job stays short, whatever its size: shards get larger instead of more. */
export const MOST_SHARDS = 1_000;

export const BatchScoringRequest = z.strictObject({
  version: z.number().int().positive().optional().describe('A version of the model; without it the champion.'),
  dataset: Name.optional().describe('Without it the dataset that the version was trained on.'),
  datasetVersion: z.string().regex(/^[0-9a-f]{8,64}$/, 'the hash of a dataset version, or the first 8 or more characters of it').optional().describe('Without it the newest.'),
  shardRows: z.number().int().min(1_000).max(1_000_000).default(100_000).describe(`Rows of a shard, unless that would be more than ${MOST_SHARDS} shards.`),
});
export type BatchScoringRequest = z.infer<typeof BatchScoringRequest>;

/** Input of the workflow `score/<jobId>`. */
export type BatchScoringInput = { jobId: string; model: string; requestedBy: string } & BatchScoringRequest;

/** What is decided once and kept: a job that is resumed scores the same rows with the same model. The plan itself is stored as an artifact. */
export const BatchPlanRef = z.strictObject({
  version: z.number().int().positive(),
  dataset: z.string(),
  datasetVersion: z.string(),
  rows: z.number().int(),
  shards: z.number().int(),
  plan: ArtifactRef,
});
export type BatchPlanRef = z.infer<typeof BatchPlanRef>;

/** Stored as JSON: how the rows are read, and the rows of each shard. */
export const BatchPlan = z.strictObject({
  identity: z.array(z.string()),
  columns: z.array(FeatureColumn),
  task: Task,
  shards: z.array(z.strictObject({ rows: z.number().int(), artifact: ArtifactRef })),
});
export type BatchPlan = z.infer<typeof BatchPlan>;

/** Stored as JSON: the whole result. Parquet files with the identity columns and `score`, in the order of the rows; each row is in one of them, once. */
export const BatchManifest = z.strictObject({
  jobId: z.string(),
  model: z.string(),
  version: z.number().int(),
  modelSha256: z.string(),
  dataset: z.string(),
  datasetVersion: z.string(),
  identity: z.array(z.string()),
  rows: z.number().int(),
  shards: z.array(z.strictObject({ shard: z.number().int(), rows: z.number().int(), artifact: ArtifactRef })),
});
export type BatchManifest = z.infer<typeof BatchManifest>;

export const BatchState = z.enum(['running', 'succeeded', 'failed', 'cancelled']);
export type BatchState = z.infer<typeof BatchState>;

export type BatchScoringResult = { manifest: ArtifactRef; rows: number };
