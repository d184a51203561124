import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { BatchPlanRef, BatchScoringInput, BatchState } from '../../contracts/batch-scoring.ts';
import type { DatasetManifest } from '../../contracts/dataset.ts';
import type { FailureRecord } from '../../contracts/run.ts';

export type ScoredShard = { shard: number; rows: number; artifact: ArtifactRef };

/** The record of batch scoring jobs. Every write keeps what is there: doing it again changes nothing. */
export interface BatchJobs {
  begin(job: BatchScoringInput): Promise<void>;
  /** The plan of a job; undefined before it has one. */
  plan(jobId: string): Promise<BatchPlanRef | undefined>;
  /** Keeps the first plan of a job, and gives the one that is kept. */
  keepPlan(jobId: string, plan: BatchPlanRef): Promise<BatchPlanRef>;
  shard(jobId: string, shard: number): Promise<ScoredShard | undefined>;
  /** Keeps the first output of a shard, and gives the one that is kept. */
  keepShard(jobId: string, shard: ScoredShard): Promise<ScoredShard>;
  /** All scored shards in their order. */
  shards(jobId: string): Promise<ScoredShard[]>;
  /** Ends the job; one that has ended stays as it is. */
  finish(jobId: string, end: { state: Exclude<BatchState, 'running'>; manifest?: ArtifactRef; failure?: FailureRecord }): Promise<void>;
  /** A version of a dataset by the beginning of its hash, or the newest. */
  datasetVersion(dataset: string, version: string | undefined): Promise<DatasetManifest | undefined>;
}
