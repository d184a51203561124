/** Two real data sets from ingest to the API, the command line and the real DVC client: versions, profiles, diffs, and the same bytes at the end. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createIngestActivity } from '../../../activities/ingest.ts';
import { createDataEngine } from '../../../adapters/duckdb/index.ts';
import { createArtifactStore } from '../../../adapters/objectstore/index.ts';
import { createRunLedger } from '../../../adapters/postgres/run-ledger.ts';
import { runCommandLine } from '../../../cli/command-line.ts';
import type { DatasetVersionRef } from '../../../contracts/dataset.ts';
import { SourceSpec } from '../../../contracts/pipeline.ts';
import { dvcClient } from '../../../deploy/local/tools/client-environments.ts';
import { createTestApi, unreachableTemporal, type TestApi } from '../../support/api.ts';
import { startTestPostgres, type TestDatabase, type TestPostgres } from '../../support/database.ts';
import { stepContext } from '../../support/fakes.ts';
import { startActivity } from '../data/rig.ts';

const FLIGHTS = 'examples/flight-delays/data/flights';
const HDMA = 'test/references/data/hdma.csv';

let folder: string;
let postgres: TestPostgres;
let test: TestDatabase;
let api: TestApi;
let ingest: (dataset: string, tables: Record<string, unknown>) => Promise<DatasetVersionRef>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'datasets-'));
  postgres = await startTestPostgres();
  test = await postgres.createDatabase();
  const artifacts = createArtifactStore({ kind: 'local', folder: join(folder, 'store') });
  const engine = createDataEngine({ scratchFolder: join(folder, 'scratch'), memoryLimit: '512MB', threads: 2 });
  const { ingest: activity } = createIngestActivity({ ledger: createRunLedger(test), artifacts, engine, sourceRoots: [process.cwd(), folder], faults: { reach: () => undefined } });
  ingest = (dataset, tables) => startActivity(activity, { context: stepContext(), dataset, source: SourceSpec.parse({ tables }) }).outcome;
  api = await createTestApi(test, await unreachableTemporal(), { artifacts });
  vi.stubEnv('PERENNIAL_URL', await api.app.listen({ host: '127.0.0.1', port: 0 }));
  vi.stubEnv('PERENNIAL_API_KEY', await api.keyOf('viewer'));
}, 120_000);

afterAll(async () => {
  vi.unstubAllEnvs();
  await api?.app.close();
  await test?.drop();
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What a command printed. */
const perennial = async (...words: string[]): Promise<string> => {
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  try {
    expect(await runCommandLine(['node', 'perennial', 'dataset', ...words])).toBe(0);
  } finally {
    spy.mockRestore();
  }
  return written.join('');
};
const json = async (...words: string[]) => JSON.parse(await perennial(...words, '--json')) as Record<string, unknown>;

/** DVC in a folder, with a home of its own. */
const dvc = async (cwd: string, ...words: string[]): Promise<string> => {
  const python = dvcClient.find();
  if (python === undefined) throw new Error('the environment of DVC is missing: run `npm run setup`');
  const env = { PATH: `${dirname(python)}:/usr/bin:/bin`, HOME: folder, XDG_CONFIG_HOME: join(folder, 'config'), XDG_CACHE_HOME: join(folder, 'cache'), DVC_NO_ANALYTICS: '1', LANG: 'C.UTF-8' };
  const { stdout } = await promisify(execFile)(python, ['-m', 'dvc', ...words], { cwd, env, timeout: 120_000 });
  return stdout;
};
const repository = async (name: string, remote?: string): Promise<string> => {
  const path = join(folder, name);
  await mkdir(path);
  await dvc(path, 'init', '--no-scm', '--quiet');
  if (remote !== undefined) await dvc(path, 'remote', 'add', '--default', 'perennial', remote);
  return path;
};
const month = (number: number): string => `2013-${String(number).padStart(2, '0')}.parquet`;

it('flights: winter and a year to July are versions whose difference is told, and DVC pulls them byte for byte', async () => {
  const winter = await ingest('flights', { flights: { files: [1, 2, 3].map((number) => `${FLIGHTS}/${month(number)}`) } });
  const longer = await ingest('flights', { flights: { files: [1, 2, 3, 4, 5, 6, 7].map((number) => `${FLIGHTS}/${month(number)}`) } });
  expect(await json('list')).toMatchObject({ datasets: [{ name: 'flights', version: longer.version, versions: 2, rows: longer.rows }] });
  const shown = await perennial('get', 'flights', 'latest');
  expect(shown).toContain(`flights: ${longer.rows} rows in 7 parquet files`);
  expect(shown).toMatch(/\ncarrier +VARCHAR +0 +16 /);
  const diff = await json('diff', 'flights', '--from', winter.version.slice(0, 10));
  expect(diff).toMatchObject({ from: winter.version, to: longer.version, tables: [{ state: 'changed', rows: { from: winter.rows, to: longer.rows }, files: { added: { length: 4 }, same: 3 }, schema: { added: [], removed: [], retyped: [] } }] });
  const changed = (diff as { tables: { columns: { column: string; distance: number; reasons: string[] }[] }[] }).tables[0]!.columns.filter(({ reasons }) => reasons.length > 0).map(({ column }) => column);
  expect(changed).toContain('month');
  expect(changed).not.toContain('day');
  expect(await perennial('diff', 'flights')).toMatch(/~ month: the values are distributed otherwise: distance 0\.\d+/);

  const remote = join(folder, 'remote');
  const repo = await repository('flights-repository', remote);
  expect(await json('export', 'flights', winter.version, '--remote', remote, '--file', join(repo, 'flights.dvc'))).toMatchObject({ fetched: 3, kept: 0 });
  expect(await json('export', 'flights', '--remote', remote, '--file', join(repo, 'flights.dvc'))).toMatchObject({ version: longer.version, fetched: 4, kept: 3 });
  await dvc(repo, 'pull', 'flights.dvc');
  for (let number = 1; number <= 7; number += 1) {
    expect((await readFile(join(repo, 'flights', 'flights', month(number)))).equals(await readFile(`${FLIGHTS}/${month(number)}`)), month(number)).toBe(true);
  }
  expect(await readdir(join(repo, 'flights', 'flights'))).toHaveLength(7);
  expect(await dvc(repo, 'status')).toMatch(/up to date/);
});

it('mortgages: names that JSON escapes, one file in two tables, a changed schema; what `dvc add` writes is what we wrote', async () => {
  const source = join(folder, 'hdma');
  await mkdir(source);
  await copyFile(HDMA, join(source, 'köln "1990" 🏠.csv'));
  const lines = (await readFile(HDMA, 'utf8')).trimEnd().split('\n');
  const tables = { applications: { files: 'hdma/*.csv', format: 'csv' }, copy: { files: HDMA, format: 'csv' } };
  const first = await ingest('hdma', tables);
  expect(await ingest('hdma', tables)).toEqual(first);
  const [later, remote] = [join(folder, 'hdma', 'köln "1990" 🏠.csv'), join(folder, 'remote')];
  // All were denied, the column `self` is gone, and a third of the rows.
  await writeFile(later, lines.slice(0, 1_600).map((line, index) => (index === 0 ? line : line.replace(/"[a-z]+"$/, '"yes"')).split(',').filter((_cell, column) => column !== 8).join(',')).join('\n'));
  const second = await ingest('hdma', tables);
  expect((await perennial('diff', 'hdma', '--from', first.version, '--to', second.version)).replaceAll(/[0-9a-f]{12}/g, 'V')).toMatch(
    /^hdma: V to V\n\napplications: changed, 2381 to 1599 rows; files: 0 added, 0 removed, 1 changed, 0 the same\n {2}- self VARCHAR\n(.*\n)* {2}~ deny: the values are distributed otherwise: distance 0\.88/,
  );

  expect(await json('export', 'hdma', first.version, '--remote', remote, '--file', join(folder, 'ours.dvc'))).toMatchObject({ version: first.version });
  expect(await json('pull', 'hdma', first.version, '--to', join(folder, 'pulled', 'hdma'))).toMatchObject({ fetched: 2, kept: 0 });
  expect(await json('pull', 'hdma', first.version, '--to', join(folder, 'pulled', 'hdma'))).toMatchObject({ fetched: 0, kept: 2 });
  for (const path of ['applications/köln "1990" 🏠.csv', 'copy/hdma.csv']) expect((await readFile(join(folder, 'pulled', 'hdma', path))).equals(await readFile(HDMA)), path).toBe(true);

  const theirs = await repository('their-repository');
  await promisify(execFile)('cp', ['-r', join(folder, 'pulled', 'hdma'), join(theirs, 'hdma')]);
  await dvc(theirs, 'add', 'hdma');
  expect(await readFile(join(folder, 'ours.dvc'), 'utf8')).toBe(await readFile(join(theirs, 'hdma.dvc'), 'utf8'));

  const ours = await repository('our-repository', remote);
  await copyFile(join(folder, 'ours.dvc'), join(ours, 'hdma.dvc'));
  await dvc(ours, 'pull');
  expect((await readFile(join(ours, 'hdma', 'applications', 'köln "1990" 🏠.csv'))).equals(await readFile(HDMA))).toBe(true);
});

it('gives no file that is not of the version, and breaks off when the stored bytes are damaged', async () => {
  const ref = await ingest('small', { t: { files: HDMA, format: 'csv' } });
  const url = `/api/v1/datasets/small/${ref.version}/files`;
  const { sha256 } = (await api.as('viewer', { method: 'GET', url })).body.files[0] as { sha256: string };
  expect((await api.as('viewer', { method: 'GET', url: `${url}/${'0'.repeat(64)}` })).body.code).toBe('DatasetNotFound');
  expect((await api.as('viewer', { method: 'GET', url: `${url}/..%2f..%2fetc` })).status).toBe(400);
  expect((await api.request({ method: 'GET', url: `${url}/${sha256}` })).status).toBe(401);
  expect((await api.as('viewer', { method: 'GET', url: `/api/v1/datasets/small/${ref.version}/diff?from=${'a'.repeat(64)}` })).body.code).toBe('DatasetNotFound');
  const stored = join(folder, 'store', 'sha256', sha256.slice(0, 2), sha256);
  const bytes = await readFile(stored);
  bytes[1_000] = bytes[1_000]! ^ 1;
  await rm(stored);
  await writeFile(stored, bytes);
  const errors: string[] = [];
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => errors.push(String(text)) > 0);
  try {
    expect(await runCommandLine(['node', 'perennial', 'dataset', 'pull', 'small', '--to', join(folder, 'damaged')])).toBe(3);
  } finally {
    spy.mockRestore();
  }
  expect(errors.join('')).toMatch(/^error DownloadBroken: t\/hdma\.csv did not come whole/);
  expect(await readdir(join(folder, 'damaged', 't'))).toEqual([]);
});
