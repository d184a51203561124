import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeOutsideData } from '../../../deploy/local/postgres-location.ts';
import { portVariables, findFreePorts, type Ports } from '../../../deploy/local/processes/ports.ts';
import { startStack, type Stack, type StackOptions } from '../../../deploy/local/stack.ts';
import { identityOf } from '../../../deploy/local/tools/process-identity.ts';

const stub = (name: string): string => join(import.meta.dirname, 'programs', name);

/** Small stand-ins for Perennial's own processes; PostgreSQL and Temporal are the real ones. */
const programs = { migrate: stub('migrate.ts'), api: stub('server.ts'), gateway: stub('server.ts'), worker: stub('worker.ts') };

const names = ['postgres', 'temporal', 'api', 'gateway-1', 'gateway-2', 'worker-data'];

let home: string;
let ports: Ports;
let stack: Stack | undefined;
let lines: string[];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'perennial-stack-'));
  ports = await findFreePorts();
  lines = [];
});

afterEach(async () => {
  await stack?.stop({ graceMs: 5_000 });
  stack = undefined;
  removeOutsideData(home);
  rmSync(home, { recursive: true, force: true });
});

const start = async (options: Partial<StackOptions> = {}): Promise<Stack> => {
  const log = (name: string, line: string) => lines.push(`${name} | ${line}`);
  stack = await startStack({ home, ports, pools: ['data'], programs, log, ...options });
  return stack;
};

const pidsInFile = (): Record<string, number> => JSON.parse(readFileSync(join(home, 'processes.json'), 'utf8')) as Record<string, number>;

const json = async (url: string): Promise<Record<string, unknown>> => (await (await fetch(url)).json()) as Record<string, unknown>;

const isAlive = (pid: number): boolean => identityOf(pid) !== undefined;

test('starts everything, each as a process of its own, and stops it without an orphan', async () => {
  const { urls, processes, stop } = await start();
  expect(processes.names().sort()).toEqual([...names].sort());
  const pids = pidsInFile();
  expect(Object.keys(pids).sort()).toEqual([...names].sort());
  expect(new Set([...Object.values(pids), process.pid]).size).toBe(names.length + 1);
  expect(await json(`${urls.gateways[1]}/healthz`)).toMatchObject({ gatewayId: 'gateway-2', home });
  expect(urls.gateways).toEqual([`http://127.0.0.1:${ports.gateway}`, `http://127.0.0.1:${ports.gateway + 1}`]);
  await stop();
  expect(Object.values(pids).filter(isAlive)).toEqual([]);
  expect(existsSync(join(home, 'processes.json'))).toBe(false);
  // Asked to end, not killed: each says so itself.
  for (const name of ['api', 'gateway-1', 'worker-data']) expect(lines).toContain(`${name} | was asked to end`);
});

test('Temporal has the search attributes and 90 days of retention, also after kill -9', async () => {
  const { urls, processes } = await start({ pools: [], gateways: 0 });
  const first = processes.pid('temporal');
  processes.kill('temporal');
  await expect.poll(() => processes.pid('temporal') !== first && processes.state('temporal'), { timeout: 30_000 }).toBe('ready');
  const connection = await Connection.connect({ address: urls.temporal });
  try {
    const { config } = await connection.workflowService.describeNamespace({ namespace: 'default' });
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(90 * 24 * 3600);
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
    const expected = ['PerennialModel', 'PerennialOutcome', 'PerennialPipeline', 'PerennialStage', 'PerennialTrigger'];
    expect(Object.keys(customAttributes ?? {}).filter((name) => name.startsWith('Perennial')).sort()).toEqual(expected);
  } finally {
    await connection.close();
  }
});

test('starts again what dies, keeps dead what is paused, and notes every change', async () => {
  const { processes } = await start();
  for (const name of names.filter((one) => one !== 'temporal' && one !== 'postgres')) {
    const first = processes.pid(name);
    processes.kill(name);
    await expect.poll(() => processes.pid(name) !== first && processes.state(name), { timeout: 20_000 }).toBe('ready');
    expect(pidsInFile()[name]).toBe(processes.pid(name));
  }
  await processes.pause('gateway-1');
  expect([processes.state('gateway-1'), processes.pid('gateway-1'), pidsInFile()['gateway-1']]).toEqual(['paused', undefined, undefined]);
  expect(() => processes.kill('gateway-1')).toThrow('gateway-1 is not running');
  await processes.resume('gateway-1');
  const before = processes.pid('gateway-1');
  await processes.restart('gateway-1');
  expect(processes.pid('gateway-1')).not.toBe(before);
  expect(processes.state('gateway-1')).toBe('ready');
});

test('makes an admin key once, keeps it secret, and keeps its hash alone in the database', async () => {
  const first = await start({ pools: [], gateways: 0 });
  expect(first.adminKey).toMatch(/^perennial_[A-Za-z0-9_-]{43}$/);
  expect(first.adminKeyIsNew).toBe(true);
  expect(statSync(join(home, 'admin-key')).mode & 0o777).toBe(0o600);
  await first.stop();
  const second = await start({ pools: [], gateways: 0 });
  expect([second.adminKey, second.adminKeyIsNew]).toEqual([first.adminKey, false]);
  expect(lines.join('\n')).not.toContain(first.adminKey);
});

test('a taken port is an error that names it and its variable', async () => {
  const taker: Server = createServer().listen(ports.gateway + 1, '127.0.0.1');
  await new Promise((resolve) => taker.once('listening', resolve));
  try {
    await expect(start()).rejects.toThrow(`port ${ports.gateway + 1} of gateway-2 is taken: end what listens there, or set PERENNIAL_GATEWAY_PORT plus 1`);
    await expect(start({ ports: { ...ports, api: ports.postgres } })).rejects.toThrow(`port ${ports.postgres} is given to both the API (PERENNIAL_API_PORT)`);
  } finally {
    taker.close();
  }
});

test('a process that cannot come up fails the start with its last words, and nothing is left', async () => {
  await expect(start({ pools: ['data', 'broken'] })).rejects.toThrow(/worker-broken died 3 times before it was ready[^]*its one screw is missing/);
  expect(existsSync(join(home, 'processes.json'))).toBe(false);
  await start();
});

test('removes its state on request, also what lies outside the home', async () => {
  const { stop } = await start({ pools: [], gateways: 0 });
  const note = join(home, 'postgres-location');
  const outside = existsSync(note) ? readFileSync(note, 'utf8').trim() : home;
  await stop({ removeHome: true });
  expect([home, outside].filter(existsSync)).toEqual([]);
});

test('an aborted start stops what it started', async () => {
  const abort = new AbortController();
  const log = (name: string, line: string) => {
    if (name === 'postgres' && line.includes('ready to accept connections')) abort.abort(new Error('changed my mind'));
  };
  await expect(start({ signal: abort.signal, log })).rejects.toThrow('changed my mind');
  expect(existsSync(join(home, 'processes.json'))).toBe(false);
  await start({ pools: [], gateways: 0 });
});

test('a second supervisor on the same home is refused', async () => {
  await start({ pools: [], gateways: 0 });
  const other = startStack({ home, ports: 'free', programs });
  await expect(other).rejects.toThrow(`Perennial already runs on ${home} (process ${process.pid})`);
});

/** A supervisor in a process of its own, so that it can be killed. */
const spawnSupervisor = async (): Promise<ChildProcess> => {
  const environment = Object.fromEntries(Object.entries(ports).map(([name, port]) => [portVariables[name as keyof Ports], String(port)]));
  const child = spawn(process.execPath, ['--import', 'tsx', stub('supervisor.ts')], {
    env: { ...process.env, ...environment, PERENNIAL_HOME: home },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await expect.poll(() => output, { timeout: 60_000 }).toContain('Perennial is up.');
  return child;
};

test('what a killed supervisor left is ended by the next start, and the data is there', async () => {
  const child = await spawnSupervisor();
  const orphans = pidsInFile();
  child.kill('SIGKILL');
  await expect.poll(() => child.signalCode).toBe('SIGKILL');
  expect(isAlive(orphans['postgres'] ?? 0)).toBe(true);
  const { processes, adminKeyIsNew } = await start();
  expect(Object.values(orphans).filter(isAlive)).toEqual([]);
  expect(processes.state('postgres')).toBe('ready');
  expect(adminKeyIsNew).toBe(false);
});

test('Ctrl-C ends `perennial up` cleanly, with exit code 0 and no orphan', async () => {
  const child = await spawnSupervisor();
  const pids = Object.values(pidsInFile());
  expect(pids.length).toBe(names.length);
  child.kill('SIGINT');
  child.kill('SIGINT');
  await expect.poll(() => child.exitCode, { timeout: 30_000 }).toBe(0);
  expect(pids.filter(isAlive)).toEqual([]);
  await start();
});
