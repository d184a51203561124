/** The unmodified clients of MLflow, two generations, against one server. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mlflow2Client, mlflow3Client } from '../../../deploy/local/tools/client-environments.ts';
import { registerPipelineModel, startTrackingServer, type TrackingServer } from './support.ts';

let server: TrackingServer;
beforeAll(async () => {
  server = await startTrackingServer();
});
afterAll(() => server?.stop());

const tracked = {
  experiments: {
    same: true,
    location: true,
    deleted: ['renamed'],
    found: [['renamed', { stage: 'dev', team: 'risk' }]],
    default: 'Default',
    duplicate: 'RESOURCE_ALREADY_EXISTS',
    absent: true,
  },
  run: {
    status: 'FINISHED',
    name: 'first',
    user: true,
    params: { depth: '3', model: 'tree', rate: '0.1' },
    metrics: { auc: '0.75', batch: '999.0', loss: '0.2', odd: 'nan', top: 'inf' },
    tags: { 'a b/c': 1, batched: 3, long: 4000, team: 4 },
    note: 'words',
    loss: [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5],
    points: [1000, 0, 999],
    changed: 'INVALID_PARAMETER_VALUE',
    inputs: [['two-rows', 'training']],
    ended: true,
  },
  artifacts: {
    same: true,
    listed: [['conf.json', false, expect.any(Number)], ['notes', true, null], ['table.json', false, expect.any(Number)], ['weights', true, null]],
    inside: [['weights/of a model', true]],
    text: 'hello',
    dict: { a: 1 },
    table: [{ q: 'a', n: 1 }],
    after: [],
  },
  resume: { during: 'RUNNING', refused: 'INVALID_PARAMETER_VALUE', deleted: ['child'], children: [['child', 'KILLED']], failed: ['broken'] },
  search: {
    all: [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    and: [11, 9, 5],
    like: [8, 6, 2, 0],
    null: [0, 1, 2],
    absent: [4, 3],
    status: [4],
    time: [11, 10],
    or: [11, 0],
    // The seventh run's metric is not a number: after all numbers, in both directions.
    pages: [[11, 10, 9, 8, 6], [5, 4, 3, 2, 1], [0, 7]],
    frame: [[1, 'line', 'Team 1'], [1.1, 'tree', 'Team 2']],
    refused: Array.from({ length: 6 }, () => 'INVALID_PARAMETER_VALUE'),
  },
};

/** What a generation logs, registers and loads; `name` is that of its model. */
const modelsOf = (name: string) => ({
  autolog: { status: ['FINISHED', 'FINISHED'], params: ['200', '5'], accuracy: true, history: 5, inputs: 1 },
  registry: {
    second: ['2', { how: 'by hand' }, 'READY'],
    denied: 'PERMISSION_DENIED',
    same: true,
    read: ['predicts', { team: 'risk' }, { challenger: '2', champion: '1' }],
    versions: [['1', { checked: 'yes' }, ['champion'], true, ''], ['2', { how: 'by hand' }, ['challenger'], true, 'the second']],
    by_alias: '2',
    by_tag: ['1'],
    models: [name],
    absent: 'INVALID_PARAMETER_VALUE',
  },
  stages: {
    latest: { Archived: '1', Production: '2' },
    copied: ['1', 'LogisticRegression'],
    renamed: [`${name}-renamed`, { a: 'b' }],
    gone: 'RESOURCE_DOES_NOT_EXIST',
    left: ['1'],
    // The number of a deleted version is not given again.
    next: '3',
  },
  pipeline_model: { sha256: true, flavors: ['onnx', 'python_function'], inputs: ['distance'], kept: 'INVALID_STATE', next: '2' },
});

const loggedModels = {
  read: ['judged', 'READY', { depth: '3' }, expect.objectContaining({ more: 'tags' }), [['auc', 0.75]]],
  found: ['judged'],
  gone: 'RESOURCE_DOES_NOT_EXIST',
};

const credentials = async (pipelineModel: string) => ({
  PIPELINE_MODEL: pipelineModel,
  APPROVER_KEY: await server.api.keyOf('approver'),
  MLFLOW_TRACKING_USERNAME: 'someone',
  MLFLOW_TRACKING_PASSWORD: await server.api.keyOf('author'),
});

describe('the unmodified client', () => {
  // Two clients at a time: most of each is the start of Python and its packages.
  test('of MLflow 3 tracks, registers, loads and finds what it did', async () => {
    await registerPipelineModel(server, 'late-3');
    const [tracking, models] = await Promise.all([
      server.run(mlflow3Client, 'mlflow_tracking.py', { MLFLOW_TRACKING_TOKEN: await server.api.keyOf('author') }),
      server.run(mlflow3Client, 'mlflow_models.py', await credentials('late-3')),
    ]);
    expect(tracking).toMatchObject({ version: '3.17.2', ...tracked });
    expect(models).toMatchObject({ version: '3.17.2', ...modelsOf('cancer-3'), logged_models: loggedModels });
    expect(models).toMatchObject({ autolog: { models: ['model'] } });
  });

  test('of MLflow 2 gets the same', async () => {
    await registerPipelineModel(server, 'late-2');
    const [tracking, models] = await Promise.all([
      server.run(mlflow2Client, 'mlflow_tracking.py', await credentials('late-2')),
      server.run(mlflow2Client, 'mlflow_models.py', await credentials('late-2')),
    ]);
    expect(tracking).toMatchObject({ version: '2.22.5', ...tracked });
    expect(models).toMatchObject({ version: '2.22.5', ...modelsOf('cancer-2'), logged_models: null });
    expect(models).toMatchObject({ autolog: { models: 'model' } });
  });
});
