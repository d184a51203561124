/** `perennial doctor`: looks at everything that Perennial stands on here, and says how to mend what is not right. */
import { existsSync, mkdtempSync, rmSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readConfig, type Config } from '../../workers/config.ts';
import { nodeVersionProblem, npmPackagesProblem } from './npm-packages.mjs';
import { defaultMetricsPort, portProblems, portUses } from './processes/ports.ts';
import { leftoverProcesses } from './processes/process-table.ts';
import { lockHolder } from './tools/lock.ts';
import { repositoryRoot } from './tools/machine.ts';
import type { Part } from './tools/part.ts';
import { postgresBinaries } from './tools/postgres-binaries.ts';
import { prometheus } from './tools/prometheus.ts';
import { python } from './tools/python.ts';
import { temporalCli } from './tools/temporal-cli.ts';
import { testServer } from './tools/test-server.ts';
import { alertmanager, versitygw } from './tools/go-program.ts';

export type Check = {
  name: string;
  ok: boolean;
  /** What was found. */
  detail: string;
  /** How to mend it; present when it is not ok. */
  fix?: string;
  /** True for what only the tests need: it does not make the exit code 1. */
  forTestsOnly?: boolean;
};

export type Diagnosis = { checks: Check[]; exitCode: 0 | 1 };

type Finding = { detail: string; fix?: string };

const neededBytes = 5 * 1024 ** 3;
const toleratedSkewMs = 5_000;
const setUpCommand = 'run `node deploy/local/setup.mjs`';
const setUpTestsCommand = 'run `node deploy/local/setup.mjs --profile test`';

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const check = async (name: string, look: () => Finding | Promise<Finding>, forTestsOnly?: true): Promise<Check> => {
  try {
    const { detail, fix } = await look();
    return { name, ok: fix === undefined, detail, fix, forTestsOnly };
  } catch (error) {
    return { name, ok: false, detail: messageOf(error), fix: 'see the message', forTestsOnly };
  }
};

const node = (): Finding => {
  const problem = nodeVersionProblem(process.versions.node);
  return { detail: `Node ${process.versions.node}`, fix: problem };
};

const npmPackages = (): Finding => {
  const problem = npmPackagesProblem(repositoryRoot);
  return { detail: problem ?? 'as package-lock.json says', fix: problem === undefined ? undefined : setUpCommand };
};

/** A part that is there must work; for one that is not, what set-up would ask for is asked now. */
const tool = (part: Part, command: string) => async (): Promise<Finding> => {
  const path = part.find();
  if (path === undefined) {
    const prerequisite = await part.prerequisite();
    return { detail: 'not there', fix: prerequisite === undefined ? command : `${prerequisite}; then ${command}` };
  }
  try {
    const [firstLine = ''] = (await part.verify(path)).split('\n');
    return { detail: firstLine === path ? path : `${firstLine} (${path})` };
  } catch (error) {
    return { detail: messageOf(error), fix: `${path} does not work: remove it, then ${command}` };
  }
};

/** The home itself, or where it would be made: a diagnosis makes no home. */
const nearestExisting = (folder: string): string => (existsSync(folder) ? folder : nearestExisting(dirname(folder)));

/** Makes a folder beside or in the home for a moment and tells how far its time is from this system's. */
const probe = (folder: string): { skewMs: number } => {
  const made = mkdtempSync(join(nearestExisting(folder), '.perennial-doctor-'));
  try {
    return { skewMs: Math.abs(statSync(made).mtimeMs - Date.now()) };
  } finally {
    rmSync(made, { recursive: true });
  }
};

const home = ({ home: folder }: Config) => (): Finding => {
  try {
    probe(folder);
    return { detail: `${folder} can be written` };
  } catch (error) {
    return { detail: messageOf(error), fix: `make ${folder} a folder that this user can write, or set PERENNIAL_HOME to another` };
  }
};

const diskSpace = ({ home: folder }: Config) => (): Finding => {
  const { bavail, bsize } = statfsSync(nearestExisting(folder));
  const gibibytes = ((bavail * bsize) / 1024 ** 3).toFixed(1);
  const fix = bavail * bsize < neededBytes ? `free some: at least ${neededBytes / 1024 ** 3} GiB, or set PERENNIAL_HOME to a larger disk` : undefined;
  return { detail: `${gibibytes} GiB free at ${folder}`, fix };
};

/** Two clocks must agree: this system's, and that of the disk under the home (another machine's, on a network disk). */
const clock = ({ home: folder }: Config) => (): Finding => {
  const { skewMs } = probe(folder);
  const newest = statSync(join(repositoryRoot, 'package-lock.json')).mtimeMs;
  const detail = `${new Date().toISOString()}, ${Math.round(skewMs)} ms from the disk's clock`;
  if (skewMs > toleratedSkewMs) return { detail, fix: 'set both clocks by NTP: leases and schedules go by the time' };
  if (Date.now() < newest - toleratedSkewMs) return { detail, fix: 'set the clock by NTP: files of this clone are from the future' };
  return { detail };
};

const ports = (config: Config) => async (): Promise<Finding> => {
  const running = lockHolder(join(config.home, 'supervisor.lock'));
  if (running !== undefined) return { detail: `in use by Perennial itself (process ${running.pid})` };
  const chosen = { api: config.apiPort, gateway: config.gatewayPort, gatewayGrpc: config.gatewayGrpcPort, temporal: config.temporal.port, temporalUi: config.temporal.uiPort, postgres: config.postgres.port, metrics: config.metricsPort ?? defaultMetricsPort };
  const leftovers = Object.keys(leftoverProcesses(config.home));
  if (leftovers.length > 0) return { detail: `held by leftovers of a killed supervisor (${leftovers.join(', ')}); the next start ends them` };
  const problems = await portProblems(portUses(chosen, 2, config.bind));
  return problems.length === 0 ? { detail: 'free' } : { detail: 'taken', fix: problems.join('; ') };
};

/** Runs every check, for the configuration of the environment or a given one; nothing is installed or changed. */
export const doctor = async (config: Config = readConfig()): Promise<Diagnosis> => {
  const checks = await Promise.all([
    check('Node', node),
    check('npm packages', npmPackages),
    check(postgresBinaries.name, tool(postgresBinaries, setUpCommand)),
    check(temporalCli.name, tool(temporalCli, setUpCommand)),
    check(python.name, tool(python, setUpCommand)),
    check('Home folder', home(config)),
    check('Disk space', diskSpace(config)),
    check('Clock', clock(config)),
    check('Ports', ports(config)),
    check(testServer.name, tool(testServer, setUpTestsCommand), true),
    check(versitygw.name, tool(versitygw, setUpTestsCommand), true),
    check(alertmanager.name, tool(alertmanager, setUpTestsCommand), true),
    check(prometheus.name, tool(prometheus, setUpTestsCommand), true),
  ]);
  const isBad = checks.some(({ ok, forTestsOnly }) => !ok && forTestsOnly !== true);
  return { checks, exitCode: isBad ? 1 : 0 };
};

/** The diagnosis as lines for a terminal. */
export const formatDiagnosis = ({ checks }: Diagnosis): string[] =>
  checks.flatMap(({ name, ok, detail, fix, forTestsOnly }) => [
    `${ok ? '✓' : forTestsOnly === true ? '○' : '✗'} ${name}: ${detail}`,
    ...(fix === undefined ? [] : [`    ${forTestsOnly === true ? 'needed for the tests only: ' : ''}${fix}`]),
  ]);
