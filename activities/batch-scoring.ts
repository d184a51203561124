/** Batch scoring: plan once, score each shard once, and give the manifest only when every row is in it once. */
import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import type { BatchScoringActivities } from '../contracts/activities.ts';
import { BatchPlan, MOST_SHARDS, type BatchManifest, type BatchPlanRef, type BatchScoringInput } from '../contracts/batch-scoring.ts';
import type { DatasetManifest } from '../contracts/dataset.ts';
import { CHAMPION } from '../contracts/ids.ts';
import type { FeaturesSpec } from '../contracts/pipeline.ts';
import { PerennialFailure } from '../domain/failure.ts';
import { planInputs } from '../domain/feature-rows.ts';
import type { BatchJobs } from '../domain/ports/batch-jobs.ts';
import type { FaultPoints } from '../domain/ports/fault-points.ts';
import type { ModelRegistry, VersionRecord } from '../domain/ports/model-registry.ts';
import type { ModelRuntime } from '../domain/ports/model-runtime.ts';
import type { Pipelines } from '../domain/ports/monitoring.ts';
import { effect, type ActivityTools } from './boundary.ts';
import { inScratch, jsonBytes, readJson, stageDataset, type DataPorts } from './data-ports.ts';
import { orStopped, stopIfAborted } from './stop.ts';

export type BatchScoringPorts = Omit<DataPorts, 'ledger'> & { registry: ModelRegistry; pipelines: Pipelines; runtime: ModelRuntime; batchJobs: BatchJobs; faults: FaultPoints };

const versionOf = async ({ registry }: BatchScoringPorts, model: string, wanted: number | undefined): Promise<VersionRecord> => {
  const number = wanted ?? (await registry.alias(model, CHAMPION));
  if (number === undefined) throw new PerennialFailure('ModelVersionNotFound', `The model "${model}" has no champion: name a version.`);
  const record = await registry.version(model, number);
  if (record === undefined) throw new PerennialFailure('ModelVersionNotFound', `The model "${model}" has no version ${number}.`);
  return record;
};

/** The features by which the version was trained: so it sees the rows as it learned them. */
const featuresOf = async ({ pipelines }: BatchScoringPorts, { model, version, lineage, signature }: VersionRecord): Promise<FeaturesSpec> => {
  const spec = await pipelines.version(lineage.pipeline, lineage.pipelineVersion);
  if (spec?.kind !== 'model') throw new PerennialFailure('FeatureMissing', `Version ${version} of "${model}" was made by no pipeline that is known: its feature SQL is not there.`);
  planInputs(signature, spec.features.columns);
  return spec.features;
};

const datasetOf = async ({ batchJobs }: BatchScoringPorts, { dataset, datasetVersion }: BatchScoringInput, { lineage }: VersionRecord): Promise<DatasetManifest> => {
  const name = dataset ?? lineage.dataset;
  const manifest = await batchJobs.datasetVersion(name, datasetVersion);
  if (manifest === undefined) throw new PerennialFailure('DatasetNotFound', `There is no dataset "${name}"${datasetVersion === undefined ? '' : ` with a version ${datasetVersion}`}.`);
  return manifest;
};

const stage = async (ports: BatchScoringPorts, { manifest, folder }: { manifest: DatasetManifest; folder: string }, tools: ActivityTools) => {
  const stored = await ports.artifacts.put(jsonBytes(manifest));
  const { dataset, version, rows, bytes, tables } = manifest;
  const files = tables.reduce((sum, table) => sum + table.files.length, 0);
  return stageDataset(ports, { dataset: { dataset, version, manifest: stored, rows, bytes, files }, folder }, tools);
};

type Subject = { manifest: DatasetManifest; features: FeaturesSpec };

/** Runs the feature SQL and stores its rows. */
const storeShards = async (ports: BatchScoringPorts, { manifest, features, shardRows }: Subject & { shardRows: number }, tools: ActivityTools): Promise<BatchPlan> =>
  inScratch(ports.scratch, 'batch', async (folder) => {
    const staged = await stage(ports, { manifest, folder }, tools);
    const output = join(folder, 'shards');
    await mkdir(output);
    tools.report({ progress: { done: 0, total: 1, what: 'running the feature SQL' } });
    const call = ports.engine.scoringRows({ tables: staged.tables, features, shardRows, mostShards: MOST_SHARDS, folder: output }, { signal: tools.signal });
    const files = await staged.named(orStopped(tools.signal, call));
    const shards: BatchPlan['shards'] = [];
    for (const { file, rows } of files) {
      stopIfAborted(tools.signal);
      shards.push({ rows, artifact: await ports.artifacts.putFile(file) });
      tools.report({ progress: { done: shards.length, total: files.length, what: 'storing the rows' } });
    }
    const { identity, columns, task } = features;
    return { identity, columns, task, shards };
  });

const planBatch = async (ports: BatchScoringPorts, input: BatchScoringInput, tools: ActivityTools): Promise<BatchPlanRef> => {
  const { batchJobs, artifacts, faults } = ports;
  await batchJobs.begin(input);
  const known = await batchJobs.plan(input.jobId);
  if (known !== undefined) return known;
  const record = await versionOf(ports, input.model, input.version);
  const [features, manifest] = [await featuresOf(ports, record), await datasetOf(ports, input, record)];
  const plan = await storeShards(ports, { manifest, features, shardRows: input.shardRows }, tools);
  const stored = await artifacts.put(jsonBytes(plan));
  faults.reach('batch.after-plan-put');
  const rows = plan.shards.reduce((sum, shard) => sum + shard.rows, 0);
  return batchJobs.keepPlan(input.jobId, { version: record.version, dataset: manifest.dataset, datasetVersion: manifest.version, rows, shards: plan.shards.length, plan: stored });
};

type ShardInput = Parameters<BatchScoringActivities['scoreShard']>[0];

const scoreShard = async (ports: BatchScoringPorts, { jobId, model, version, plan: planRef, shard }: ShardInput, tools: ActivityTools): Promise<{ rows: number }> => {
  const { artifacts, batchJobs, runtime, faults } = ports;
  const known = await batchJobs.shard(jobId, shard);
  if (known !== undefined) return { rows: known.rows };
  const plan = BatchPlan.parse(await readJson(artifacts, planRef));
  const source = plan.shards[shard];
  if (source === undefined) throw new Error(`the plan of ${jobId} has no shard ${shard}`);
  const record = await versionOf(ports, model, version);
  return inScratch(ports.scratch, 'shard', async (folder) => {
    const [rowsFile, file] = [join(folder, 'rows.parquet'), join(folder, 'scores.parquet')];
    await artifacts.download(source.artifact, rowsFile);
    const { signature, artifact } = record;
    const onProgress = (done: number): void => tools.report({ progress: { done, total: source.rows, what: 'scoring' } });
    const call = runtime.scoreToFile({ model: await artifacts.get(artifact), signature, rowsFile, columns: plan.columns, identity: plan.identity, file, onProgress });
    const { rows } = await orStopped(tools.signal, call);
    if (rows !== source.rows) throw new Error(`${rows} of ${source.rows} rows of shard ${shard} were scored`);
    const stored = await artifacts.putFile(file);
    faults.reach('batch.after-shard-put');
    const kept = await batchJobs.keepShard(jobId, { shard, rows, artifact: stored });
    faults.reach('batch.after-shard-commit');
    return { rows: kept.rows };
  });
};

const finishBatch = async (ports: BatchScoringPorts, { jobId, model }: { jobId: string; model: string }) => {
  const { artifacts, batchJobs, faults } = ports;
  const plan = await batchJobs.plan(jobId);
  if (plan === undefined) throw new Error(`the batch job ${jobId} has no plan`);
  const [shards, { identity }, record] = [await batchJobs.shards(jobId), BatchPlan.parse(await readJson(artifacts, plan.plan)), await versionOf(ports, model, plan.version)];
  const rows = shards.reduce((sum, shard) => sum + shard.rows, 0);
  if (shards.length !== plan.shards || rows !== plan.rows) throw new Error(`${shards.length} of ${plan.shards} shards and ${rows} of ${plan.rows} rows of ${jobId} are scored`);
  const { version, dataset, datasetVersion } = plan;
  const manifest: BatchManifest = { jobId, model, version, modelSha256: record.artifact.sha256, dataset, datasetVersion, identity, rows, shards };
  const stored = await artifacts.put(jsonBytes(manifest));
  faults.reach('batch.after-manifest-put');
  await batchJobs.finish(jobId, { state: 'succeeded', manifest: stored });
  return { manifest: stored, rows };
};

/** Creates the activities of batch scoring. */
export const createBatchScoringActivities = (ports: BatchScoringPorts): BatchScoringActivities => ({
  planBatch: effect((input: BatchScoringInput, tools) => planBatch(ports, input, tools)),
  scoreShard: effect((input: ShardInput, tools) => scoreShard(ports, input, tools)),
  finishBatch: effect((input: { jobId: string; model: string }) => finishBatch(ports, input)),
  endBatch: effect(({ jobId, state, failure }: Parameters<BatchScoringActivities['endBatch']>[0]) => ports.batchJobs.finish(jobId, { state, ...(failure === undefined ? {} : { failure }) })),
});
