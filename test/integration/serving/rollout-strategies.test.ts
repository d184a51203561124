import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient, type Client } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import type { GatewayProcess } from './support/gateway-process.ts';
import { byVersion, failed, startLoad } from './support/load.ts';
import { startRig, type Rig } from './support/rig.ts';

let rig: Rig;
let gateway: GatewayProcess;
let client: Client;

/** A model with a good version 1 that is served, and a version 2. */
const prepare = async (model: string, candidate: string): Promise<void> => {
  await rig.register(model, 1, 'sum-a');
  await rig.register(model, 2, candidate);
  expect(await rig.acknowledged(model, await rig.deploy(model, { stable: 1 }))).toEqual([]);
};

beforeAll(async () => {
  rig = await startRig();
  gateway = await rig.startGateway();
  client = createClient(gateway.url, rig.key);
  await eventually(async () => (await client.get('/readyz')).status === 200, { what: 'the gateway is ready' });
});

afterAll(async () => {
  await client?.close();
  await rig?.stop();
});

const preview = (model: string) => client.post(`/v2/models/${model}/versions/2/infer`, { inputs: [{ name: 'x', shape: [1, 3], datatype: 'FP32', data: [1, 1, 1] }] });

test('blue-green: only its path reaches a previewed version; the switch and the way back are one generation each, without a failed request', async () => {
  await prepare('green', 'sum-b');
  expect((await preview('green')).status).toBe(404);
  const load = startLoad(gateway.url, { key: rig.key, model: 'green', x: (request) => [request % 100, 0, 0] });
  expect(await rig.acknowledged('green', await rig.deploy('green', { stable: 1, canary: 2, canaryWeight: 0 }))).toEqual([]);
  expect(await preview('green')).toMatchObject({ status: 200, body: { model_version: '2', outputs: [{ data: [5] }] } });
  const previewed = load.answers.length;
  await eventually(() => load.answers.length > previewed + 200, { what: 'requests were answered during the preview' });
  expect(byVersion(load.answers, 2)).toEqual([]);

  expect(await rig.acknowledged('green', await rig.deploy('green', { stable: 1, canary: 2, canaryWeight: 100 }))).toEqual([]);
  const switched = load.answers.length + 8;
  await eventually(() => load.answers.length > switched + 200, { what: 'requests were answered after the switch' });
  expect(byVersion(load.answers.slice(switched), 1)).toEqual([]);

  expect(await rig.acknowledged('green', await rig.deploy('green', { stable: 1 }))).toEqual([]);
  const back = load.answers.length + 8;
  await eventually(() => load.answers.length > back + 200, { what: 'requests were answered after the way back' });
  const answers = await load.stop();
  expect(byVersion(answers.slice(back), 2)).toEqual([]);
  expect(failed(answers)).toEqual([]);
});
