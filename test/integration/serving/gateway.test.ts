import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient, rowsBody, type Client } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import type { GatewayProcess } from './support/gateway-process.ts';
import { MIXED_SIGNATURE, startRig, type Rig } from './support/rig.ts';

let rig: Rig;
let gateway: GatewayProcess;
let client: Client;

beforeAll(async () => {
  rig = await startRig();
  await rig.register('sum', 1, 'sum-a');
  await rig.register('sum', 2, 'sum-b');
  await rig.register('mixed', 1, 'mixed', MIXED_SIGNATURE);
  await rig.register('lookup', 1, 'lookup');
  const generation = await rig.deploy('sum', { stable: 1 });
  await rig.deploy('mixed', { stable: 1 });
  await rig.deploy('lookup', { stable: 1 });
  gateway = await rig.startGateway();
  expect(await rig.acknowledged('sum', generation)).toEqual([]);
  client = createClient(gateway.url, rig.key);
  await eventually(async () => (await client.get('/readyz')).status === 200, { what: 'the gateway is ready' });
});

afterAll(async () => {
  await client?.close();
  await rig?.stop();
});

test('answers with the version, an inference id and the outputs', async () => {
  const answer = await client.infer('sum', [1, 2, 3]);
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({ model_name: 'sum', model_version: '1', id: answer.headers['x-request-id'], outputs: [{ name: 'score', shape: [1, 1], datatype: 'FP32', data: [7] }] });
  expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(answer.headers['x-perennial-role']).toBe('stable');
  expect(answer.headers['x-perennial-version']).toBe('1');
});

test('takes nested data, several rows and the id of the client', async () => {
  const answer = await client.post('/v2/models/sum/infer', { id: 'order-7', inputs: [{ name: 'x', shape: [2, 3], datatype: 'FP32', data: [[1, 1, 1], [2, 2, 2]] }] });
  expect(answer.body.id).toBe('order-7');
  expect(answer.body.outputs?.[0]).toMatchObject({ shape: [2, 1], data: [4, 7] });
  expect((await client.infer('sum', [0, 0, 0], { 'x-request-id': 'from-header' })).body.id).toBe('from-header');
});

test('null is the missing value where the signature allows it, and an error elsewhere', async () => {
  const body = (a: unknown, b: unknown, c: unknown) => ({ inputs: [['a', 'FP32', a], ['b', 'BYTES', b], ['c', 'INT64', c]].map(([name, datatype, value]) => ({ name, datatype, shape: [1, 1], data: [value] })) });
  expect((await client.post('/v2/models/mixed/infer', body(null, null, 3))).body.outputs?.[0]?.data).toEqual([4.5]);
  expect((await client.post('/v2/models/mixed/infer', body(1, 'z', 3))).body.outputs?.[0]?.data).toEqual([3]);
  const refused = await client.post('/v2/models/mixed/infer', body(1, 'z', null));
  expect(refused.status).toBe(400);
  expect(refused.body.error).toMatch(/"c" data\[0\] \(row 0\): null is not allowed/);
});

test('one bad row fails only its own request, with no word of the inside', async () => {
  const answers = await Promise.all(Array.from({ length: 30 }, (_, index) => client.infer('lookup', [index === 13 ? 99 : 3, 0, 0])));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(29);
  expect(answers[13]).toMatchObject({ status: 500, body: { error: 'The model failed while it scored (operator Gather).' } });
  expect(answers[13]?.headers['x-perennial-error']).toBe('ModelFailed');
});

test('metadata, health and metrics', async () => {
  expect((await client.get('/v2')).body).toMatchObject({ name: 'perennial' });
  expect((await client.get('/v2/models')).body).toEqual({ models: expect.arrayContaining(['sum', 'mixed', 'lookup']) });
  expect((await client.get('/v2/models/sum')).body).toMatchObject({ name: 'sum', versions: ['1'], inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }] });
  expect((await client.get('/v2/models/sum/versions/1/ready')).status).toBe(200);
  expect((await client.get('/v2/models/sum/versions/9')).status).toBe(404);
  expect((await client.get('/v2/models/absent/ready')).status).toBe(404);
  const open = createClient(gateway.url, undefined);
  expect((await open.get('/v2/health/live')).status).toBe(200);
  expect((await open.get('/healthz')).body).toEqual({ live: true });
  const metrics = (await open.get('/metrics')).body.error ?? '';
  for (const name of ['perennial_model_host_cpu_seconds_total', 'perennial_model_host_memory_bytes']) {
    expect(Number(new RegExp(`^${name}{[^}]*} (\\S+)$`, 'm').exec(metrics)?.[1]), name).toBeGreaterThan(0);
  }
  for (const name of ['perennial_inference_requests_total{model="sum",version="1",role="stable",code="200"}', 'perennial_inference_duration_seconds_bucket{model="sum"', 'perennial_rollout_weight_ratio{model="sum",version="1"} 1', 'perennial_build_info{process="gateway",version=']) {
    expect(metrics).toContain(name);
  }
  await open.close();
});

test('refused requests are counted by reason and input, in metrics and in the database, and nothing of them is kept', async () => {
  const c = (data: unknown) => ({ name: 'c', datatype: 'INT64', shape: [1, 1], data: [data] });
  const others = [['a', 'FP32', 1], ['b', 'BYTES', 'z']].map(([name, datatype, value]) => ({ name, datatype, shape: [1, 1], data: [value] }));
  const bodies = [{ inputs: [...others, c('secret')] }, { inputs: [...others, c('secret')] }, { inputs: others }, { secret: 1 }];
  for (const body of bodies) expect((await client.post('/v2/models/mixed/infer', body)).status).toBe(400);
  expect((await client.post('/v2/models/mixed/infer', { inputs: [...others, c(3)] })).status).toBe(200);
  const counted = async () => (await rig.database.pool.query<{ reason: string; input: string; requests: number }>("select reason, input, sum(requests)::int as requests from input_refusals where model = 'mixed' and version = 1 group by 1, 2 order by 1, 2")).rows;
  // Requests of other tests were refused too, for other reasons.
  const mine = [{ reason: 'malformed', input: '', requests: 1 }, { reason: 'missingInput', input: 'c', requests: 1 }, { reason: 'wrongType', input: 'c', requests: 2 }];
  await expect.poll(counted, { timeout: 20_000 }).toEqual(expect.arrayContaining(mine));
  const open = createClient(gateway.url, undefined);
  const metrics = (await open.get('/metrics')).body.error ?? '';
  await open.close();
  expect(metrics).toContain('perennial_inference_refusals_total{model="mixed",version="1",reason="wrongType"} 2');
  expect(metrics).not.toContain('secret');
});

test('a version in the URL is pinned and must be loaded', async () => {
  expect((await client.post('/v2/models/sum/versions/1/infer', rowsBody([[1, 1, 1]]))).body.model_version).toBe('1');
  const absent = await client.post('/v2/models/sum/versions/2/infer', rowsBody([[1, 1, 1]]));
  expect(absent.status).toBe(404);
  expect(absent.headers['x-perennial-error']).toBe('ModelVersionNotFound');
});

test('inference needs a key whose role may send it', async () => {
  const nobody = createClient(gateway.url, undefined);
  expect(await nobody.infer('sum', [1, 1, 1])).toMatchObject({ status: 401, headers: { 'x-perennial-error': 'Unauthenticated' } });
  expect((await nobody.infer('sum', [1, 1, 1], { authorization: 'Bearer perennial_wrong' })).status).toBe(401);
  expect((await nobody.get('/v2/models')).status).toBe(401);
  const viewer = createClient(gateway.url, await rig.keyOf('viewer'));
  await eventually(async () => (await viewer.get('/v2/models')).status === 200, { what: 'the new key is known' });
  expect(await viewer.infer('sum', [1, 1, 1])).toMatchObject({ status: 403, headers: { 'x-perennial-error': 'PermissionDenied' } });
  await Promise.all([nobody.close(), viewer.close()]);
});

test('SIGTERM drains and ends with 0', async () => {
  const other = await rig.startGateway({ id: 'gateway-2' });
  const second = createClient(other.url, rig.key);
  await eventually(async () => (await second.infer('sum', [1, 1, 1])).status === 200, { what: 'the second gateway serves' });
  await second.close();
  expect(await other.stop()).toBe(0);
  const lease = await rig.database.pool.query("select lease_expires_at <= now() as is_over from gateways where gateway_id = 'gateway-2'");
  expect(lease.rows).toEqual([{ is_over: true }]);
});

test('KServe V1: rows in, predictions out, versions pinned, the same routing and log as V2', async () => {
  const answer = await client.post('/v1/models/sum:predict', { instances: [[1, 2, 3], [4, 5, 6]] });
  expect(answer).toMatchObject({ status: 200, body: { predictions: [7, 16] } });
  expect(answer.headers['x-perennial-version']).toBe('1');
  expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  expect((await client.post('/v1/models/sum/versions/1:predict', { instances: [[1, 2, 3]] })).body).toEqual({ predictions: [7] });
  expect((await client.post('/v1/models/sum/versions/2:predict', { instances: [[1, 2, 3]] })).status).toBe(404);
  expect((await client.post('/v1/models/mixed:predict', { instances: [{ a: null, b: '', c: 3 }] })).body).toEqual({ predictions: [4.5] });
  expect(await client.post('/v1/models/mixed:predict', { instances: [{ a: 1, b: '' }] })).toMatchObject({ status: 400, body: { error: 'instances[0]: the input "c" is missing' } });
  const rows = JSON.stringify({ instances: [[1, 2, 3]] });
  expect((await client.post('/v1/models/sum:predict', `${rows}!`, { 'inference-header-content-length': String(rows.length) })).status).toBe(400);
  expect((await client.get('/v1/models/sum')).body).toEqual({ name: 'sum', ready: true });
  expect((await client.post('/v1/models/sum:explain', {})).status).toBe(404);
  expect((await client.get('/v1/models/sum:predict')).status).toBe(405);
});

test("MLflow's and SageMaker's scoring contract: /ping and /invocations", async () => {
  expect((await client.get('/ping')).status).toBe(200);
  const frame = { dataframe_split: { columns: ['c', 'b', 'a'], data: [[3, 'z', 1], [2, null, null]] } };
  expect((await client.post('/invocations', frame, { 'x-perennial-model': 'mixed' })).body).toEqual({ predictions: [3, 3.5] });
  expect(await client.post('/invocations', frame)).toMatchObject({ status: 400, body: { error: expect.stringMatching(/^This gateway serves \d models: name one in the header x-perennial-model/) as string } });
  expect((await client.post('/invocations', frame, { 'x-perennial-model': 'nothing' })).status).toBe(404);
});
