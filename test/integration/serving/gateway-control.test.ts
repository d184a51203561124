import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDeployments } from '../../../adapters/postgres/deployments.ts';
import { createGatewayControl } from '../../../adapters/postgres/gateway-control.ts';
import type { ServingCounters } from '../../../contracts/deployment.ts';
import { startTestPostgres, type TestDatabase, type TestPostgres } from '../../support/database.ts';
import { eventually } from './support/eventually.ts';
import { ROW_SIGNATURE } from './support/rig.ts';

let postgres: TestPostgres;
let own: TestDatabase;
let control: ReturnType<typeof createGatewayControl>;
const gateway = { gatewayId: 'g', incarnation: 'one' };

beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres?.stop());
beforeEach(async () => {
  own = await postgres.createDatabase();
  control = createGatewayControl(own);
  return () => own.drop();
});

const deploy = async (requestId: string, expectedGeneration: number, stable: number): Promise<void> => {
  const options = { salt: 's', deadlineMs: 100, onLogFailure: 'refuse' as const };
  await createDeployments(own.database).setSplit({ model: 'm', requestId, expectedGeneration, split: { stable, canary: null, canaryWeight: 0 }, options, rolloutId: 'r', reason: 'a test' });
};

const register = async (version: number): Promise<void> => {
  const artifact = { uri: `artifact:sha256/${'a'.repeat(64)}`, sha256: 'a'.repeat(64), bytes: 1 };
  await own.pool.query("insert into registered_models (name) values ('m') on conflict do nothing");
  await own.pool.query(
    `insert into model_versions (model, version, run_id, artifact, model_sha256, signature, metrics, evaluation, gates, lineage)
     values ('m', $1::int, 'run-' || $1::int, $2, $3, $4, '{}', '{}', '{}', '{}')`,
    [version, JSON.stringify(artifact), artifact.sha256, JSON.stringify(ROW_SIGNATURE)],
  );
};

test('a snapshot holds the split and the versions that it names, and follows each generation', async () => {
  expect(await control.snapshots()).toEqual([]);
  await register(1);
  await register(2);
  await deploy('first', 0, 1);
  const [first] = await control.snapshots();
  expect(first).toMatchObject({ model: 'm', generation: 1, split: { stable: 1 }, salt: 's', deadlineMs: 100, onLogFailure: 'refuse', versions: [{ version: 1, signature: ROW_SIGNATURE }] });
  expect(await control.snapshots()).toEqual([first]);
  await deploy('second', 1, 2);
  expect(await control.snapshots()).toMatchObject([{ generation: 2, versions: [{ version: 2 }] }]);
});

test('a lease is live until it runs out or is given back', async () => {
  const isLive = async (): Promise<boolean> => (await own.pool.query('select lease_expires_at > now() as live from gateways')).rows[0].live as boolean;
  await control.renewLease({ ...gateway, url: 'http://127.0.0.1:1', leaseMs: 60_000 });
  expect(await isLive()).toBe(true);
  await control.renewLease({ ...gateway, url: 'http://127.0.0.1:1', leaseMs: 0 });
  expect(await isLive()).toBe(false);
});

test('an acknowledgement counts for the process that gave it', async () => {
  const { acknowledgements } = createDeployments(own.database);
  await control.renewLease({ ...gateway, url: 'u', leaseMs: 60_000 });
  await control.acknowledge({ ...gateway, model: 'm', generation: 3, error: 'it does not load' });
  expect(await acknowledgements('m', 3)).toEqual({ live: 1, acknowledged: 0, failures: [{ gateway: 'g', error: 'it does not load' }] });
  await control.acknowledge({ ...gateway, model: 'm', generation: 3, error: null });
  expect(await acknowledgements('m', 3)).toEqual({ live: 1, acknowledged: 1, failures: [] });
  await control.renewLease({ gatewayId: 'g', incarnation: 'two', url: 'u', leaseMs: 60_000 });
  expect(await acknowledgements('m', 3)).toEqual({ live: 1, acknowledged: 0, failures: [] });
});

test('counters are absolute: writing them again changes nothing, and processes add up', async () => {
  const { servingWindow } = createDeployments(own.database);
  const counters: ServingCounters = { model: 'm', version: 1, generation: 2, role: 'canary', requests: 10, failures: 2, fallbacks: 1, unlogged: 0, latency: [8, ...new Array<number>(13).fill(0)] };
  await control.writeCounters(gateway, [counters, { ...counters, version: 2 }]);
  await control.writeCounters(gateway, [counters]);
  await control.writeCounters(gateway, []);
  expect(await servingWindow('m', 1, 2)).toMatchObject({ requests: 10, failures: 2, fallbacks: 1 });
  await control.writeCounters({ ...gateway, incarnation: 'two' }, [{ ...counters, requests: 5 }]);
  expect(await servingWindow('m', 1, 2)).toMatchObject({ requests: 15, failures: 4 });
});

test('a segment is recorded once', async () => {
  const artifact = { uri: `artifact:sha256/${'b'.repeat(64)}`, sha256: 'b'.repeat(64), bytes: 9 };
  const segment = { segmentId: 'g/file/m', gatewayId: 'g', model: 'm', artifact, rows: 3, rowsByVersion: { 1: 3 }, firstAt: '2026-01-01T00:00:00.000Z', lastAt: '2026-01-01T00:00:01.000Z' };
  await control.recordSegment(segment);
  await control.recordSegment({ ...segment, rows: 4 });
  expect((await own.pool.query('select segment_id, rows, rows_by_version from prediction_segments')).rows).toEqual([{ segment_id: 'g/file/m', rows: 3, rows_by_version: { 1: 3 } }]);
});

test('keys are given as hashes, without the revoked ones', async () => {
  await own.pool.query("insert into api_keys (id, name, role, key_hash, revoked_at) values ('1', 'a', 'admin', 'h1', null), ('2', 'b', 'viewer', 'h2', now())");
  expect(await control.apiKeys()).toEqual([{ keyHash: 'h1', role: 'admin' }]);
});

test('hears of changes, also after the database was away, and names an outage', async () => {
  const heard: string[] = [];
  const stop = await control.listen((model) => heard.push(model));
  await register(1);
  await deploy('first', 0, 1);
  await eventually(() => heard.length === 1, { what: 'the change is heard' });
  expect(heard).toEqual(['m']);
  await postgres.kill();
  await expect(control.snapshots()).rejects.toMatchObject({ code: 'PostgresUnavailable' });
  await postgres.start();
  await eventually(async () => (await own.pool.query("select 1 from pg_stat_activity where query = 'listen perennial_deployment' and datname = current_database()")).rowCount === 1, { what: 'the connection is back' });
  await deploy('second', 1, 1);
  await eventually(() => heard.length === 2, { what: 'the next change is heard' });
  await stop();
});
