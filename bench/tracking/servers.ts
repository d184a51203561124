/** The two servers: Perennial's API in a stack without workers, and `mlflow server` on SQLite with one worker process. */
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { createLogLines } from '../../deploy/local/processes/log-lines.ts';
import { findFreePorts } from '../../deploy/local/processes/ports.ts';
import { SupervisedProcess } from '../../deploy/local/processes/supervised-process.ts';
import { entryFiles, nodeCommand } from '../../deploy/local/programs.ts';
import { startStack, type Stack } from '../../deploy/local/stack.ts';
import { repositoryRoot } from '../../deploy/local/tools/machine.ts';
import { createCaller, type Caller } from './caller.ts';
import { addRuns } from './seed-runs.ts';

const PEER_READY_MS = 240_000;
const POLL_MS = 10;

export type Server = { name: 'perennial' | 'mlflow'; call: Caller; seeded: string; stop(): Promise<void> };
export type OurServer = Server & {
  /** Adds seeded runs, so that there are `total`. */
  grow(total: number): Promise<void>;
  /** Milliseconds from the start of another API process on the same PostgreSQL and Temporal to its /readyz. */
  startAnother(): Promise<number>;
};

const isReady = async (url: string): Promise<boolean> => {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
  await response?.arrayBuffer();
  return response?.ok === true;
};

const startAnother = async ({ urls, config }: Stack): Promise<number> => {
  const { api: port } = await findFreePorts();
  const address = `http://127.0.0.1:${port}/readyz`;
  const environment = { PERENNIAL_HOME: config.home, PERENNIAL_API_PORT: String(port), PERENNIAL_POSTGRES_URL: urls.postgres, PERENNIAL_TEMPORAL_ADDRESS: urls.temporal, TEMPORAL_ADDRESS: urls.temporal };
  const program = { name: 'api-2', command: nodeCommand(entryFiles.api), environment, cwd: repositoryRoot, ready: { probe: () => isReady(address) }, stopSignal: 'SIGTERM' as const, stopMs: 10_000 };
  const child = new SupervisedProcess(program, createLogLines(join(config.home, 'api-2.log'), () => undefined), () => undefined);
  const startedAt = performance.now();
  child.start();
  while (!(await isReady(address))) {
    if (performance.now() - startedAt > 120_000) throw new Error('the API was not ready within 120 s');
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const took = performance.now() - startedAt;
  await child.stop();
  return took;
};

export const startOurs = async (home: string, runs: number): Promise<OurServer> => {
  const stack = await startStack({ home, ports: 'free', pools: [], gateways: 0 });
  const call = createCaller(stack.urls.api, stack.adminKey);
  const { experiment_id: seeded } = (await call('POST', 'experiments/create', { name: 'seeded' })) as { experiment_id: string };
  const pool = new pg.Pool({ connectionString: stack.urls.postgres, max: 2 });
  let present = 0;
  const grow = async (total: number): Promise<void> => {
    await addRuns(pool, seeded, present, total);
    present = total;
  };
  await grow(runs);
  return {
    name: 'perennial',
    call,
    seeded,
    grow,
    startAnother: () => startAnother(stack),
    stop: async () => {
      await pool.end();
      await stack.stop({ removeHome: true });
    },
  };
};

export const startPeer = async (home: string, { python, runs }: { python: string; runs: number }): Promise<Server> => {
  mkdirSync(home, { recursive: true });
  const [store, artifacts] = [`sqlite:///${join(home, 'mlflow.db')}`, join(home, 'artifacts')];
  const environment = { MLFLOW_DISABLE_TELEMETRY: 'true' };
  const seed = await promisify(execFile)(python, [join(repositoryRoot, 'bench', 'tracking', 'peers', 'seed_mlflow.py'), store, artifacts, String(runs)], { env: { ...process.env, ...environment }, maxBuffer: 1e8 });
  const { api: port } = await findFreePorts();
  const base = `http://127.0.0.1:${port}`;
  const command = [python, '-m', 'mlflow', 'server', '--backend-store-uri', store, '--artifacts-destination', artifacts, '--host', '127.0.0.1', '--port', String(port), '--workers', '1'];
  const program = { name: 'mlflow', command, environment, cwd: home, ready: { probe: () => isReady(`${base}/health`) }, stopSignal: 'SIGTERM' as const, stopMs: 20_000 };
  const child = new SupervisedProcess(program, createLogLines(join(home, 'mlflow.log'), () => undefined), () => undefined);
  child.start();
  await child.waitReady(PEER_READY_MS);
  return { name: 'mlflow', call: createCaller(base, undefined), seeded: seed.stdout.trim().split('\n').at(-1) ?? '', stop: () => child.stop() };
};
