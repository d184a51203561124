/** Batch scoring through the API on real workers, one of which is killed in the middle: every row is scored once, as the gateway would score it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createArtifactStore } from '../../../adapters/objectstore/index.ts';
import { openSession } from '../../../adapters/onnx/session.ts';
import { createModelRegistry } from '../../../adapters/postgres/model-registry.ts';
import type { BatchManifest } from '../../../contracts/batch-scoring.ts';
import type { DatasetManifest } from '../../../contracts/dataset.ts';
import type { ArtifactStore } from '../../../domain/ports/artifact-store.ts';
import { createTestApi, eventually, type Answer, type AnswerBody, type TestApi } from '../../support/api.ts';
import { registration } from '../../support/fakes.ts';
import { startOrchestration, type Orchestration } from '../../support/orchestration.ts';
import { fixturePath, namedFeatures, namedSignature } from '../../unit/onnx/fixtures.ts';
import { readRows, writeRows } from '../duckdb/source-files.ts';
import { modelPipeline } from '../../workflows/support/specs.ts';

const MODEL = 'flights';
const ROWS = 5_500;
/** A third of the rows has no label; some values are missing. */
const SELECT = `SELECT i AS id, TIMESTAMP '2013-01-01' + to_minutes(i) AS moment, CASE WHEN i % 3 = 0 THEN NULL ELSE i % 2 END AS late, (i % 24)::DOUBLE AS hour,
  CASE WHEN i % 5 = 0 THEN NULL ELSE (i % 30)::DOUBLE END AS wind, CASE WHEN i % 7 = 0 THEN NULL ELSE ['AA', 'UA', 'DL'][1 + i % 3] END AS carrier FROM range(${ROWS}) t(i)`;

type Row = { id: number; hour: number; wind: number | null; carrier: string | null };

let orchestration: Orchestration;
let api: TestApi;
let artifacts: ArtifactStore;
let folder: string;
let rows: Row[];

/** Dataset, pipeline version and model version, as a run would have left them. */
const prepare = async (): Promise<void> => {
  const { database } = orchestration.test;
  const file = await writeRows(join(folder, 'rows.parquet'), SELECT);
  rows = await readRows<Row>(file, 'id::INTEGER AS id, hour, wind, carrier');
  const artifact = await artifacts.putFile(file);
  const version = 'd'.repeat(64);
  const table = { name: 'rows', format: 'parquet' as const, rows: ROWS, columns: [], profile: [], files: [{ path: 'rows.parquet', artifact, md5: '0'.repeat(32), rows: ROWS }] };
  const manifest: DatasetManifest = { dataset: MODEL, version, tables: [table], rows: ROWS, bytes: artifact.bytes };
  await database.insertInto('datasets').values({ name: MODEL, version, manifest: JSON.stringify(manifest), rows: ROWS, bytes: artifact.bytes, run_id: 'flights.r1' }).execute();
  const spec = modelPipeline(MODEL, { features: { ...namedFeatures, sql: 'SELECT * FROM rows' } });
  await database.insertInto('pipelines').values({ name: MODEL, current_version: 1 }).execute();
  await database.insertInto('pipeline_versions').values({ pipeline: MODEL, version: 1, spec: JSON.stringify(spec), spec_hash: 'h', created_by: 'a test' }).execute();
  const model = await artifacts.put(readFileSync(fixturePath('named.onnx')));
  const base = registration('flights.r1');
  await createModelRegistry(database).registerVersion({ ...base, trained: { ...base.trained, model }, signature: namedSignature });
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-batch-'));
  orchestration = await startOrchestration({ pools: ['workflows', 'data'], environment: { PERENNIAL_FAULT_POINTS: 'batch.after-shard-put' } });
  artifacts = createArtifactStore({ kind: 'local', folder: join(orchestration.home, 'artifacts') });
  api = await createTestApi(orchestration.test, orchestration.client);
  await prepare();
});

afterAll(async () => {
  await api?.app.close();
  await orchestration?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const url = `/api/v1/models/${MODEL}/batch`;
const post = (payload: object, key?: string): Promise<Answer> => api.as('operator', { method: 'POST', url, payload, headers: key === undefined ? {} : { 'idempotency-key': key } });
const show = async (job: string): Promise<AnswerBody> => (await api.as('viewer', { method: 'GET', url: `${url}/${job}` })).body;
const ended = (job: string): Promise<AnswerBody> =>
  eventually(`the job ${job} ends`, async () => {
    const shown = await show(job);
    return shown.state === 'running' ? undefined : shown;
  }, 160_000);

/** The scores of the rows by the same code as a model host's. */
const expectedScores = async (): Promise<Map<number, number>> => {
  const session = await openSession(new Uint8Array(readFileSync(fixturePath('named.onnx'))), namedSignature);
  const { score } = await session.run({ hour: Float32Array.from(rows, ({ hour }) => hour), wind: Float32Array.from(rows, ({ wind }) => wind ?? NaN), carrier: rows.map(({ carrier }) => carrier ?? '') }, rows.length);
  await session.release();
  return new Map(rows.map(({ id }, place) => [id, Number((score as Float32Array)[place])]));
};

it('scores every row once, whatever dies meanwhile, and the same request is the same job', async () => {
  const started = await post({ version: 1, shardRows: 2_000 }, 'once');
  expect(started).toMatchObject({ status: 202, body: { model: MODEL, workflowId: `score/${started.body.jobId}` } });
  expect((await post({ version: 1, shardRows: 2_000 }, 'once')).body.jobId).toBe(started.body.jobId);
  expect(await show(started.body.jobId)).toMatchObject({ state: 'running' });
  const done = await ended(started.body.jobId);
  expect(done).toMatchObject({ state: 'succeeded', version: 1, dataset: MODEL, rows: { scored: ROWS, total: ROWS }, shards: { scored: 3, total: 3 }, rowsPerSecond: expect.any(Number), failure: null });
  // The worker was killed once, and what it had begun was taken up again.
  expect(orchestration.linesOf('worker-data').filter((line) => line.includes('"ready":true')).length).toBe(2);
  const manifest = JSON.parse(Buffer.from(await artifacts.get(done.manifest)).toString('utf8')) as BatchManifest;
  expect(manifest).toMatchObject({ jobId: started.body.jobId, model: MODEL, version: 1, datasetVersion: 'd'.repeat(64), identity: ['id'], rows: ROWS });
  const scored = new Map<number, number>();
  let read = 0;
  for (const { shard, artifact, rows: inShard } of manifest.shards) {
    const file = join(folder, `scores-${shard}.parquet`);
    await artifacts.download(artifact, file);
    const part = await readRows<{ id: number; score: number }>(file, 'id::INTEGER AS id, score');
    expect(part).toHaveLength(inShard);
    read += part.length;
    for (const { id, score } of part) scored.set(id, score);
  }
  expect([read, scored.size]).toEqual([ROWS, ROWS]);
  expect(scored).toEqual(await expectedScores());
  const again = await ended((await post({ shardRows: 2_000, version: 1, dataset: MODEL, datasetVersion: 'd'.repeat(8) })).body.jobId);
  const second = JSON.parse(Buffer.from(await artifacts.get(again.manifest)).toString('utf8')) as BatchManifest;
  expect(second.shards).toEqual(manifest.shards);
});

it('says what is wrong, and forgets no job', async () => {
  expect(await post({ shardRows: 10 })).toMatchObject({ status: 400 });
  expect(await post({ version: 1, other: true })).toMatchObject({ status: 400 });
  expect(await api.as('viewer', { method: 'POST', url, payload: {} })).toMatchObject({ status: 403 });
  expect(await api.as('viewer', { method: 'GET', url: `${url}/00000000` })).toMatchObject({ status: 404, body: { code: 'BatchNotFound' } });
  expect(await api.as('operator', { method: 'POST', url: '/api/v1/models/nothing/batch', payload: {} })).toMatchObject({ status: 404 });
  const noChampion = await ended((await post({})).body.jobId);
  expect(noChampion).toMatchObject({ state: 'failed', failure: { code: 'ModelVersionNotFound', message: expect.stringContaining('has no champion') } });
  const noDataset = await ended((await post({ version: 1, dataset: 'nothing' })).body.jobId);
  expect(noDataset).toMatchObject({ state: 'failed', failure: { code: 'DatasetNotFound' } });
  expect(await api.as('operator', { method: 'POST', url: `${url}/${noDataset.jobId}/cancel` })).toMatchObject({ status: 202 });
  const listed = await api.as('viewer', { method: 'GET', url });
  expect(listed.body.map(({ state }: { state: string }) => state)).toEqual(['failed', 'failed', 'succeeded', 'succeeded']);
});
