import { execFileSync } from 'node:child_process';
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { inferenceIdsOf } from '../../faults/prediction-store.ts';
import { createClient, rowsBody, type Answer, type Client } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import type { GatewayProcess } from './support/gateway-process.ts';
import { failed, startLoad } from './support/load.ts';
import { startRig, type Rig } from './support/rig.ts';

let rig: Rig;
const clients: Client[] = [];

beforeEach(async () => {
  rig = await startRig();
  await rig.register('sum', 1, 'sum-a');
  await rig.deploy('sum', { stable: 1 });
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await rig.stop();
});

const clientOf = (gateway: GatewayProcess): Client => {
  const client = createClient(gateway.url, rig.key);
  clients.push(client);
  return client;
};

const serving = async (gateway: GatewayProcess): Promise<Client> => {
  const client = clientOf(gateway);
  await eventually(async () => (await client.infer('sum', [1, 1, 1])).status === 200, { what: 'the gateway serves' });
  return client;
};

/** Process ids of the children of a gateway whose command has a word. */
const childrenOf = (gateway: GatewayProcess, word = ''): number[] =>
  execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(gateway.child.pid)], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes('serving/') && line.includes(word))
    .map((line) => Number.parseInt(line, 10));
const hostsOf = (gateway: GatewayProcess): number[] => childrenOf(gateway, 'model-host');

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const idsOf = (answers: readonly Answer[]): string[] => answers.flatMap(({ status, body }) => (status === 200 && body.id !== undefined ? [body.id] : []));

/** Waits until every answered inference is in the artifact store. */
const allShipped = (answers: readonly Answer[]): Promise<Set<string>> =>
  eventually(
    async () => {
      const shipped = await inferenceIdsOf({ pool: rig.database.pool, artifacts: rig.store }, ['sum']);
      return idsOf(answers).every((id) => shipped.has(id)) ? shipped : undefined;
    },
    { what: 'every answered inference is in the store', ms: 40_000 },
  );

test('kill -9 of the model host under load: no request fails', async () => {
  const gateway = await rig.startGateway();
  await serving(gateway);
  const load = startLoad(gateway.url, { key: rig.key, model: 'sum', x: (request) => [request % 100, 0, 0] });
  for (const round of [1, 2]) {
    await eventually(() => load.answers.length > round * 200 && hostsOf(gateway).length === 1, { what: 'there is load and a host' });
    process.kill(hostsOf(gateway)[0] ?? 0, 'SIGKILL');
    const answered = load.answers.length;
    await eventually(() => load.answers.length > answered + 50, { what: 'requests are answered again' });
  }
  const answers = await load.stop();
  expect(failed(answers)).toEqual([]);
  for (const { body } of answers) expect(body.outputs?.[0]?.data).toEqual([(Number(body.id?.split('-')[1]) % 100) + 1]);
});

test('kill -9 of the gateway under load: every acknowledged record reaches the store, once per id', async () => {
  const gateway = await rig.startGateway();
  await serving(gateway);
  const children = childrenOf(gateway);
  expect(children).toHaveLength(2);
  const load = startLoad(gateway.url, { key: rig.key, model: 'sum', x: () => [1, 2, 3], loops: 16 });
  const ended = load.stop.bind(load);
  await eventually(() => load.answers.length > 500, { what: '500 requests were answered' });
  await gateway.kill();
  await ended().catch(() => undefined);
  await eventually(() => children.every((pid) => !isAlive(pid)), { what: 'host and shipper died with their gateway' });
  const again = await rig.startGateway();
  await serving(again);
  const shipped = await allShipped(load.answers);
  expect(shipped.size).toBeGreaterThan(500);
  await eventually(() => readdirSync(join(rig.home, 'gateways', 'gateway-1', 'prediction-log')).every((name) => !/\.(open|log)$/.test(name)), { what: 'nothing is left on the disk' });
});

test('a request to a gateway that has just begun to listen waits for its model; one for a model that nobody deployed is told at once', async () => {
  for (const start of ['with nothing on its disk', 'from its disk']) {
    const gateway = await rig.startGateway();
    const client = clientOf(gateway);
    const answers = await Promise.all([client.infer('sum', [1, 1, 1]), client.infer('nobodys', [1, 1, 1])]);
    expect(answers.map(({ status }) => status), start).toEqual([200, 404]);
    await eventually(async () => (await rig.database.pool.query('select 1 from gateway_acknowledgements')).rowCount === 1, { what: 'the deployment is acknowledged, and so kept' });
    await gateway.kill();
  }
});

test('starts and serves with database and store down, and delivers everything afterwards', async () => {
  const first = await rig.startGateway();
  await serving(first);
  await eventually(async () => (await rig.database.pool.query('select 1 from gateway_acknowledgements')).rowCount === 1, { what: 'the deployment is acknowledged, and so kept' });
  expect(await first.stop()).toBe(0);
  await rig.postgres.kill();
  renameSync(join(rig.home, 'artifacts'), join(rig.home, 'artifacts-away'));
  writeFileSync(join(rig.home, 'artifacts'), 'not a folder');

  const gateway = await rig.startGateway();
  const client = await serving(gateway);
  const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => client.infer('sum', [index, 0, 0], { 'x-request-id': `outage-${index}` })));
  expect(failed(answers)).toEqual([]);
  const readiness = await eventually(async () => {
    const { status, body } = await client.get('/readyz');
    return 'degraded' in body ? { status, body } : undefined;
  }, { what: 'the outage is told' });
  expect(readiness).toMatchObject({ status: 200, body: { ready: true, degraded: expect.stringMatching(/^database unreachable since \d{4}-/) } });

  rmSync(join(rig.home, 'artifacts'));
  renameSync(join(rig.home, 'artifacts-away'), join(rig.home, 'artifacts'));
  await rig.postgres.start();
  await allShipped(answers);
  await eventually(async () => !('degraded' in (await client.get('/readyz')).body), { what: 'the database is found again' });
  const counted = await eventually(async () => {
    const { rows } = await rig.database.pool.query("select coalesce(sum(requests), 0)::int as requests from serving_counters where incarnation = (select incarnation from gateways where gateway_id = 'gateway-1')");
    return (rows[0] as { requests: number }).requests > 100 ? rows[0] : undefined;
  }, { what: 'the counters of the outage are written' });
  expect((counted as { requests: number }).requests).toBeGreaterThan(100);
});

test('a database that dies and comes back: deployments, acknowledgements and lease go on', async () => {
  const gateway = await rig.startGateway();
  const client = await serving(gateway);
  const load = startLoad(gateway.url, { key: rig.key, model: 'sum', x: () => [1, 1, 1], loops: 2 });
  await rig.postgres.kill();
  await eventually(async () => 'degraded' in (await client.get('/readyz')).body, { what: 'the outage is told' });
  await rig.postgres.start();
  await rig.register('sum', 2, 'sum-b');
  expect(await rig.acknowledged('sum', await rig.deploy('sum', { stable: 2 }))).toEqual([]);
  expect((await client.infer('sum', [1, 1, 1])).body.model_version).toBe('2');
  expect(failed(await load.stop())).toEqual([]);
});

test('a full disk: refuses, or answers and counts, as the deployment says', async () => {
  const first = await rig.startGateway();
  await serving(first);
  await first.stop();
  // Files of this process may have 8 blocks of 1 KiB: room for the deployment, and for a few records.
  const gateway = await rig.startGateway({ prefix: ['prlimit', '--fsize=8192'] });
  const client = await serving(gateway);
  const body = rowsBody(Array.from({ length: 1_000 }, () => [1.2345, 2.3456, 3.4567]));
  const refused = await client.post('/v2/models/sum/infer', body);
  expect(refused).toMatchObject({ status: 503, headers: { 'x-perennial-error': 'PredictionLogUnavailable', 'retry-after': '5' }, body: { error: 'the prediction log cannot be written (EFBIG)' } });
  expect((await client.get('/readyz')).body).toMatchObject({ degraded: expect.stringContaining('prediction log cannot be written since') });
  expect((await client.infer('sum', [1, 1, 1])).status).toBe(200);

  expect(await rig.acknowledged('sum', await rig.deploy('sum', { stable: 1 }, { onLogFailure: 'answer' }))).toEqual([]);
  expect((await client.post('/v2/models/sum/infer', body)).status).toBe(200);
  const unlogged = await eventually(async () => {
    const { rows } = await rig.database.pool.query('select sum(unlogged)::int as unlogged from serving_counters');
    return (rows[0] as { unlogged: number | null }).unlogged || undefined;
  }, { what: 'the unlogged answer is counted' });
  expect(unlogged).toBe(1);
});

test('one gateway per folder and port: a second one says which port is taken', async () => {
  const gateway = await rig.startGateway();
  await serving(gateway);
  const { port } = new URL(gateway.url);
  await expect(rig.startGateway({ environment: { PERENNIAL_GATEWAY_PORT: port } })).rejects.toThrow(`port ${port} is taken: set PERENNIAL_GATEWAY_PORT`);
});

test('kill -9 of a gateway that has only just started leaves no process behind', async () => {
  const gateway = await rig.startGateway();
  const children = await eventually(() => (childrenOf(gateway).length === 2 ? childrenOf(gateway) : undefined), { what: 'its children are started' });
  await gateway.kill();
  await eventually(() => children.every((pid) => !isAlive(pid)), { what: 'its children are gone' });
});
