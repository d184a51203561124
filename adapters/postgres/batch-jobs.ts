/** Batch scoring jobs in PostgreSQL: unique keys make every write one that happens once. */
import { sql, type Kysely } from 'kysely';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { BatchPlanRef } from '../../contracts/batch-scoring.ts';
import { DatasetManifest } from '../../contracts/dataset.ts';
import type { BatchJobs, ScoredShard } from '../../domain/ports/batch-jobs.ts';
import { asJson, askDatabase } from './client.ts';
import type { Database } from './schema.ts';

const readPlan = async (database: Kysely<Database>, jobId: string): Promise<BatchPlanRef | undefined> => {
  const row = await database.selectFrom('batch_jobs').select('plan').where('job_id', '=', jobId).executeTakeFirst();
  return (row?.plan ?? undefined) as BatchPlanRef | undefined;
};

const shardOf = ({ shard, rows, artifact }: { shard: number; rows: number; artifact: unknown }): ScoredShard => ({ shard, rows: Number(rows), artifact: artifact as ArtifactRef });

const readShards = (database: Kysely<Database>, jobId: string) => database.selectFrom('batch_shards').select(['shard', 'rows', 'artifact']).where('job_id', '=', jobId);

/** @throws PerennialFailure PostgresUnavailable */
export const createBatchJobs = (database: Kysely<Database>): BatchJobs => ({
  begin: async ({ jobId, model, requestedBy, ...request }) => {
    const row = { job_id: jobId, model, requested_by: requestedBy, request: asJson(request) };
    await askDatabase(() => database.insertInto('batch_jobs').values(row).onConflict((conflict) => conflict.doNothing()).execute());
  },
  plan: (jobId) => askDatabase(() => readPlan(database, jobId)),
  keepPlan: async (jobId, plan) => {
    const values = { plan: asJson(plan), rows: plan.rows, shards: plan.shards };
    await askDatabase(() => database.updateTable('batch_jobs').set(values).where('job_id', '=', jobId).where('plan', 'is', null).execute());
    return (await askDatabase(() => readPlan(database, jobId))) ?? plan;
  },
  shard: async (jobId, shard) => {
    const row = await askDatabase(() => readShards(database, jobId).where('shard', '=', shard).executeTakeFirst());
    return row === undefined ? undefined : shardOf(row);
  },
  keepShard: async (jobId, scored) => {
    const row = { job_id: jobId, shard: scored.shard, rows: scored.rows, artifact: asJson(scored.artifact) };
    await askDatabase(() => database.insertInto('batch_shards').values(row).onConflict((conflict) => conflict.doNothing()).execute());
    return shardOf(await askDatabase(() => readShards(database, jobId).where('shard', '=', scored.shard).executeTakeFirstOrThrow()));
  },
  shards: async (jobId) => (await askDatabase(() => readShards(database, jobId).orderBy('shard').execute())).map(shardOf),
  finish: async (jobId, { state, manifest, failure }) => {
    const values = { state, finished_at: sql<string>`now()`, ...(manifest === undefined ? {} : { manifest: asJson(manifest) }), ...(failure === undefined ? {} : { failure: asJson(failure) }) };
    await askDatabase(() => database.updateTable('batch_jobs').set(values).where('job_id', '=', jobId).where('state', '=', 'running').execute());
  },
  datasetVersion: async (dataset, version) => {
    const rows = database.selectFrom('datasets').select('manifest').where('name', '=', dataset);
    const chosen = version === undefined ? rows : rows.where('version', 'like', `${version}%`);
    const row = await askDatabase(() => chosen.orderBy('created_at', 'desc').limit(1).executeTakeFirst());
    return row === undefined ? undefined : DatasetManifest.parse(row.manifest);
  },
});
