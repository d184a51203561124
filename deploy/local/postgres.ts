/**
 * The embedded PostgreSQL of a home folder: the binaries come with npm, the data stays in the home (or where
 * postgres-location.ts says), the password is random and kept in the home.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { locatePostgres, type PostgresLocation } from './postgres-location.ts';
import type { Program } from './processes/program.ts';
import { runCommand } from './tools/command.ts';
import { identityOf } from './tools/process-identity.ts';

const host = '127.0.0.1';
const role = 'perennial';
const database = 'perennial';

export type Postgres = {
  /** How the supervisor runs it. */
  program: Program;
  /** Address of the database `perennial`, with its password; also in `<home>/postgres-url`. */
  url: string;
};

/** Writes a secret so that no other user can read it, not even for a moment. */
export const writeSecret = (path: string, text: string): void => {
  rmSync(`${path}.new`, { force: true });
  writeFileSync(`${path}.new`, `${text}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(`${path}.new`, path);
};

/** The password of this home: made once, before the data that it opens. */
const passwordOf = (home: string, dataExists: boolean): string => {
  const path = join(home, 'postgres-password');
  if (existsSync(path)) return readFileSync(path, 'utf8').trim();
  if (dataExists) throw new Error(`${path} is gone, and PostgreSQL's data cannot be opened without it: bring it back, or remove ${home} to begin anew`);
  const password = randomBytes(24).toString('base64url');
  writeSecret(path, password);
  return password;
};

/** Makes the data folder, complete or not at all: an interrupted one is begun anew. */
const initialise = async ({ folder, native, user }: PostgresLocation, password: string): Promise<void> => {
  const partial = join(folder, 'data.partial');
  rmSync(partial, { recursive: true, force: true });
  const passwordFile = join(folder, 'initial-password');
  writeSecret(passwordFile, password);
  if (user !== undefined) chownSync(passwordFile, user.uid, user.gid);
  try {
    // A collation from PostgreSQL itself: rows sort alike on every machine, whatever its locales are.
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const access = [`--username=${role}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
    const initdb = join(native, 'bin', 'initdb');
    await runCommand([initdb, `--pgdata=${partial}`, ...access, ...locale], { user, cwd: folder, timeoutMs: 120_000 });
    chmodSync(partial, 0o700);
    renameSync(partial, join(folder, 'data'));
  } finally {
    rmSync(passwordFile, { force: true });
  }
};

/**
 * Removes a postmaster.pid whose process id belongs to another program now. PostgreSQL itself sees through a dead id,
 * but takes any live process of its user for a server on its data; in a container ids come again quickly.
 */
const clearForeignPidFile = (dataFolder: string): void => {
  const path = join(dataFolder, 'postmaster.pid');
  if (!existsSync(path)) return;
  const holder = identityOf(Number.parseInt(readFileSync(path, 'utf8'), 10));
  if (holder !== undefined && !holder.command.includes(dataFolder)) rmSync(path, { force: true });
};

const settings: Record<string, string> = {
  listen_addresses: host,
  // TCP only: a socket file would need a folder that both users can write.
  unix_socket_directories: '',
  max_connections: '200',
  fsync: 'on',
  synchronous_commit: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Parallel queries want more shared memory than containers have, and the work here is small.
  max_parallel_workers_per_gather: '0',
  jit: 'off',
};

const answers = async (url: string): Promise<boolean> => {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  // A server that dies while it is asked is a "no", told by the query; without a listener it would end this process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } finally {
    await client.end().catch(() => undefined);
  }
};

const programOf = (location: PostgresLocation, port: number, adminUrl: string): Program => {
  const dataFolder = join(location.folder, 'data');
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return {
    name: 'postgres',
    command: [join(location.native, 'bin', 'postgres'), '-D', dataFolder, '-p', String(port), ...flags],
    environment: { LC_ALL: 'C', TZ: 'UTC' },
    user: location.user,
    cwd: location.folder,
    prepare: async () => clearForeignPidFile(dataFolder),
    ready: { probe: () => answers(adminUrl) },
    // SIGINT is PostgreSQL's quick clean end: it does not wait for clients to leave.
    stopSignal: 'SIGINT',
    stopMs: 20_000,
  };
};

const urlOf = (password: string, port: number, name: string): string => `postgres://${role}:${password}@${host}:${port}/${name}`;

export type PostgresOptions = {
  home: string;
  port: number;
  /** Folder of the binaries; default: where npm put them. */
  native?: string;
};

/** Makes the data folder when it is not there and says how to run the server; starts nothing. */
export const preparePostgres = async ({ home, port, native }: PostgresOptions): Promise<Postgres> => {
  const location = await locatePostgres(home, native);
  const dataExists = existsSync(join(location.folder, 'data'));
  const password = passwordOf(home, dataExists);
  if (!dataExists) await initialise(location, password);
  const url = urlOf(password, port, database);
  writeSecret(join(home, 'postgres-url'), url);
  return { program: programOf(location, port, urlOf(password, port, 'postgres')), url };
};

/** Makes the database on a running server when it is not there. */
export const ensureDatabase = async (url: string): Promise<void> => {
  const admin = new URL(url);
  admin.pathname = '/postgres';
  const client = new Client({ connectionString: admin.href, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [database]);
    if (rowCount === 0) await client.query(`create database ${database}`);
  } finally {
    await client.end();
  }
};
