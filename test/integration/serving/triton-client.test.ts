/** Triton's own client, which sends and asks for binary tensors unless it is told otherwise. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tritonClient } from '../../../deploy/local/tools/client-environments.ts';
import { repositoryRoot } from '../../../deploy/local/tools/machine.ts';
import { inferenceIdsOf } from '../../faults/prediction-store.ts';
import { CONVERSIONS } from './support/conversions.ts';
import { eventually } from './support/eventually.ts';
import { MIXED_SIGNATURE, TYPED_SIGNATURE, startRig, type Rig } from './support/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
  await rig.register('sum', 1, 'sum-a');
  await rig.register('mixed', 1, 'mixed', MIXED_SIGNATURE);
  await rig.register('typed', 1, 'typed', TYPED_SIGNATURE);
  await rig.deploy('sum', { stable: 1 });
  await rig.deploy('typed', { stable: 1 });
  await rig.deploy('mixed', { stable: 1 });
});
afterAll(() => rig.stop());

type Inference = { scores: number[]; version: string; id: string; is_json: boolean };
type Spoken = { json: Inference; binary_in: Inference; binary: Inference } & Record<string, unknown>;

test('gets what JSON clients get, in each mix of binary and JSON, and is told what is wrong', async () => {
  const python = tritonClient.find();
  if (python === undefined) throw new Error('the environment of the Triton client is missing: run `npm run setup`');
  const gateway = await rig.startGateway();
  await eventually(async () => (await fetch(`${gateway.url}/readyz`)).ok, { what: 'the gateway is ready' });
  const { stdout } = await promisify(execFile)(python, ['test/clients/triton_client.py', new URL(gateway.url).host, rig.key], { cwd: repositoryRoot, timeout: 120_000 });
  const { json, binary_in, binary, ...spoken } = JSON.parse(stdout) as Spoken;
  const answer = { scores: [7, 16.5], version: '1' };
  expect(json).toEqual({ ...answer, id: 'from-triton-1', is_json: true });
  expect(binary_in).toMatchObject({ ...answer, is_json: true });
  expect(binary).toMatchObject({ ...answer, is_json: false });
  expect(spoken).toMatchObject({
    live: true,
    ready: true,
    model_ready: true,
    other_ready: false,
    server: { name: 'perennial', extensions: ['binary_tensor_data', 'model_repository', 'statistics'] },
    model: { name: 'sum', versions: ['1'], inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }] },
    mixed: [1, 3.5, 2 ** 40],
    typed: TYPED_SIGNATURE.inputs.map(({ name }) => name).sort(),
    converted: CONVERSIONS,
    index: ['mixed', 'sum', 'typed'].map((name) => ({ name, version: '1', state: 'READY', reason: '' })),
    statistics: [
      {
        name: 'sum',
        version: '1',
        last_inference: expect.any(Number),
        inference_count: 6,
        execution_count: 3,
        inference_stats: { success: { count: 3, ns: expect.any(Number) }, fail: { count: 0, ns: 0 }, queue: { count: 3, ns: expect.any(Number) }, compute_infer: { count: 3, ns: expect.any(Number) } },
      },
    ],
    all_statistics: ['mixed', 'sum', 'typed'],
    load: null,
    load_other: ['409', expect.stringContaining('cannot be given when a model is loaded')],
    load_unknown: ['404', 'There is no model "nothing" at this gateway.'],
    unload: ['409', 'sum cannot be unloaded by this call: which versions are served is decided by the deployment of the model, and a rollout changes it.'],
    missing: ['400', 'inputs[0] "x" data[1] (row 0): null is not allowed, because the signature does not say missing: allowed'],
    infinite: ['400', expect.stringContaining('inputs[0] "x" data[1] (row 0)')],
    wide: ['400', expect.stringContaining('does not fit [-1, 3]')],
    wrong_type: ['400', expect.stringContaining('"BOOL", input "x" is FP32')],
  });
  await eventually(
    async () => {
      const shipped = await inferenceIdsOf({ pool: rig.database.pool, artifacts: rig.store }, ['sum']);
      return [json, binary_in, binary].every(({ id }) => shipped.has(`${id}/0`) && shipped.has(`${id}/1`));
    },
    { what: 'the rows of each form are in the store' },
  );
});
