/** promtool and a prometheus server for tests. Without them a test fails and says what to install. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePorts } from '../../deploy/local/processes/ports.ts';
import { prometheusBeside } from '../../deploy/local/tools/prometheus.ts';
import { resolveTools } from '../../deploy/local/tools/resolve.ts';

const promtool = (): string => {
  const path = resolveTools().promtool;
  if (path !== undefined) return path;
  throw new Error('prometheus and promtool are not there: run `node deploy/local/setup.mjs --profile test`, or install them (Debian and Ubuntu: the package prometheus) in one folder on PATH');
};

/** Runs promtool with a text on stdin. */
export const runPromtool = (args: readonly string[], input = ''): Promise<{ code: number | null; output: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(promtool(), args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
    child.stdin.end(input);
  });

export type ScrapeJob = { name: string; targets: string[]; path?: string };
export type QueryResult = { metric: Record<string, string>; value: number }[];
export type TestPrometheus = { query: (expression: string) => Promise<QueryResult>; stop: () => Promise<void> };

const configOf = (jobs: readonly ScrapeJob[]): string =>
  JSON.stringify({ global: { scrape_interval: '1s' }, scrape_configs: jobs.map(({ name, targets, path = '/metrics' }) => ({ job_name: name, metrics_path: path, static_configs: [{ targets }] })) });

/** A server that scrapes these every second. */
export const startPrometheus = async (jobs: readonly ScrapeJob[]): Promise<TestPrometheus> => {
  const folder = mkdtempSync(join(tmpdir(), 'perennial-prometheus-'));
  const { api: port } = await findFreePorts();
  const config = join(folder, 'prometheus.yml');
  // JSON is YAML.
  writeFileSync(config, configOf(jobs));
  const child = spawn(prometheusBeside(promtool()), [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`, `--web.listen-address=127.0.0.1:${port}`, '--log.level=error'], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    query: async (expression) => {
      const response = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`);
      if (!response.ok) throw new Error(`${expression}: ${await response.text()}`);
      const { data } = (await response.json()) as { data: { result: { metric: Record<string, string>; value: [number, string] }[] } };
      return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
