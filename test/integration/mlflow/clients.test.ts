/** The unmodified clients of MLflow, two generations, against one server. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mlflow3Client } from '../../../deploy/local/tools/client-environments.ts';
import { startTrackingServer, type TrackingServer } from './support.ts';

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

describe('the unmodified client', () => {
  test('of MLflow 3 tracks, finds and reads back what it tracked', async () => {
    const got = await server.run(mlflow3Client, 'mlflow_tracking.py', { MLFLOW_TRACKING_TOKEN: await server.api.keyOf('author') });
    expect(got).toMatchObject({ version: '3.17.2', ...tracked });
  });
});
