/** MLflow's scoring client, whose servers in Python take what is no JSON (NaN) too, and CSV. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mlflow3Client } from '../../../deploy/local/tools/client-environments.ts';
import { repositoryRoot } from '../../../deploy/local/tools/machine.ts';
import { eventually } from './support/eventually.ts';
import { MIXED_SIGNATURE, startRig, type Rig } from './support/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
  await rig.register('sum', 1, 'sum-a');
  await rig.register('mixed', 1, 'mixed', MIXED_SIGNATURE);
  await rig.deploy('sum', { stable: 1 });
  await rig.deploy('mixed', { stable: 1 });
});
afterAll(() => rig?.stop());

test('sends frames, records, arrays and CSV, and gets predictions or a word why not', async () => {
  const python = mlflow3Client.find();
  if (python === undefined) throw new Error('the environment of the MLflow 3 client is missing: run `npm run setup`');
  const gateway = await rig.startGateway();
  await eventually(async () => (await fetch(`${gateway.url}/readyz`)).ok, { what: 'the gateway is ready' });
  const { stdout } = await promisify(execFile)(python, ['test/clients/mlflow_scoring_client.py', gateway.url, rig.key], { cwd: repositoryRoot, timeout: 120_000 });
  const three = [1, 3.5, 2 ** 40];
  expect(JSON.parse(stdout)).toEqual({
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    frame: three,
    records: three,
    inputs: [1, 3.5],
    csv: { predictions: three },
    csv_without_header: { predictions: three },
    no_column: expect.stringContaining('dataframe_split.columns: the input \\"c\\" is missing'),
    parameters: expect.stringContaining('params: must be left out'),
    with_index: { error: expect.stringContaining('csv.columns: "" is not an input of the model') },
    array: [7, 16.5],
    instances: [7, 16.5],
    wide_frame: [7, 16.5],
    wide_csv: { predictions: [7, 16.5] },
    missing: expect.stringContaining('null is not allowed'),
  });
});
