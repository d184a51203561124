/** Ingest: which files a source may name, and the dataset version that they become. */
import { chmod, mkdir, readdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DatasetManifest } from '../../../contracts/dataset.ts';
import { SourceSpec } from '../../../contracts/pipeline.ts';
import { writeRows } from '../duckdb/source-files.ts';
import { stepContext } from '../../support/fakes.ts';
import { createRig, startActivity, type Rig } from './rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await createRig();
});
afterEach(() => rig.dispose());

const place = async (path: string, select = 'SELECT 1 AS id'): Promise<string> => {
  const full = join(rig.source, path);
  await mkdir(dirname(full), { recursive: true });
  return writeRows(full, select);
};
const ingest = (tables: Record<string, unknown>) =>
  startActivity(rig.activities.ingest, { context: stepContext(), dataset: 'flights', source: SourceSpec.parse({ tables }) });
const manifestOf = async (artifact: Parameters<Rig['artifacts']['get']>[0]): Promise<DatasetManifest> => DatasetManifest.parse(JSON.parse(Buffer.from(await rig.artifacts.get(artifact)).toString()));

describe('ingest', () => {
  it('makes a dataset version of the files, in order, with their bytes in the store', async () => {
    await place('flights/2013-02.parquet', 'SELECT 2 AS id UNION ALL SELECT NULL');
    await place('flights/2013-01.parquet');
    await place('planes.parquet', "SELECT 'N1' AS tailnum");
    const run = ingest({ planes: { files: 'planes.parquet' }, flights: { files: 'flights/*.parquet' } });
    const ref = await run.outcome;
    expect(ref).toMatchObject({ dataset: 'flights', rows: 4, files: 3 });
    const manifest = await manifestOf(ref.manifest);
    expect(manifest).toMatchObject({ version: ref.version, rows: 4 });
    expect(manifest.tables.map(({ name, rows, files }) => [name, rows, files.map((file) => [file.path, file.rows])])).toEqual([
      ['flights', 3, [['flights/2013-01.parquet', 1], ['flights/2013-02.parquet', 2]]],
      ['planes', 1, [['planes.parquet', 1]]],
    ]);
    expect(manifest.tables[0]?.columns).toEqual([{ name: 'id', type: 'INTEGER', nulls: 1 }]);
    for (const { files } of manifest.tables) for (const { artifact } of files) expect(await rig.artifacts.exists(artifact)).toBe(true);
    expect(rig.ledger.of('recordDataset')).toEqual([{ name: 'flights', version: ref.version, manifest, rows: 4, bytes: ref.bytes, runId: 'flights.r1' }]);
    expect(rig.ledger.of('finishStep')).toEqual([ref]);
    expect(run.heartbeats.at(-1)?.progress).toMatchObject({ what: 'reading the files' });
    expect(await readdir(rig.scratchFolder)).toEqual([]);
  });

  it('is the same version again, and another one when a file or its name changes', async () => {
    const file = await place('a.parquet');
    const tables = { t: { files: '*.parquet' } };
    const first = await ingest(tables).outcome;
    await utimes(file, 1, 1);
    expect(await ingest(tables).outcome).toEqual(first);
    await rename(file, join(rig.source, 'b.parquet'));
    const renamed = await ingest(tables).outcome;
    expect(renamed.version).not.toBe(first.version);
    await place('b.parquet', 'SELECT 2 AS id');
    expect((await ingest(tables).outcome).version).not.toBe(renamed.version);
  });

  it('finds files by globs, each once', async () => {
    for (const path of ['x/1.parquet', 'x/y/2.parquet', 'x/y/z/3.parquet', 'x/y/.hidden.parquet', 'x/4.csv', 'other.parquet']) await place(path);
    const filesOf = async (files: string | string[]): Promise<string[]> => (await manifestOf((await ingest({ t: { files } }).outcome).manifest)).tables[0]?.files.map(({ path }) => path) ?? [];
    expect(await filesOf('x/**/*.parquet')).toEqual(['x/1.parquet', 'x/y/2.parquet', 'x/y/z/3.parquet']);
    expect(await filesOf(['x/?.parquet', 'x/1.parquet', 'other.parquet'])).toEqual(['other.parquet', 'x/1.parquet']);
    expect(await filesOf(join(rig.source, 'x/*/*.parquet'))).toEqual(['x/y/2.parquet']);
    expect(await filesOf('./x/../x/1.parquet')).toEqual(['x/1.parquet']);
  });

  it.each([
    ['a path above', '../secret.parquet'],
    ['a way up in the middle', 'x/../../secret.parquet'],
    ['an absolute path elsewhere', '/etc/passwd'],
    ['a glob elsewhere', '/etc/*'],
    ['an address', 's3://bucket/rows.parquet'],
    ['a web address', 'https://example.com/rows.parquet'],
    ['a file address', 'file:///etc/passwd'],
    ['a NUL', 'x\0.parquet'],
  ])('refuses %s', async (_what, files) => {
    await writeRows(join(rig.folder, 'secret.parquet'), 'SELECT 1 AS id');
    await expect(ingest({ t: { files } }).outcome).rejects.toMatchObject({ type: 'SourceNotAllowed', nonRetryable: true });
    expect(rig.ledger.of('failStep')).toMatchObject([{ code: 'SourceNotAllowed', state: 'failed' }]);
  });

  it('refuses links that lead out of the folder, and follows those that do not', async () => {
    await writeRows(join(rig.folder, 'secret.parquet'), 'SELECT 1 AS id');
    await place('inside/real.parquet');
    await symlink(join(rig.source, 'inside'), join(rig.source, 'link-inside'));
    expect(await ingest({ t: { files: 'link-inside/*.parquet' } }).outcome).toMatchObject({ files: 1 });
    await symlink(join(rig.folder, 'secret.parquet'), join(rig.source, 'link.parquet'));
    await expect(ingest({ t: { files: '*.parquet' } }).outcome).rejects.toMatchObject({ type: 'SourceNotAllowed' });
    await rm(join(rig.source, 'link.parquet'));
    await symlink(rig.folder, join(rig.source, 'up'));
    await expect(ingest({ t: { files: 'up/secret.parquet' } }).outcome).rejects.toMatchObject({ type: 'SourceNotAllowed' });
  });

  it.each(['nothing.parquet', 'nothing/*.parquet', 'folder', 'folder/**'])('finds nothing at %s', async (files) => {
    await mkdir(join(rig.source, 'folder'));
    await expect(ingest({ t: { files } }).outcome).rejects.toMatchObject({ type: 'SourceNotFound', nonRetryable: true, message: expect.stringContaining(files) as string });
  });

  it('names a damaged file, and a file with another schema, by their paths in the source', async () => {
    await place('good.parquet');
    await writeFile(join(rig.source, 'late.parquet'), 'no parquet');
    await expect(ingest({ t: { files: '*.parquet' } }).outcome).rejects.toMatchObject({ type: 'SourceCorrupt', message: expect.stringMatching(/^late\.parquet cannot be read as parquet/) as string });
    await place('late.parquet', "SELECT 'x' AS id");
    await expect(ingest({ t: { files: '*.parquet' } }).outcome).rejects.toMatchObject({ type: 'SchemaChanged', message: expect.stringMatching(/late\.parquet/) as string });
  });

  it('ends early when the run is cancelled, and leaves no process and no folder', async () => {
    await place('many.parquet', 'SELECT range AS id, md5(range::VARCHAR) AS text FROM range(500000)');
    const run = ingest({ t: { files: 'many.parquet' } });
    run.environment.on('heartbeat', () => run.environment.cancel('CANCELLED'));
    await expect(run.outcome).rejects.toMatchObject({ name: 'CancelledFailure' });
    expect(rig.ledger.of('failStep')).toMatchObject([{ state: 'cancelled' }]);
    expect(await readdir(rig.scratchFolder)).toEqual([]);
  });

  it('is tried again when the worker shuts down, and when the store is away', async () => {
    await place('a.parquet');
    const stopped = ingest({ t: { files: 'a.parquet' } });
    stopped.environment.on('heartbeat', () => stopped.environment.cancel('WORKER_SHUTDOWN'));
    await expect(stopped.outcome).rejects.toThrow(/the worker stopped/);
    await rm(rig.storeFolder, { recursive: true });
    await writeFile(rig.storeFolder, '');
    await expect(ingest({ t: { files: 'a.parquet' } }).outcome).rejects.toMatchObject({ type: 'ArtifactStoreUnavailable', nonRetryable: false });
    await chmod(rig.storeFolder, 0o644);
  });
});
