/**
 * A PostgreSQL server of a test file's own, with one database per test: copies of a template that was migrated once.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import pg from 'pg';
import { connectDatabase } from '../../adapters/postgres/client.ts';
import { migrate } from '../../adapters/postgres/migrate.ts';
import type { Database } from '../../adapters/postgres/schema.ts';
import { preparePostgres } from '../../deploy/local/postgres.ts';
import { removeOutsideData } from '../../deploy/local/postgres-location.ts';
import type { Program } from '../../deploy/local/processes/program.ts';
import { findFreePorts } from '../../deploy/local/processes/ports.ts';

const TEMPLATE = 'perennial_template';

export type TestDatabase = { url: string; database: Kysely<Database>; pool: pg.Pool; drop: () => Promise<void> };

export type TestPostgres = {
  /** A fresh, migrated database with a pool of its own. */
  createDatabase: () => Promise<TestDatabase>;
  /** As abrupt as a crash: no clean end, every connection is cut. (After `kill -9` of the parent alone, sessions go on for a moment.) */
  kill: () => Promise<void>;
  /** Starts it again on the same data and port. */
  start: () => Promise<void>;
  /** Ends it and removes its data. */
  stop: () => Promise<void>;
};

const waitForExit = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });

const spawnServer = async ({ command, cwd, environment, user, prepare, ready }: Program): Promise<ChildProcess> => {
  await prepare?.();
  const [file = '', ...args] = command;
  // Tests need no durability over a power cut.
  const child = spawn(file, [...args, '-c', 'fsync=off'], { cwd, env: { ...process.env, ...environment }, stdio: 'ignore', detached: true, ...user });
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`PostgreSQL ended with ${child.exitCode}`);
    if ('probe' in ready && (await ready.probe().catch(() => false))) return child;
    await delay(50);
  }
  throw new Error('PostgreSQL did not come up in 60 s');
};

const withAdmin = async <T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> => {
  const admin = new URL(url);
  admin.pathname = '/postgres';
  const client = new pg.Client({ connectionString: admin.href });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};

const databaseUrl = (url: string, name: string): string => {
  const address = new URL(url);
  address.pathname = `/${name}`;
  return address.href;
};

const makeTemplate = async (url: string): Promise<void> => {
  await withAdmin(url, (client) => client.query(`create database ${TEMPLATE}`));
  const { database } = connectDatabase(databaseUrl(url, TEMPLATE), { connections: 1 });
  await migrate(database);
  await database.destroy();
};

const createDatabase = async (url: string): Promise<TestDatabase> => {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await withAdmin(url, (client) => client.query(`create database ${name} template ${TEMPLATE}`));
  const own = databaseUrl(url, name);
  const { database, pool } = connectDatabase(own, { connections: 16 });
  const drop = async (): Promise<void> => {
    await database.destroy();
    await withAdmin(url, (client) => client.query(`drop database ${name} with (force)`));
  };
  return { url: own, database, pool, drop };
};

/** Starts the server; call `stop` in afterAll. */
export const startTestPostgres = async (): Promise<TestPostgres> => {
  const home = mkdtempSync(join(tmpdir(), 'perennial-postgres-'));
  // Under root PostgreSQL runs as another user, who must be able to enter.
  chmodSync(home, 0o755);
  const { postgres: port } = await findFreePorts();
  const { program, url } = await preparePostgres({ home, port });
  let child = await spawnServer(program);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await waitForExit(child);
  };
  // The server must not outlive a test process that ends early.
  const onExit = (): void => void child.kill('SIGQUIT');
  process.once('exit', onExit);
  await makeTemplate(url);
  return {
    createDatabase: () => createDatabase(url),
    kill: () => end('SIGQUIT'),
    start: async () => {
      child = await spawnServer(program);
    },
    stop: async () => {
      await end('SIGINT');
      process.off('exit', onExit);
      removeOutsideData(home);
      rmSync(home, { recursive: true, force: true });
    },
  };
};
