import { afterAll, beforeAll, expect, test } from 'vitest';
import { prepareCandidate, startReadyGateway } from './support/candidate.ts';
import type { Client } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import type { GatewayProcess } from './support/gateway-process.ts';
import { byVersion, failed, startLoad } from './support/load.ts';
import { createDeployments } from '../../../adapters/postgres/deployments.ts';
import type { ShadowWindow } from '../../../contracts/shadow.ts';
import { startRig, type Rig } from './support/rig.ts';

let rig: Rig;
let gateway: GatewayProcess;
let client: Client;

const prepare = (model: string, candidate: string): Promise<void> => prepareCandidate(rig, model, candidate);

beforeAll(async () => {
  rig = await startRig();
  ({ gateway, client } = await startReadyGateway(rig));
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

/** What the database has of the copies to version 2 of a model, once they are as expected. */
const shadowOf = (model: string, generation: number, isComplete: (window: ShadowWindow) => boolean): Promise<ShadowWindow> =>
  eventually(
    async () => {
      const window = await createDeployments(rig.database.database).shadowWindow(model, 2, generation);
      return isComplete(window) ? window : undefined;
    },
    { what: `the copies of ${model} are counted` },
  );

test('shadow: copies are compared and recorded, and no client gets an answer of the candidate', async () => {
  await prepare('twin', 'sum-b');
  const generation = await rig.deploy('twin', { stable: 1, canary: 2, canaryWeight: 0 }, { shadow: { percent: 100, tolerance: 0.5 } });
  expect(await rig.acknowledged('twin', generation)).toEqual([]);
  for (let request = 0; request < 40; request += 1) expect((await client.infer('twin', [1, 1, 1])).body.model_version).toBe('1');
  const window = await shadowOf('twin', generation, ({ copies }) => copies === 40);
  expect(window).toMatchObject({ dropped: 0, failures: 0, differing: 40, maximumDifference: 1 });
  expect((await client.get('/metrics')).body.error).toMatch(/perennial_shadow_copies_total\{model="twin",version="2",result="differing"\} 40/);
  const { rows } = await rig.database.pool.query<{ examples: unknown[]; against: number }>('select examples, against from shadow_comparisons where model = $1', ['twin']);
  expect(rows).toMatchObject([{ against: 1 }]);
  expect(rows[0]?.examples).toHaveLength(10);
  expect(rows[0]?.examples[0]).toMatchObject({ output: 'score', stable: '[4]', candidate: '[5]' });
});

test('shadow: a candidate that hangs costs its clients nothing, and what it cannot take is dropped and counted', async () => {
  await prepare('hanging', 'stall');
  const generation = await rig.deploy('hanging', { stable: 1, canary: 2, canaryWeight: 0 }, { shadow: { percent: 100, tolerance: 0 }, deadlineMs: 300 });
  expect(await rig.acknowledged('hanging', generation)).toEqual([]);
  const load = startLoad(gateway.url, { key: rig.key, model: 'hanging', x: () => [5_000, 1, 1] });
  await eventually(() => load.answers.length > 800, { what: '800 requests were answered' });
  const answers = await load.stop();
  expect(failed(answers)).toEqual([]);
  expect(byVersion(answers, 1)).toHaveLength(answers.length);
  const window = await shadowOf('hanging', generation, ({ dropped, failures }) => dropped > 0 && failures > 0);
  expect(window.copies).toBe(window.failures);
});
