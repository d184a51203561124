/** The metrics of a running stack, checked by promtool and scraped by a real Prometheus. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStack, type Stack } from '../../../deploy/local/stack.ts';
import { eventually, stepsPipeline } from '../../support/api.ts';
import { runPromtool, startPrometheus, type TestPrometheus } from '../../support/prometheus.ts';

const deploy = (path: string): string => fileURLToPath(new URL(`../../../deploy/${path}`, import.meta.url));
const PRICES = JSON.stringify({ currency: 'EUR', cpuSecond: 1 });

let home: string;
let stack: Stack;
let prometheus: TestPrometheus;
let endpoints: Record<string, string>;

const send = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
  const headers = { authorization: `Bearer ${stack.adminKey}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  const response = await fetch(`${stack.urls.api}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return (await response.json()) as Record<string, unknown>;
};

const runOnce = async (): Promise<void> => {
  await send('PUT', '/api/v1/pipelines/chain', stepsPipeline('chain'));
  const { runId } = await send('POST', '/api/v1/pipelines/chain/runs', {});
  await eventually('the run succeeded', async () => ((await send('GET', `/api/v1/runs/${String(runId)}`))['state'] === 'succeeded' ? true : undefined), 60_000);
};

const host = (url: string): string => new URL(url).host;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'perennial-metrics-'));
  stack = await startStack({ home, ports: 'free', pools: ['workflows', 'data'], gateways: 1, environment: { PERENNIAL_PRICES: PRICES }, readyMs: 120_000 });
  const port = stack.config.metricsPort ?? 0;
  const [workflows, data] = [`127.0.0.1:${port}`, `127.0.0.1:${port + 1}`];
  endpoints = { api: `${stack.urls.api}/metrics`, gateway: `${stack.urls.gateways[0]}/metrics`, workflows: `http://${workflows}/metrics`, data: `http://${data}/metrics`, sdk: `http://${data}/metrics/temporal` };
  prometheus = await startPrometheus([
    { name: 'api', targets: [host(stack.urls.api)] },
    { name: 'gateway', targets: [host(stack.urls.gateways[0] ?? '')] },
    { name: 'workers', targets: [workflows, data] },
    { name: 'sdk', targets: [workflows, data], path: '/metrics/temporal' },
  ]);
  await runOnce();
}, 240_000);

afterAll(async () => {
  await Promise.all([prometheus?.stop(), stack?.stop({ graceMs: 5_000, removeHome: true })]);
  rmSync(home, { recursive: true, force: true });
});

const valueOf = async (expression: string): Promise<number | undefined> => (await prometheus.query(expression))[0]?.value;

describe('metrics', () => {
  it.each(['api', 'gateway', 'workflows', 'data', 'sdk'])('of %s pass promtool check metrics', async (name) => {
    const text = await (await fetch(endpoints[name] ?? '')).text();
    expect(text).toContain(name === 'sdk' ? 'temporal_worker_task_slots_available' : 'perennial_build_info');
    expect(await runPromtool(['check', 'metrics'], text)).toEqual({ code: 0, output: '' });
  });

  it('of every process are scraped by Prometheus, those of the Temporal SDK too', async () => {
    await expect.poll(async () => (await prometheus.query('up')).map(({ metric, value }) => `${metric['job']} ${value}`).sort(), { timeout: 30_000 }).toEqual(['api 1', 'gateway 1', 'sdk 1', 'sdk 1', 'workers 1', 'workers 1']);
    await expect.poll(() => prometheus.query('count by (process) (perennial_build_info)').then((found) => found.map(({ metric }) => metric['process']).sort()), { timeout: 15_000 }).toEqual(['api', 'gateway', 'worker-data', 'worker-workflows']);
    await expect.poll(() => valueOf('count({__name__=~"temporal_.+"}) > 10'), { timeout: 15_000 }).toBeGreaterThan(10);
  });

  it('tell of a run: its attempts, its CPU, its cost, and the slots of the workers', async () => {
    await expect.poll(() => valueOf('sum(perennial_step_attempts_total{pipeline="chain",outcome="succeeded"})'), { timeout: 15_000 }).toBe(2);
    await expect.poll(() => valueOf('perennial_runs_total{pipeline="chain",state="succeeded"}'), { timeout: 15_000 }).toBe(1);
    await expect.poll(() => valueOf('sum(perennial_run_attempts_total{pipeline="chain"})'), { timeout: 15_000 }).toBe(2);
    const cpu = await valueOf('sum(perennial_step_cpu_seconds_total{pipeline="chain"})');
    expect(cpu).toBeGreaterThan(0);
    expect(await valueOf('sum(perennial_cost_total{currency="EUR",resource="cpu"})')).toBeCloseTo(cpu ?? 0, 9);
    expect(await valueOf('perennial_worker_slots{pool="data"}')).toBe(24);
    expect(await valueOf('perennial_workers{pool="data"}')).toBe(1);
    expect(await valueOf('count(perennial_task_queue_backlog)')).toBe(4);
    expect(await valueOf('sum(perennial_api_requests_total{route="/api/v1/pipelines/:name",status=~"20."})')).toBe(1);
  });
});

describe('deployed files', () => {
  it('hold a scrape configuration that promtool takes', async () => {
    expect(await runPromtool(['check', 'config', deploy('prometheus/prometheus.yml')])).toMatchObject({ code: 0 });
  });

  it('hold a dashboard whose every query Prometheus can parse', async () => {
    const dashboard = JSON.parse(readFileSync(deploy('grafana/perennial.json'), 'utf8')) as { panels: { targets?: { expr: string }[] }[] };
    const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '1m')));
    const rules = { groups: [{ name: 'dashboard', rules: expressions.map((expr, index) => ({ record: `perennial:q${index}`, expr })) }] };
    const file = join(home, 'rules.yml');
    writeFileSync(file, JSON.stringify(rules));
    expect(await runPromtool(['check', 'rules', file])).toMatchObject({ code: 0, output: expect.stringContaining(`${expressions.length} rules found`) });
  });
});
