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
let inferenceId: string;

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
  inferenceId = answered[0]!.inferenceId;
  expect(traffic.counts).toMatchObject({ failed: 0, byVersion: { 1: ROWS } });

  await api.post(`/models/${MODEL}/labels`, { labels: answered.map(({ inferenceId, label }) => ({ inferenceId, label })) }, 'labels');
  const report = () => api.get<Report>(`/models/${MODEL}/monitor/report`);
  await expect.poll(async () => (await report()).performance?.labelled, { timeout: 90_000, interval: 250 }).toBe(ROWS);
  const { metric, dropIsShare, performance } = await report();
  expect({ metric, dropIsShare, calibration: performance?.calibration }).toEqual({ metric: 'rmse', dropIsShare: true, calibration: [] });
  expect(Object.keys(performance!.metrics).sort()).toEqual(['bias', 'mae', 'r2', 'rmse']);
  expect(performance!.slices.map(({ value }) => value).sort()).toEqual(['EWR', 'JFK', 'LGA']);
});

type Graph = { of: string; nodes: { id: string; kind: string; facts: Record<string, unknown> }[]; edges: { from: string; to: string }[] };

const lineageOf = (of: string, direction = 'both') => api.get<Graph>(`/lineage?of=${encodeURIComponent(of)}&direction=${direction}`);
const kindsOf = ({ nodes }: Graph): string[] => nodes.map(({ kind }) => kind);

it('an answer leads back to the bytes of its data, and those lead to the model', async () => {
  const graph = await lineageOf(`inference:${MODEL}/${inferenceId}`);
  expect(new Set(kindsOf(graph))).toEqual(new Set(['inference', 'deployment', 'model', 'featureSet', 'run', 'dataset', 'file', 'pipeline']));
  const model = graph.nodes.find(({ kind }) => kind === 'model')!;
  expect(model.id).toBe(`model:${MODEL}@1`);
  const { artifact, lineage } = await api.get<{ artifact: { sha256: string }; lineage: { datasetVersion: string; seed: number } }>(`/models/${MODEL}/versions/1`);
  expect(model.facts).toMatchObject({ sha256: artifact.sha256, seed: lineage.seed });
  // Every node is reached: each but the answer itself was used for another.
  const used = new Set(graph.edges.map(({ from }) => from));
  expect(graph.nodes.filter(({ id }) => !used.has(id)).map(({ id }) => id)).toEqual([graph.of]);

  const file = graph.nodes.find(({ kind }) => kind === 'file')!;
  expect(file.facts['path']).toMatch(/2013-01/);
  const forwards = await lineageOf(file.id, 'downstream');
  expect(kindsOf(forwards)).toEqual(expect.arrayContaining(['dataset', 'featureSet', 'model', 'deployment']));
  expect(forwards.nodes.map(({ id }) => id)).toContain(model.id);
  expect((await lineageOf(`model:${MODEL}@champion`, 'upstream')).of).toBe(model.id);
  expect((await lineageOf(`dataset:${MODEL}@${lineage.datasetVersion.slice(0, 8)}`, 'downstream')).nodes.map(({ id }) => id)).toContain(model.id);
});

it('is trained again from its record, to the same bytes', { timeout: 120_000 }, async () => {
  const { runId } = await api.post<{ runId: string }>(`/models/${MODEL}/versions/1/reproduce`, {}, 'again');
  const run = () => api.get<{ state: string; failure: unknown; outcome: unknown }>(`/runs/${runId}`);
  await expect.poll(async () => (await run()).state, { timeout: 90_000, interval: 250 }).not.toBe('running');
  const { state, failure, outcome } = await run();
  expect({ state, failure }).toEqual({ state: 'succeeded', failure: null });
  expect(outcome).toMatchObject({ model: MODEL, version: 1, reproduction: { identical: true, differences: [], resumed: false, largestDifference: 0 } });
  expect((await api.get<{ versions: unknown[] }>(`/models/${MODEL}`)).versions).toHaveLength(1);
});

it('has a card of what was recorded', async () => {
  const { markdown } = await api.get<{ markdown: string }>(`/models/${MODEL}/versions/champion/card`);
  expect(markdown).toContain(`# ${MODEL}, version 1`);
  for (const said of ['Task: regression', 'num\\_iterations = 30', '| rmse |', '| promoted |', '| origin | categorical |', 'Newest of 1 windows']) expect(markdown).toContain(said);
});
