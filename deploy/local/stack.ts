/**
 * The whole of Perennial on one machine: PostgreSQL, Temporal, the API, gateways and workers, each a process of its
 * own that is started again when it dies. `perennial up` runs it, and tests run it on folders and ports of their own.
 */
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readConfig, type Config } from '../../workers/config.ts';
import { ensureAdminKey, type AdminKey } from './admin-key.ts';
import { ensureDatabase, preparePostgres } from './postgres.ts';
import { removeOutsideData } from './postgres-location.ts';
import { createFleet, type Fleet, type Log, type Processes } from './processes/fleet.ts';
import { defaultMetricsPort, findFreePorts, portProblems, portUses, portVariables, type Ports } from './processes/ports.ts';
import { endLeftovers } from './processes/process-table.ts';
import { apiProgram, apiUrl, entryFiles, gatewayProgram, gatewayUrl, nodeCommand, workerProgram, type EntryFiles, type StackSettings } from './programs.ts';
import { temporalProgram } from './temporal.ts';
import { runCommand } from './tools/command.ts';
import { tryLock } from './tools/lock.ts';
import { childEnvironment, repositoryRoot } from './tools/machine.ts';
import { resolveTools, type Tools } from './tools/resolve.ts';

export type StackOptions = {
  /** Folder of all state; made when absent. */
  home: string;
  /** Ports over those of the environment; `free` finds free ones (for tests). */
  ports?: Partial<Ports> | 'free';
  /** Pools that get a worker; default workflows, data, cpu, gpu. */
  pools?: readonly string[];
  /** How many gateways; default 2. */
  gateways?: number;
  /** Variables that every process gets over the supervisor's own environment. */
  environment?: Record<string, string>;
  /** Told every line of every process; default: nobody (they are in `<home>/logs` too). */
  log?: Log;
  /** Bound on the way of each process to readiness; default 60 s. */
  readyMs?: number;
  /** Aborts the start; what was started is stopped again. */
  signal?: AbortSignal;
  /** Entry files in place of Perennial's own: for tests of the supervisor. */
  programs?: Partial<EntryFiles>;
};

export type StackUrls = {
  api: string;
  gateways: string[];
  temporalUi: string;
  /** `host:port` of the Temporal server. */
  temporal: string;
  /** Address of the database with its password: not to be printed. */
  postgres: string;
};

export type Stack = {
  urls: StackUrls;
  config: Config;
  adminKey: AdminKey['key'];
  /** True when the admin key was made by this start. */
  adminKeyIsNew: boolean;
  processes: Processes;
  /** Stops everything and waits for it; `graceMs` bounds each process, `removeHome` deletes the state (for tests). */
  stop: (options?: { graceMs?: number; removeHome?: boolean }) => Promise<void>;
};

const defaultPools = ['workflows', 'data', 'cpu', 'gpu'];

/** Ports as environment variables, so that workers/config.ts alone knows their names and defaults. */
const portEnvironment = async (options: StackOptions): Promise<Record<string, string>> => {
  const ports = options.ports === 'free' ? await findFreePorts(options.gateways) : (options.ports ?? {});
  return Object.fromEntries(Object.entries(ports).map(([name, port]) => [portVariables[name as keyof Ports], String(port)]));
};

/** Everything a process reads from its environment, absolute, so that it does not matter where it runs. */
const processEnvironment = (config: Config, tools: Tools, inherited: Record<string, string | undefined>): Record<string, string> => ({
  PERENNIAL_HOME: config.home,
  PERENNIAL_API_PORT: String(config.apiPort),
  PERENNIAL_GATEWAY_PORT: String(config.gatewayPort),
  PERENNIAL_GATEWAY_GRPC_PORT: String(config.gatewayGrpcPort),
  PERENNIAL_TEMPORAL_PORT: String(config.temporal.port),
  PERENNIAL_TEMPORAL_UI_PORT: String(config.temporal.uiPort),
  PERENNIAL_POSTGRES_PORT: String(config.postgres.port),
  // A local stack uses its own servers, whatever the terminal was set up for.
  PERENNIAL_TEMPORAL_ADDRESS: `127.0.0.1:${config.temporal.port}`,
  PERENNIAL_TEMPORAL_UI_URL: `http://127.0.0.1:${config.temporal.uiPort}`,
  PERENNIAL_SOURCE_ROOTS: config.sourceRoots.join(':'),
  PERENNIAL_PYTHON: inherited['PERENNIAL_PYTHON'] ?? tools.python,
  ...(config.artifactStore.kind === 'local' ? { ARTIFACT_STORE: config.artifactStore.folder } : {}),
});

const portsOf = (config: Config): Ports => ({
  api: config.apiPort,
  gateway: config.gatewayPort,
  gatewayGrpc: config.gatewayGrpcPort,
  temporal: config.temporal.port,
  temporalUi: config.temporal.uiPort,
  postgres: config.postgres.port,
  metrics: config.metricsPort ?? defaultMetricsPort,
});

const settingsOf = async (options: StackOptions, tools: Tools): Promise<StackSettings> => {
  const chosen = { ...options.environment, ...(await portEnvironment(options)), PERENNIAL_HOME: resolve(options.home) };
  const inherited = childEnvironment(chosen);
  const config = readConfig(inherited);
  const environment = { ...chosen, ...processEnvironment(config, tools, inherited) };
  return { config, ports: portsOf(config), entries: { ...entryFiles, ...options.programs }, environment };
};

const requireFreePorts = async ({ config, ports }: StackSettings, gateways: number): Promise<void> => {
  const problems = await portProblems(portUses(ports, gateways, config.bind));
  if (problems.length > 0) throw new Error(problems.join('\n'));
};

/** Makes the trainers' Python the one in the home, where a worker that is started by hand looks for it. */
const linkPython = (home: string, python: string): void => {
  const link = join(home, 'python');
  rmSync(link, { recursive: true, force: true });
  symlinkSync(dirname(dirname(python)), link);
};

type Database = { url: string; admin: AdminKey };

/** PostgreSQL with its database, its tables and an admin. */
const startDatabase = async (settings: StackSettings, fleet: Fleet): Promise<Database> => {
  const { home, postgres } = settings.config;
  const { program, url } = await preparePostgres({ home, port: postgres.port });
  await fleet.add(program);
  await ensureDatabase(url);
  const environment = { ...settings.environment, PERENNIAL_POSTGRES_URL: url };
  await runCommand(nodeCommand(settings.entries.migrate), { cwd: repositoryRoot, environment, timeoutMs: 60_000 });
  return { url, admin: await ensureAdminKey({ home, url }) };
};

const startTemporal = ({ config }: StackSettings, tools: Tools, fleet: Fleet): Promise<void> => {
  const { port, uiPort, namespace } = config.temporal;
  return fleet.add(temporalProgram({ cli: tools.temporalCli, home: config.home, port, uiPort, namespace }));
};

/** Starts several at once. The first failure ends the waiting of the others, and all have ended when it is thrown. */
const together = async (starts: readonly Promise<unknown>[], failure: AbortController): Promise<void> => {
  await Promise.allSettled(starts.map((start) => start.catch((error: unknown) => failure.abort(error))));
  failure.signal.throwIfAborted();
};

/** What a start works with. */
type Start = { options: StackOptions; settings: StackSettings; tools: Tools; fleet: Fleet; failure: AbortController };

const startAll = async ({ options, settings, tools, fleet, failure }: Start): Promise<Omit<Stack, 'stop'>> => {
  let database: Database | undefined;
  const readDatabase = async (): Promise<void> => {
    database = await startDatabase(settings, fleet);
  };
  await together([readDatabase(), startTemporal(settings, tools, fleet)], failure);
  if (database === undefined) throw new Error('PostgreSQL did not start');
  const { url, admin } = database;
  const { ports } = settings;
  const full = { ...settings, environment: { ...settings.environment, PERENNIAL_POSTGRES_URL: url } };
  const numbers = Array.from({ length: options.gateways ?? 2 }, (_, index) => index + 1);
  const programs = [
    apiProgram(full),
    ...numbers.map((number) => gatewayProgram(full, number)),
    ...(options.pools ?? defaultPools).map((pool, index) => workerProgram(full, pool, ports.metrics + index)),
  ];
  await together(programs.map((program) => fleet.add(program)), failure);
  const { temporal } = settings.config;
  const gateways = numbers.map((number) => gatewayUrl(settings, number));
  return {
    urls: { api: apiUrl(settings), gateways, temporalUi: `http://127.0.0.1:${temporal.uiPort}`, temporal: `127.0.0.1:${temporal.port}`, postgres: url },
    config: readConfig(childEnvironment(full.environment)),
    adminKey: admin.key,
    adminKeyIsNew: admin.isNew,
    processes: fleet.processes,
  };
};

/** One supervisor per home: two would fight over the same files and ports. */
const takeHome = (home: string): (() => void) => {
  mkdirSync(home, { recursive: true });
  const attempt = tryLock(join(home, 'supervisor.lock'));
  if ('release' in attempt) return attempt.release;
  throw new Error(`Perennial already runs on ${home} (process ${attempt.heldBy.pid}): stop that one first, or set PERENNIAL_HOME to another folder`);
};

/**
 * Starts everything and resolves when all of it is ready.
 * @throws Error that says what failed, with the last log lines of that process; all that was started is stopped again
 */
export const startStack = async (options: StackOptions): Promise<Stack> => {
  const tools = resolveTools();
  const settings = await settingsOf(options, tools);
  const { home } = settings.config;
  const log = options.log ?? (() => undefined);
  const releaseHome = takeHome(home);
  const failure = new AbortController();
  const signal = AbortSignal.any([failure.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  const fleet = createFleet({ home, log, readyMs: options.readyMs ?? 60_000, signal });
  const stop: Stack['stop'] = async ({ graceMs, removeHome = false } = {}) => {
    await fleet.stop(graceMs);
    releaseHome();
    if (!removeHome) return;
    removeOutsideData(home);
    rmSync(home, { recursive: true, force: true });
  };
  try {
    await endLeftovers(home, (line) => log('supervisor', line));
    linkPython(home, tools.python);
    await requireFreePorts(settings, options.gateways ?? 2);
    return { ...(await startAll({ options, settings, tools, fleet, failure })), stop };
  } catch (error) {
    await stop({ graceMs: 5_000 });
    throw error;
  }
};
