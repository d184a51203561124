/** The life of a model that predicts a number, on the real system: minutes of delay, from files to a watched deployment. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startStack, type Stack } from '../../../deploy/local/stack.ts';
import { createApiClient, type ApiClient } from '../../../examples/flight-delays/demo/api-client.ts';
import { createGatewayClient } from '../../../examples/flight-delays/demo/gateway-client.ts';
import { deliverMonths, EXAMPLE_FOLDER, loadPipeline } from '../../../examples/flight-delays/demo/pipeline.ts';
import { rowsOfMonth } from '../../../examples/flight-delays/demo/rows.ts';
import { createTraffic } from '../../../examples/flight-delays/demo/traffic.ts';

const MODEL = 'delay-minutes';
const ROWS = 200;

let stack: Stack;
let api: ApiClient;
let pipeline: ReturnType<typeof loadPipeline>;

beforeAll(async () => {
  const home = mkdtempSync(join(tmpdir(), 'perennial-regression-'));
  const arrivals = join(home, 'arrivals');
  deliverMonths(arrivals, ['2013-01']);
  const declared = loadPipeline(arrivals, { file: 'delay-minutes.yaml' });
  pipeline = {
    ...declared,
    split: { holdout: { last: 'P7D' } },
    train: { ...declared.train, params: { num_iterations: 30 } },
    rollout: { strategy: 'allAtOnce' } as never,
    monitor: { rows: ROWS, everySeconds: 1, quality: { minimumLabels: 100, slices: ['origin'], minimumSliceRows: 10 } },
  };
  stack = await startStack({ home, ports: 'free', gateways: 1, pools: ['workflows', 'data', 'cpu'], environment: { PERENNIAL_SOURCE_ROOTS: arrivals }, readyMs: 120_000 });
  api = createApiClient({ url: stack.urls.api, apiKey: stack.adminKey! });
}, 200_000);

afterAll(() => stack.stop({ graceMs: 5_000, removeHome: true }), 60_000);

type Report = { metric: string; dropIsShare: boolean; performance: { labelled: number; metrics: Record<string, number>; calibration: unknown[]; slices: { value: string }[] } | null };

it('is trained, judged by its errors, served and watched', { timeout: 240_000 }, async () => {
  await api.put(`/pipelines/${MODEL}`, pipeline);
  const { runId } = await api.post<{ runId: string }>(`/pipelines/${MODEL}/runs`, {}, 'first');
  const run = () => api.get<{ state: string; failure: unknown }>(`/runs/${runId}`);
  await expect.poll(async () => (await run()).state, { timeout: 180_000, interval: 250 }).not.toBe('running');
  const { state, failure } = await run();
  expect({ state, failure }).toEqual({ state: 'succeeded', failure: null });

  const { metrics, evaluation } = await api.get<{ metrics: Record<string, number>; evaluation: object }>(`/models/${MODEL}/versions/1`);
  expect(Object.keys(metrics).sort()).toEqual(['mae', 'r2', 'rmse']);
  expect(metrics['rmse']).toBeGreaterThan(metrics['mae']!);
  expect(evaluation).toMatchObject({ positives: null, parity: { largestDifference: expect.closeTo(0, 4) as number } });

  const client = createGatewayClient({ gateways: stack.urls.gateways, model: MODEL, apiKey: stack.adminKey! });
  const rows = await rowsOfMonth({ exampleFolder: EXAMPLE_FOLDER, features: pipeline.features }, '2013-02', ROWS);
  const traffic = createTraffic(client);
  const answered = await traffic.sendAll(rows);
  client.close();
  expect(traffic.counts).toMatchObject({ failed: 0, byVersion: { 1: ROWS } });

  await api.post(`/models/${MODEL}/labels`, { labels: answered.map(({ inferenceId, label }) => ({ inferenceId, label })) }, 'labels');
  const report = () => api.get<Report>(`/models/${MODEL}/monitor/report`);
  await expect.poll(async () => (await report()).performance?.labelled, { timeout: 90_000, interval: 250 }).toBe(ROWS);
  const { metric, dropIsShare, performance } = await report();
  expect({ metric, dropIsShare, calibration: performance?.calibration }).toEqual({ metric: 'rmse', dropIsShare: true, calibration: [] });
  expect(Object.keys(performance!.metrics).sort()).toEqual(['bias', 'mae', 'r2', 'rmse']);
  expect(performance!.slices.map(({ value }) => value).sort()).toEqual(['EWR', 'JFK', 'LGA']);
});
