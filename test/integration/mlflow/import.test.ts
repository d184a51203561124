/** `perennial import mlflow`: from a real MLflow server to the API, and again. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommandLine } from '../../../cli/command-line.ts';
import { createTrackingClient, type Json, type TrackingClient } from '../../../cli/import/tracking-client.ts';
import { mlflow3Client } from '../../../deploy/local/tools/client-environments.ts';
import { findFreePorts } from '../../../deploy/local/processes/ports.ts';
import { eventually, type AnswerBody } from '../../support/api.ts';
import { startTrackingServer, type TrackingServer } from './support.ts';

let ours: TrackingServer;
let folder: string;
let server: ChildProcess;
let source: TrackingClient;
let target: TrackingClient;

beforeAll(async () => {
  const python = mlflow3Client.find();
  if (python === undefined) throw new Error('the environment of the MLflow client is missing: run `npm run setup`');
  folder = mkdtempSync(join(tmpdir(), 'mlflow-server-'));
  const { api: port } = await findFreePorts();
  const args = ['-m', 'mlflow', 'server', '--backend-store-uri', `sqlite:///${join(folder, 'mlflow.db')}`, '--artifacts-destination', join(folder, 'artifacts'), '--host', '127.0.0.1', '--port', String(port), '--workers', '1'];
  server = spawn(python, args, { cwd: folder, env: { ...process.env, MLFLOW_DISABLE_TELEMETRY: 'true' }, stdio: 'ignore', detached: true });
  ours = await startTrackingServer();
  source = createTrackingClient(`http://127.0.0.1:${port}`, undefined);
  target = createTrackingClient(ours.url, `Bearer ${await ours.api.keyOf('admin')}`);
  await eventually('the MLflow server answers', async () => ((await fetch(`${source.base}/health`).catch(() => undefined))?.ok === true ? true : undefined), 180_000);
});

afterAll(async () => {
  // The server is a group of processes.
  if (server?.pid !== undefined) process.kill(-server.pid, 'SIGKILL');
  await ours?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const bytes = (text: string) => new Blob([text]).stream();

/** Two runs, one deleted, in an experiment of their own, and a model with two versions. */
const fill = async (): Promise<string> => {
  const { experiment_id: experiment } = await source.post('experiments/create', { name: 'old habits', tags: [{ key: 'team', value: 'risk' }] });
  const create = async (name: string): Promise<AnswerBody> => ((await source.post('runs/create', { experiment_id: experiment, run_name: name, user_id: 'me', start_time: 1_700_000_000_000, tags: [{ key: 'kind', value: name }] })) as AnswerBody).run.info;
  const first = await create('kept');
  const points = Array.from({ length: 1_000 }, (_, step) => ({ key: 'loss', value: step / 7, timestamp: 1_700_000_000_000 + step, step }));
  await source.post('runs/log-batch', { run_id: first.run_id, metrics: points });
  await source.post('runs/log-batch', { run_id: first.run_id, metrics: [...points.map((point) => ({ ...point, step: point.step + 1_000 })).slice(0, 700), { key: 'odd', value: 'NaN', timestamp: 1, step: 0 }], params: [{ key: 'depth', value: '3' }] });
  await source.post('runs/log-inputs', { run_id: first.run_id, datasets: [{ tags: [{ key: 'mlflow.data.context', value: 'training' }], dataset: { name: 'rows', digest: 'abc', source_type: 'local', source: '{}' } }] });
  const root = first.artifact_uri.replace('mlflow-artifacts:/', '');
  await source.write(`${root}/model/MLmodel`, bytes('flavors: {}'));
  await source.write(`${root}/a folder/ü.txt`, bytes('words'));
  await source.post('runs/update', { run_id: first.run_id, status: 'FINISHED', end_time: 1_700_000_009_000 });
  const second = await create('deleted');
  await source.post('runs/delete', { run_id: second.run_id });
  await source.post('registered-models/create', { name: 'habit', description: 'old', tags: [{ key: 'a', value: 'b' }] });
  for (const number of [1, 2]) await source.post('model-versions/create', { name: 'habit', source: `${first.artifact_uri}/model`, run_id: first.run_id, description: `version ${number}`, tags: [{ key: 'n', value: String(number) }] });
  await source.post('registered-models/alias', { name: 'habit', alias: 'champion', version: '2' });
  return first.run_id as string;
};

const importAll = async (): Promise<AnswerBody> => {
  const written: string[] = [];
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = ((text: string) => written.push(String(text)) > 0) as typeof process.stdout.write;
  process.env['PERENNIAL_API_KEY'] = await ours.api.keyOf('admin');
  try {
    expect(await runCommandLine(['node', 'perennial', 'import', 'mlflow', source.base, '--url', ours.url, '--json'])).toBe(0);
  } finally {
    process.stdout.write = write;
    delete process.env['PERENNIAL_API_KEY'];
  }
  return JSON.parse(written.join('')) as AnswerBody;
};

const read = async (client: TrackingClient, runId: string) => {
  const { run } = (await client.get(`runs/get?run_id=${runId}`)) as AnswerBody;
  const { metrics } = (await client.get(`metrics/get-history?run_id=${runId}&metric_key=loss&max_results=25000`)) as AnswerBody;
  const { run_id: id, run_name: name, user_id: user, status, start_time: start, end_time: end } = run.info;
  const tags = run.data.tags.filter(({ key }: Json) => key !== 'perennial.importedFrom');
  const sorted = (list: Json[]) => [...list].sort((a, b) => (String(a['key']) < String(b['key']) ? -1 : 1)).map(({ key, value, step }) => [key, value, step]);
  return { info: { id, name, user, status, start, end }, tags: sorted(tags), params: sorted(run.data.params), metrics: sorted(run.data.metrics), history: metrics.map(({ step, value, timestamp }: Json) => [step, value, timestamp]).sort((a: number[], b: number[]) => Number(a[0]) - Number(b[0])), datasets: run.inputs.dataset_inputs };
};

test('runs, histories, files and the registry come over whole, and a second import finds them there', async () => {
  const runId = await fill();
  expect(await importAll()).toMatchObject({ experiments: 2, runs: 2, runsPresent: 0, registry: { models: 1, versions: 2, aliases: 1, aliasesKept: [] } });
  const copied = await read(target, runId);
  expect(copied.history).toHaveLength(1_700);
  expect(copied).toEqual(await read(source, runId));
  const { experiment } = (await target.get('experiments/get-by-name?experiment_name=old%20habits')) as AnswerBody;
  expect(experiment.tags).toEqual([{ key: 'team', value: 'risk' }]);
  const deleted = (await target.post('runs/search', { experiment_ids: [experiment.experiment_id], run_view_type: 'DELETED_ONLY' })) as AnswerBody;
  expect(deleted.runs.map(({ info }: AnswerBody) => info.run_name)).toEqual(['deleted']);
  const { model_version: champion } = (await target.get('registered-models/alias?name=habit&alias=champion')) as AnswerBody;
  expect(champion).toMatchObject({ version: '2', description: 'version 2', run_id: runId, tags: [{ key: 'n', value: '2' }] });
  const { artifact_uri: uri } = (await target.get('model-versions/get-download-uri?name=habit&version=2')) as AnswerBody;
  expect(await new Response(await target.read(`${uri.replace('mlflow-artifacts:/', '')}/MLmodel`)).text()).toBe('flavors: {}');
  expect(await new Response(await target.read(`${experiment.experiment_id}/${runId}/artifacts/a folder/ü.txt`)).text()).toBe('words');

  // As if the import had died in the middle of the run: it goes over it again.
  await target.post('runs/delete-tag', { run_id: runId, key: 'perennial.importedFrom' });
  await ours.test.pool.query(`delete from metric_points where run_id = $1 and step > 900`, [runId]);
  await ours.test.pool.query(`delete from tracked_artifacts where path like '%ü.txt'`);
  expect(await importAll()).toMatchObject({ experiments: 2, runs: 1, runsPresent: 1, registry: { versions: 0, aliases: 0 } });
  expect(await read(target, runId)).toEqual(await read(source, runId));
  expect(await new Response(await target.read(`${experiment.experiment_id}/${runId}/artifacts/a folder/ü.txt`)).text()).toBe('words');
});
