/** Perennial's own processes as programs of the supervisor: what is run, with which variables, and when it is ready. */
import { join } from 'node:path';
import type { Config } from '../../workers/config.ts';
import type { Program } from './processes/program.ts';
import type { Ports } from './processes/ports.ts';
import { repositoryRoot } from './tools/machine.ts';

/** Entry files of the processes; tests of the supervisor put small ones of their own in place. */
export type EntryFiles = { migrate: string; api: string; gateway: string; worker: string };

export const entryFiles: EntryFiles = {
  migrate: join(repositoryRoot, 'adapters', 'postgres', 'migrate.ts'),
  api: join(repositoryRoot, 'api', 'main.ts'),
  gateway: join(repositoryRoot, 'serving', 'main.ts'),
  worker: join(repositoryRoot, 'workers', 'main.ts'),
};

/** What the programs of one stack have in common. */
export type StackSettings = {
  config: Config;
  ports: Ports;
  entries: EntryFiles;
  /** Variables that every process gets. */
  environment: Record<string, string>;
};

/** Workers let running activities end: 20 s of grace, force after 40 s. */
const workerStopMs = 45_000;

/** An entry file by Node with the TypeScript loader of this clone. */
export const nodeCommand = (entry: string, args: readonly string[] = []): string[] => [
  process.execPath,
  '--import',
  import.meta.resolve('tsx'),
  entry,
  ...args,
];

/** Address under which this machine reaches a server that binds `bind`. */
export const reachable = (bind: string): string => (bind === '0.0.0.0' || bind === '::' ? '127.0.0.1' : bind);

const answersOk = (url: string) => async (): Promise<boolean> => {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  await response.arrayBuffer();
  return response.ok;
};

export const apiUrl = ({ config, ports }: StackSettings): string => `http://${reachable(config.bind)}:${ports.api}`;

/** Address of the gateway with this number, counted from 1. */
export const gatewayUrl = ({ config, ports }: StackSettings, number: number): string =>
  `http://${reachable(config.bind)}:${ports.gateway + number - 1}`;

export const apiProgram = (settings: StackSettings): Program => ({
  name: 'api',
  command: nodeCommand(settings.entries.api),
  environment: settings.environment,
  cwd: repositoryRoot,
  ready: { probe: answersOk(`${apiUrl(settings)}/readyz`) },
  stopSignal: 'SIGTERM',
  stopMs: 10_000,
});

export const gatewayProgram = (settings: StackSettings, number: number): Program => ({
  name: `gateway-${number}`,
  command: nodeCommand(settings.entries.gateway),
  environment: {
    ...settings.environment,
    PERENNIAL_GATEWAY_ID: `gateway-${number}`,
    PERENNIAL_GATEWAY_PORT: String(settings.ports.gateway + number - 1),
    PERENNIAL_GATEWAY_GRPC_PORT: String(settings.ports.gatewayGrpc + number - 1),
  },
  cwd: repositoryRoot,
  ready: { probe: answersOk(`${gatewayUrl(settings, number)}/healthz`) },
  stopSignal: 'SIGTERM',
  stopMs: 15_000,
});

/** A worker's port is only for its metrics: it says in its log that it polls. */
const saysReady = (text: string): boolean => text.startsWith('{') && text.includes('"ready":true');

/** Without a port the worker serves no metrics. */
export const workerProgram = (settings: StackSettings, pool: string, metricsPort?: number): Program => ({
  name: `worker-${pool}`,
  command: nodeCommand(settings.entries.worker, ['--pool', pool]),
  environment: { ...settings.environment, PERENNIAL_METRICS_PORT: metricsPort === undefined ? '' : String(metricsPort) },
  cwd: repositoryRoot,
  ready: { line: saysReady },
  stopSignal: 'SIGTERM',
  stopMs: workerStopMs,
});
