/** What the protocol's clients do not show: replays, heartbeats, compare-and-set, roles, limits, races, streams. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sql } from 'kysely';
import type { Role } from '../../../contracts/roles.ts';
import { unreachableTemporal, createTestApi, type Answer, type TestApi } from '../../support/api.ts';
import { startTestPostgres, type TestDatabase, type TestPostgres } from '../../support/database.ts';
import { registerPipelineModel } from './support.ts';

let postgres: TestPostgres;
let test: TestDatabase;
let api: TestApi;

beforeAll(async () => {
  postgres = await startTestPostgres();
  test = await postgres.createDatabase();
  api = await createTestApi(test, await unreachableTemporal());
});
afterAll(async () => {
  await api?.app.close();
  await test?.drop();
  await postgres?.stop();
});

const PREFIX = '/api/2.0/mlflow';
const post = (path: string, payload: object, { role = 'author', headers = {} }: { role?: Role; headers?: Record<string, string> } = {}): Promise<Answer> =>
  api.as(role, { method: 'POST', url: `${PREFIX}/${path}`, payload, headers });
const get = (path: string): Promise<Answer> => api.as('viewer', { method: 'GET', url: `${PREFIX}/${path}` });
const newRun = async (fields: object = {}): Promise<string> => (await post('runs/create', { experiment_id: '0', start_time: Date.now(), user_id: String(Math.random()), ...fields })).body.run.info.run_id;
const runOf = async (runId: string): Promise<Answer['body']> => (await get(`runs/get?run_id=${runId}`)).body.run;

describe('a create that is sent again', () => {
  const body = { experiment_id: '0', user_id: 'me', start_time: 1_700_000_000_000, run_name: 'once' };

  it('gets the first answer, for the same bytes of the same key within ten minutes', async () => {
    const first = await post('runs/create', body);
    const again = await post('runs/create', body);
    expect(again.body).toEqual(first.body);
    expect((await post('runs/create', { ...body, run_name: 'other' })).body.run.info.run_id).not.toBe(first.body.run.info.run_id);
    expect((await post('runs/create', body, { role: 'admin' })).body.run.info.run_id).not.toBe(first.body.run.info.run_id);
    // Another process knows it from the database.
    const other = await createTestApi(test, api.dependencies.client);
    const stored = async () => (await sql<{ n: number }>`select count(*)::int as n from create_answers where answer like '%"once"%'`.execute(test.database)).rows[0]?.n;
    await expect.poll(stored, { timeout: 30_000 }).toBe(2);
    expect((await other.as('author', { method: 'POST', url: `${PREFIX}/runs/create`, payload: body })).body).toEqual(first.body);
    await sql`update create_answers set finished_at = finished_at - interval '11 minutes'`.execute(test.database);
    const late = await other.as('author', { method: 'POST', url: `${PREFIX}/runs/create`, payload: body });
    expect(late.body.run.info.run_id).not.toBe(first.body.run.info.run_id);
    await other.app.close();
    // The second app made the key anew.
    api = await createTestApi(test, api.dependencies.client);
  });

  it('is another one while the first is in flight', async () => {
    const twins = await Promise.all(Array.from({ length: 8 }, () => post('runs/create', { ...body, run_name: 'twins' })));
    expect(new Set(twins.map((twin) => twin.body.run.info.run_id)).size).toBe(8);
  });

  it('is made again when what it made is gone', async () => {
    const model = { name: 'made-twice', description: 'x' };
    expect((await post('registered-models/create', model)).status).toBe(200);
    expect((await post('registered-models/create', model)).status).toBe(200);
    await api.as('author', { method: 'DELETE', url: `${PREFIX}/registered-models/delete`, payload: { name: 'made-twice' } });
    expect((await post('registered-models/create', model)).status).toBe(200);
    expect((await get('registered-models/get?name=made-twice')).status).toBe(200);
    expect((await post('registered-models/create', { name: 'made-twice' })).body).toMatchObject({ error_code: 'RESOURCE_ALREADY_EXISTS' });
  });

  it('is what its Idempotency-Key says, whatever the bytes', async () => {
    const send = (key: string, name: string) => post('runs/create', { ...body, run_name: name }, { headers: { 'idempotency-key': key } });
    const first = await send('key-1', 'keyed');
    expect((await send('key-1', 'keyed')).body).toEqual(first.body);
    expect((await send('key-2', 'keyed')).body.run.info.run_id).not.toBe(first.body.run.info.run_id);
    expect(await send('key-1', 'changed')).toMatchObject({ status: 409, body: { error_code: 'RESOURCE_CONFLICT' } });
  });
});

describe('a run that promises to speak', () => {
  const silence = (runId: string, seconds: number) => sql`update tracked_runs set heard_at = heard_at - make_interval(secs => ${seconds}) where run_id = ${runId}`.execute(test.database);
  const found = async (runId: string) => (await post('runs/search', { experiment_ids: ['0'], filter: `status = 'FAILED' and run_id = '${runId}'` })).body.runs?.length ?? 0;

  it('is FAILED after that silence and RUNNING again when it speaks', async () => {
    const runId = await newRun({ tags: [{ key: 'perennial.heartbeatSeconds', value: '60' }] });
    await silence(runId, 50);
    expect((await runOf(runId)).info).toMatchObject({ status: 'RUNNING', last_heard_time: expect.any(Number) });
    await silence(runId, 11);
    const { info } = await runOf(runId);
    expect(info).toMatchObject({ status: 'FAILED', end_time: info.last_heard_time });
    expect(await found(runId)).toBe(1);
    await post('runs/log-metric', { run_id: runId, key: 'loss', value: 1, timestamp: 1 });
    expect((await runOf(runId)).info).toMatchObject({ status: 'RUNNING' });
    expect((await runOf(runId)).info.end_time).toBeUndefined();
    await silence(runId, 61);
    await api.as('author', { method: 'PUT', url: `/api/2.0/mlflow-artifacts/artifacts/0/${runId}/artifacts/x`, payload: 'x' });
    expect((await runOf(runId)).info.status).toBe('RUNNING');
    await post('runs/update', { run_id: runId, status: 'FINISHED', end_time: 5 });
    await silence(runId, 1_000);
    expect((await runOf(runId)).info).toMatchObject({ status: 'FINISHED', end_time: 5 });
    expect(await found(runId)).toBe(0);
  });

  it('may promise it later, or take it back; another run is never guessed', async () => {
    const runId = await newRun();
    await silence(runId, 1_000_000);
    expect((await runOf(runId)).info.status).toBe('RUNNING');
    await post('runs/set-tag', { run_id: runId, key: 'perennial.heartbeatSeconds', value: '5' });
    await silence(runId, 6);
    expect((await runOf(runId)).info.status).toBe('FAILED');
    await post('runs/delete-tag', { run_id: runId, key: 'perennial.heartbeatSeconds' });
    expect((await runOf(runId)).info.status).toBe('RUNNING');
    expect((await post('runs/set-tag', { run_id: runId, key: 'perennial.heartbeatSeconds', value: 'soon' })).body).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' });
  });
});

describe('an alias', () => {
  const set = (payload: object, role: Role = 'author') => post('registered-models/alias', payload, { role });
  const move = (moves: object[], role: Role = 'approver') => api.as(role, { method: 'POST', url: '/api/v1/aliases/moves', payload: { moves } });
  const aliasOf = async (name: string, alias: string) => (await get(`registered-models/alias?name=${name}&alias=${alias}`)).body.model_version?.version;

  beforeAll(async () => {
    for (const name of ['left', 'right']) {
      await post('registered-models/create', { name });
      for (const number of [1, 2]) await post('model-versions/create', { name, source: `s3://bucket/${name}/${number}` });
    }
  });

  it('moves by compare-and-set, with a history of every move', async () => {
    expect((await set({ name: 'left', alias: 'blue', version: '1', expected_version: '' })).status).toBe(200);
    expect(await set({ name: 'left', alias: 'blue', version: '2', expected_version: '2' })).toMatchObject({ status: 409, body: { error_code: 'RESOURCE_CONFLICT', message: expect.stringContaining('names version 1, not version 2') } });
    const racers = await Promise.all(Array.from({ length: 6 }, () => set({ name: 'left', alias: 'blue', version: '2', expected_version: '1' })));
    expect(racers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await aliasOf('left', 'blue')).toBe('2');
    await api.as('author', { method: 'DELETE', url: `${PREFIX}/registered-models/alias`, payload: { name: 'left', alias: 'blue' } });
    const history = await api.as('viewer', { method: 'GET', url: '/api/v1/models/left/aliases?alias=blue' });
    expect(history.body.moves.map(({ from, to }: { from: number; to: number }) => [from, to])).toEqual([[2, null], [1, 2], [null, 1]]);
    expect(history.body.moves[0]).toMatchObject({ reason: 'set by the author', at: expect.any(String) });
  });

  it('of several models moves in one request, all or none', async () => {
    const both = [{ model: 'left', alias: 'champion', version: 1, expected: null }, { model: 'right', alias: 'champion', version: 2, expected: null }];
    expect((await move(both)).status).toBe(200);
    expect(await move([{ model: 'left', alias: 'champion', version: 2, expected: 1 }, { model: 'right', alias: 'champion', version: 1, expected: 1 }])).toMatchObject({ status: 409, body: { code: 'AliasConflict' } });
    expect(await move([{ model: 'left', alias: 'champion', version: 2 }, { model: 'right', alias: 'champion', version: 9 }])).toMatchObject({ status: 404, body: { code: 'ModelVersionNotFound' } });
    expect([await aliasOf('left', 'champion'), await aliasOf('right', 'champion')]).toEqual(['1', '2']);
    expect((await move([...both, both[0] as object])).status).toBe(400);
  });

  it('that is champion is set by an approver or an admin, and of a deployed model by its rollout alone', async () => {
    expect(await set({ name: 'left', alias: 'champion', version: '2' })).toMatchObject({ status: 403, body: { error_code: 'PERMISSION_DENIED' } });
    expect((await move([{ model: 'left', alias: 'blue', version: 1 }, { model: 'left', alias: 'champion', version: 2 }], 'author')).status).toBe(403);
    expect((await set({ name: 'left', alias: 'champion', version: '2' }, 'admin')).status).toBe(200);
    await registerPipelineModel({ api, test }, 'deployed');
    await api.dependencies.deployments.setSplit({ model: 'deployed', split: { stable: 1, canary: null, canaryWeight: 0 }, expectedGeneration: 0, requestId: 'r', rolloutId: null, reason: 'test', options: { salt: 's', deadlineMs: 1_000, onLogFailure: 'refuse' } } as never);
    expect(await set({ name: 'deployed', alias: 'champion', version: '1' }, 'approver')).toMatchObject({ status: 409, body: { message: expect.stringContaining('rollout') } });
    expect((await set({ name: 'left', alias: 'latest', version: '1' })).status).toBe(400);
  });
});

describe('the registry', () => {
  it('numbers versions that are made at once without a gap, beside those of pipelines', async () => {
    await registerPipelineModel({ api, test }, 'busy');
    const made = await Promise.all(Array.from({ length: 12 }, (_, index) => post('model-versions/create', { name: 'busy', source: `s3://bucket/${index}` })));
    expect(made.map(({ body }) => Number(body.model_version.version)).sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, index) => index + 2));
    const listed = await api.as('viewer', { method: 'GET', url: '/api/v1/models/busy' });
    expect(listed.body.versions.map(({ version }: { version: number }) => version)).toEqual([1]);
    expect((await get('registered-models/get?name=busy')).body.registered_model.latest_versions).toMatchObject([{ version: '13' }]);
    expect((await api.as('author', { method: 'DELETE', url: `${PREFIX}/registered-models/delete`, payload: { name: 'busy' } })).body).toMatchObject({ error_code: 'INVALID_STATE' });
    expect((await post('model-versions/create', { name: 'busy', source: '/home/me/model' })).body.message).toContain('not a local path');
  });

  it('finds models without a tag where the tag differs', async () => {
    await post('registered-models/create', { name: 'tagged', tags: [{ key: 'mlflow.prompt.is_prompt', value: 'true' }] });
    const { body } = await get(`registered-models/search?filter=${encodeURIComponent("name ILIKE '%T%' and tag.`mlflow.prompt.is_prompt` != 'true'")}`);
    const names = body.registered_models.map(({ name }: { name: string }) => name);
    expect(names).toContain('left');
    expect(names).not.toContain('tagged');
  });
});

describe('the wire', () => {
  it('answers unknown paths, mistakes and denials in the protocol’s form', async () => {
    expect(await get('nothing/here')).toMatchObject({ status: 404, body: { error_code: 'ENDPOINT_NOT_FOUND' } });
    expect(await post('runs/create', { experiment_id: '999999' })).toMatchObject({ status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST' } });
    expect(await get('runs/get?run_id=nothing')).toMatchObject({ status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST' } });
    expect(await post('runs/log-metric', { run_id: 'x', key: '../up', value: 'much', timestamp: 'soon' })).toMatchObject({ status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE', message: expect.stringMatching(/key: .*value: /s) } });
    expect(await post('runs/create', { experiment_id: '0' }, { role: 'viewer' })).toMatchObject({ status: 403, body: { error_code: 'PERMISSION_DENIED' } });
    const broken = await api.as('author', { method: 'POST', url: `${PREFIX}/runs/create`, payload: '{"a":', headers: { 'content-type': 'application/json' } });
    expect(broken).toMatchObject({ status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE' } });
    const basic = Buffer.from(`anyone:${await api.keyOf('viewer')}`).toString('base64');
    expect((await api.request({ method: 'GET', url: `${PREFIX}/experiments/get?experiment_id=0`, headers: { authorization: `Basic ${basic}` } })).body).toMatchObject({ experiment: { name: 'Default' } });
    expect((await api.request({ method: 'GET', url: '/health' })).text).toBe('OK');
    expect(await api.as('viewer', { method: 'GET', url: '/api/3.0/mlflow/server-info' })).toMatchObject({ status: 200, body: { workspaces_enabled: false } });
  });

  it('takes a batch whole or not at all, within its limits', async () => {
    const runId = await newRun();
    const metrics = [{ key: 'a', value: 'NaN', timestamp: '1', step: '0' }, { key: 'a', value: '-Infinity', timestamp: 1 }, { key: 'b', value: 1, timestamp: 2, step: 3 }];
    await post('runs/log-batch', { run_id: runId, params: [{ key: 'p', value: '1' }] });
    expect((await post('runs/log-batch', { run_id: runId, metrics, params: [{ key: 'q', value: '1' }, { key: 'p', value: '2' }] })).body.message).toContain("key='p' was already logged with value='1'");
    expect((await runOf(runId)).data).toMatchObject({ params: [{ key: 'p', value: '1' }] });
    expect((await runOf(runId)).data.metrics).toBeUndefined();
    expect((await post('runs/log-batch', { run_uuid: runId, metrics, params: [{ key: 'p', value: '1' }] })).status).toBe(200);
    expect((await runOf(runId)).data.metrics).toMatchObject([{ key: 'a', value: 'NaN' }, { key: 'b', value: 1, step: 3, timestamp: 2 }]);
    const many = (count: number) => Array.from({ length: count }, (_, index) => ({ key: `k${index}`, value: '1' }));
    expect((await post('runs/log-batch', { run_id: runId, params: many(101) })).body.message).toContain('at most 100 params');
    expect((await post('runs/log-batch', { run_id: runId, params: [{ key: 'r', value: '1' }, { key: 'r', value: '2' }] })).body.message).toContain('Duplicate parameter keys');
  });

  it('lets one of several values of a param stand, and tells the others', async () => {
    const runId = await newRun();
    const answers = await Promise.all(['1', '2', '3', '4', '5', '6'].map((value) => post('runs/log-parameter', { run_id: runId, key: 'p', value })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(5);
  });

  it('keeps the newest point of a metric as the latest, in whatever order points come', async () => {
    const runId = await newRun();
    await Promise.all([5, 9, 1, 7, 3].map((step) => post('runs/log-metric', { run_id: runId, key: 'm', value: step * 10, timestamp: step, step })));
    expect((await runOf(runId)).data.metrics).toMatchObject([{ value: 90, step: 9 }]);
    const { body } = await get(`metrics/get-history?run_id=${runId}&metric_key=m&max_results=2`);
    expect([body.metrics.map(({ step }: { step: number }) => step), typeof body.next_page_token]).toEqual([[1, 3], 'string']);
    const rest = await get(`metrics/get-history?run_id=${runId}&metric_key=m&max_results=9&page_token=${body.next_page_token}`);
    expect(rest.body.metrics.map(({ step }: { step: number }) => step)).toEqual([5, 7, 9]);
  });
});

describe('artifacts', () => {
  const url = (path: string): string => `/api/2.0/mlflow-artifacts/artifacts/${path}`;

  it('are bytes of any type under a path, and nothing else of this server', async () => {
    const put = (path: string, payload: string | Buffer, headers: Record<string, string> = {}) => api.as('author', { method: 'PUT', url: url(path), payload, headers });
    const long = `9/run/artifacts/${'deep/'.repeat(80)}file.json`;
    expect((await put(long, '{"a":', { 'content-type': 'application/json' })).status).toBe(200);
    expect((await put('9/run/artifacts/empty.txt', '')).status).toBe(200);
    const read = await api.as('viewer', { method: 'GET', url: url(long) });
    expect(read).toMatchObject({ status: 200, text: '{"a":', headers: { 'content-type': 'application/octet-stream', 'x-content-type-options': 'nosniff' } });
    expect((await api.as('viewer', { method: 'GET', url: '/api/2.0/mlflow-artifacts/artifacts?path=9%2Frun%2Fartifacts' })).body).toEqual({ files: [{ path: 'deep', is_dir: true }, { path: 'empty.txt', is_dir: false, file_size: 0 }] });
    expect((await api.as('viewer', { method: 'GET', url: url('9/run/artifacts/none') })).body).toMatchObject({ error_code: 'RESOURCE_DOES_NOT_EXIST' });
    expect((await put('9/..%2F..%2Fetc/passwd', 'x')).status).toBe(400);
    expect((await put('perennial/models/late/1/model.onnx', 'x')).status).toBe(403);
    expect((await api.as('author', { method: 'DELETE', url: url('9/run') })).status).toBe(200);
    expect((await api.as('viewer', { method: 'GET', url: url(long) })).status).toBe(404);
  });
});
