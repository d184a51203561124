/** A real Alertmanager for tests. Without one a test fails and says what to run. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePorts } from '../../../../deploy/local/processes/ports.ts';
import { resolveTools } from '../../../../deploy/local/tools/resolve.ts';
import { eventually } from '../../../support/api.ts';

export type GettableAlert = { labels: Record<string, string>; annotations: Record<string, string>; startsAt: string; endsAt: string; status: { state: string } };

export type TestAlertmanager = { port: number; alerts: () => Promise<GettableAlert[]>; stop: () => Promise<void> };

const executable = (): string => {
  const path = resolveTools().alertmanager;
  if (path === undefined) throw new Error('Alertmanager is not there: run `node deploy/local/setup.mjs --profile test`');
  return path;
};

/** Serves under `/am`, sends its own messages to nobody. */
export const startAlertmanager = async (): Promise<TestAlertmanager> => {
  const folder = mkdtempSync(join(tmpdir(), 'perennial-alertmanager-'));
  const { api: port } = await findFreePorts();
  const config = join(folder, 'alertmanager.yml');
  // JSON is YAML.
  writeFileSync(config, JSON.stringify({ route: { receiver: 'nobody' }, receivers: [{ name: 'nobody' }] }));
  const options = [`--config.file=${config}`, `--storage.path=${join(folder, 'data')}`, `--web.listen-address=127.0.0.1:${port}`, '--web.route-prefix=/am', '--cluster.listen-address='];
  const child = spawn(executable(), options, { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const address = `http://127.0.0.1:${port}/am`;
  const isReady = (): Promise<true | undefined> => fetch(`${address}/-/ready`).then((response) => (response.ok ? true : undefined), () => undefined);
  await eventually('Alertmanager is ready', isReady, 60_000);
  return {
    port,
    alerts: async () => (await (await fetch(`${address}/api/v2/alerts`)).json()) as GettableAlert[],
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
