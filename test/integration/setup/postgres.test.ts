import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureDatabase, preparePostgres, type PostgresOptions } from '../../../deploy/local/postgres.ts';
import { locatePostgres, removeOutsideData } from '../../../deploy/local/postgres-location.ts';
import { createFleet, type Fleet } from '../../../deploy/local/processes/fleet.ts';
import { findFreePorts } from '../../../deploy/local/processes/ports.ts';
import { postgresNativeFolder } from '../../../deploy/local/tools/postgres-binaries.ts';

const isRoot = process.getuid?.() === 0;

let home: string;
let port: number;
let fleets: Fleet[];

/** Folder of mode 0700 that root owns, as a clone in root's own home or in what `mktemp -d` makes. */
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'perennial-postgres-'));
  port = (await findFreePorts()).postgres;
  fleets = [];
  expect(statSync(home).mode & 0o777).toBe(0o700);
});

afterEach(async () => {
  for (const fleet of fleets) await fleet.stop();
  removeOutsideData(home);
  rmSync(home, { recursive: true, force: true });
});

const startPostgres = async (options: Partial<PostgresOptions> = {}) => {
  const { program, url } = await preparePostgres({ home, port, ...options });
  const fleet = createFleet({ home, log: () => undefined, readyMs: 30_000 });
  fleets.push(fleet);
  await fleet.add(program);
  await ensureDatabase(url);
  return { fleet, url, program };
};

const query = async (url: string, text: string): Promise<Record<string, unknown>[]> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
};

test('starts from a folder of mode 0700, under root as another user', async () => {
  const { fleet, url } = await startPostgres();
  expect(await query(url, 'select current_database() as name')).toEqual([{ name: 'perennial' }]);
  const pid = fleet.processes.pid('postgres') ?? 0;
  if (process.platform === 'linux') {
    const owner = statSync(`/proc/${pid}`).uid;
    expect(owner === 0).toBe(false);
  }
  if (isRoot) expect(statSync(readFileSync(join(home, 'postgres-location'), 'utf8').trim()).mode & 0o777).toBe(0o700);
});

test('starts with binaries that only this user can reach', async () => {
  const clone = join(home, 'clone');
  mkdirSync(clone);
  cpSync(postgresNativeFolder, join(clone, 'native'), { recursive: true, verbatimSymlinks: true });
  writeFileSync(join(clone, 'package.json'), JSON.stringify({ version: `0.0.0-test-${process.pid}` }));
  const { program, url } = await startPostgres({ native: join(clone, 'native') });
  expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  const used = dirname(dirname(program.command[0] ?? ''));
  expect(used === join(clone, 'native')).toBe(!isRoot);
  await fleets[0]?.stop();
  if (isRoot) rmSync(used, { recursive: true });
});

test('keeps committed rows over kill -9, and comes back by itself', async () => {
  const { fleet, url } = await startPostgres();
  await query(url, 'create table kept (id int); insert into kept select generate_series(1, 1000)');
  const first = fleet.processes.pid('postgres');
  fleet.processes.kill('postgres', 'SIGKILL');
  await expect.poll(() => fleet.processes.pid('postgres') !== first && fleet.processes.state('postgres'), { timeout: 20_000 }).toBe('ready');
  expect(await query(url, 'select count(*)::int as rows from kept')).toEqual([{ rows: 1000 }]);
});

test('starts again on the same folder, with the same password, another port and a foreign process id in its pid file', async () => {
  const { fleet, url } = await startPostgres();
  await query(url, 'create table kept (id int)');
  await fleet.processes.pause('postgres');
  const { folder } = await locatePostgres(home);
  // As after a reboot of a container: the id of the old server is that of another live process now, here of this one.
  const pidFile = join(folder, 'data', 'postmaster.pid');
  const lines = readFileSync(pidFile, 'utf8').split('\n');
  writeFileSync(pidFile, [process.pid, ...lines.slice(1)].join('\n'));
  port = (await findFreePorts()).postgres;
  const again = await startPostgres();
  expect(new URL(again.url).password).toBe(new URL(url).password);
  expect(await query(again.url, 'select * from kept')).toEqual([]);
});

test('its address is a secret file, and a wrong password is refused', async () => {
  const { url } = await startPostgres();
  for (const name of ['postgres-url', 'postgres-password']) expect(statSync(join(home, name)).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(home, 'postgres-url'), 'utf8').trim()).toBe(url);
  const wrong = new URL(url);
  wrong.password = 'wrong';
  await expect(query(wrong.href, 'select 1')).rejects.toThrow(/password authentication failed/);
});

test('an interrupted first start is begun anew', async () => {
  const { folder } = await locatePostgres(home);
  mkdirSync(join(folder, 'data.partial'));
  writeFileSync(join(folder, 'data.partial', 'half'), 'of it');
  const { url } = await startPostgres();
  expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
});
