import { afterAll, beforeAll, expect, test } from 'vitest';
import { prepareCandidate, startReadyGateway } from './support/candidate.ts';
import type { Client } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import type { GatewayProcess } from './support/gateway-process.ts';
import { byVersion, failed, startLoad } from './support/load.ts';
import { MIXED_SIGNATURE, startRig, type Rig } from './support/rig.ts';

let rig: Rig;
let gateway: GatewayProcess;
let client: Client;

const prepare = (model: string, candidate: string): Promise<void> => prepareCandidate(rig, model, candidate);

/** The counters that the database has of a version, once they are as many as expected. */
const countersOf = (model: string, version: number, isComplete: (counters: { requests: number; failures: number; fallbacks: number }) => boolean) =>
  eventually(
    async () => {
      const { rows } = await rig.database.pool.query('select coalesce(sum(requests), 0)::int as requests, coalesce(sum(failures), 0)::int as failures, coalesce(sum(fallbacks), 0)::int as fallbacks from serving_counters where model = $1 and version = $2', [model, version]);
      const [counters] = rows as { requests: number; failures: number; fallbacks: number }[];
      return counters !== undefined && isComplete(counters) ? counters : undefined;
    },
    { what: `the counters of ${model} ${version} are complete` },
  );

beforeAll(async () => {
  rig = await startRig();
  ({ gateway, client } = await startReadyGateway(rig));
});

afterAll(async () => {
  await client?.close();
  await rig?.stop();
});

test('weights are exact at 0 and 100, kept between, and keys do not move back, without one failed request', async () => {
  await prepare('switch', 'sum-b');
  const load = startLoad(gateway.url, { key: rig.key, model: 'switch', x: (request) => [request % 100, 0, 0] });
  const before = new Set<string>();
  for (const weight of [0, 1, 10, 50, 100]) {
    const generation = await rig.deploy('switch', { stable: 1, canary: 2, canaryWeight: weight });
    expect(await rig.acknowledged('switch', generation)).toEqual([]);
    const keys = Array.from({ length: 400 }, (_, index) => `passenger-${index}`);
    const answers = await Promise.all(keys.map((key) => client.infer('switch', [1, 1, 1], { 'x-perennial-key': key })));
    const canaries = keys.filter((_, index) => answers[index]?.headers['x-perennial-role'] === 'canary');
    if (weight === 0) expect(canaries).toEqual([]);
    if (weight === 100) expect(canaries).toHaveLength(400);
    expect(Math.abs(canaries.length - 4 * weight)).toBeLessThanOrEqual(3 * Math.sqrt(4 * weight * (1 - weight / 100)));
    for (const key of before) expect(canaries).toContain(key);
    for (const key of canaries) before.add(key);
    for (const answer of answers) expect(answer.body.outputs?.[0]?.data).toEqual([answer.body.model_version === '1' ? 4 : 5]);
  }
  // What is answered after the acknowledgement of a rollback is all stable.
  await rig.acknowledged('switch', await rig.deploy('switch', { stable: 1 }));
  const after = load.answers.length + 8;
  await eventually(() => load.answers.length > after + 200, { what: 'requests were answered after the rollback' });
  const answers = await load.stop();
  expect(failed(answers)).toEqual([]);
  expect(byVersion(answers.slice(after), 2)).toEqual([]);
  expect(byVersion(answers, 2).length).toBeGreaterThan(0);
});

test('an answer that the canary errs on comes from stable, and counts against the canary', async () => {
  await prepare('erring', 'lookup');
  await rig.acknowledged('erring', await rig.deploy('erring', { stable: 1, canary: 2, canaryWeight: 50 }));
  // The canary errs on every fifth request.
  const load = startLoad(gateway.url, { key: rig.key, model: 'erring', x: (request) => [request % 5 === 0 ? 50 : 5, 0, 0] });
  await eventually(() => load.answers.length > 500, { what: '500 requests were answered' });
  const answers = await load.stop();
  expect(failed(answers)).toEqual([]);
  const erred = answers.filter(({ body }) => Number(body.id?.split('-')[1]) % 5 === 0);
  expect(byVersion(erred, 2)).toEqual([]);
  const given = byVersion(answers, 2).length;
  const counters = await countersOf('erring', 2, ({ requests, failures, fallbacks }) => requests - failures === given && fallbacks === failures);
  expect(counters.failures).toBeGreaterThan(0);
  expect(counters.fallbacks).toBe(counters.failures);
  const stable = await countersOf('erring', 1, ({ requests }) => requests + given === answers.length);
  expect(stable.failures).toBe(0);
});

test('a canary that gives NaN has given no answer', async () => {
  await prepare('nan', 'logarithm');
  await rig.acknowledged('nan', await rig.deploy('nan', { stable: 1, canary: 2, canaryWeight: 100 }));
  expect((await client.infer('nan', [1, 0, 0])).body).toMatchObject({ model_version: '2', outputs: [{ data: [0] }] });
  expect((await client.infer('nan', [-1, 0, 0])).body).toMatchObject({ model_version: '1', outputs: [{ data: [0] }] });
  expect(await countersOf('nan', 2, ({ requests }) => requests === 2)).toEqual({ requests: 2, failures: 1, fallbacks: 1 });
});

test('a canary that is late falls back within its deadline', async () => {
  await prepare('slow', 'slow');
  await rig.acknowledged('slow', await rig.deploy('slow', { stable: 1, canary: 2, canaryWeight: 50 }, { deadlineMs: 50 }));
  const load = startLoad(gateway.url, { key: rig.key, model: 'slow', x: () => [1, 1, 1] });
  await eventually(() => load.answers.length > 300, { what: '300 requests were answered' });
  const answers = await load.stop();
  expect(failed(answers)).toEqual([]);
  expect(byVersion(answers, 2)).toEqual([]);
  const counters = await countersOf('slow', 2, ({ requests, fallbacks }) => requests > 0 && requests === fallbacks);
  expect(counters.failures).toBe(counters.requests);
});

test('a canary that hangs is killed and started again, and no request fails', async () => {
  await prepare('hang', 'stall');
  await rig.acknowledged('hang', await rig.deploy('hang', { stable: 1, canary: 2, canaryWeight: 50 }, { deadlineMs: 200 }));
  const load = startLoad(gateway.url, { key: rig.key, model: 'hang', x: (request) => [request % 50 === 0 ? 5_000 : 1, 1, 1] });
  await eventually(() => gateway.log.some((line) => line['version'] === 'hang/2' && /did not answer within 10\d\d ms/.test(String(line['msg']))), { what: 'the host was killed' });
  const answers = await load.stop();
  expect(failed(answers)).toEqual([]);
  await eventually(async () => (await client.post('/v2/models/hang/versions/2/infer', { inputs: [{ name: 'x', shape: [1, 3], datatype: 'FP32', data: [1, 1, 1] }] })).status === 200, { what: 'the canary is back' });
});

test('a version that cannot be loaded is refused, and the old generation stays', async () => {
  await prepare('refused', 'sum-b');
  await rig.database.pool.query(`update model_versions set signature = jsonb_set(signature, '{inputs,0,name}', '"other"') where model = 'refused' and version = 2`);
  const failures = await rig.acknowledged('refused', await rig.deploy('refused', { stable: 1, canary: 2, canaryWeight: 50 }));
  expect(failures).toEqual([{ gateway: 'gateway-1', error: expect.stringContaining('"other"') }]);
  expect((await client.get('/v2/models/refused')).body).toMatchObject({ versions: ['1'] });
  const index = (await client.post('/v2/repository/index', {})).body as unknown as { name: string }[];
  expect(index.filter(({ name }) => name === 'refused')).toEqual([expect.objectContaining({ version: '1', state: 'READY' }), expect.objectContaining({ version: '2', state: 'UNAVAILABLE', reason: expect.any(String) })]);
  expect((await client.post('/v2/repository/index', { ready: true })).body).toEqual(index.filter((entry) => !JSON.stringify(entry).includes('UNAVAILABLE')));
  expect((await client.infer('refused', [1, 1, 1])).body.model_version).toBe('1');
});

test('a canary that wants other inputs fails, not its clients', async () => {
  await prepare('changed', 'mixed');
  await rig.database.pool.query('update model_versions set signature = $1 where model = $2 and version = 2', [JSON.stringify(MIXED_SIGNATURE), 'changed']);
  await rig.acknowledged('changed', await rig.deploy('changed', { stable: 1, canary: 2, canaryWeight: 100 }));
  expect(await client.infer('changed', [1, 1, 1])).toMatchObject({ status: 200, body: { model_version: '1' } });
  expect(await client.infer('changed', [1, 1])).toMatchObject({ status: 400 });
  expect(await countersOf('changed', 2, ({ requests }) => requests === 1)).toEqual({ requests: 1, failures: 1, fallbacks: 1 });
});

test('a first deployment has only a canary, which answers everything', async () => {
  await rig.register('first', 1, 'sum-a');
  await rig.acknowledged('first', await rig.deploy('first', { canary: 1, canaryWeight: 5 }));
  const answers = await Promise.all(Array.from({ length: 50 }, () => client.infer('first', [1, 1, 1])));
  expect(failed(answers)).toEqual([]);
});
