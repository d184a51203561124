/** The ingest step: the files of the source become a dataset version, content-addressed, so that a second ingest of the same bytes is the same version. */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { StepActivities } from '../contracts/activities.ts';
import type { DatasetManifest, DatasetVersionRef } from '../contracts/dataset.ts';
import type { SourceSpec } from '../contracts/pipeline.ts';
import type { ArtifactStore } from '../domain/ports/artifact-store.ts';
import type { DataEngine, LocalTable } from '../domain/ports/data-engine.ts';
import type { RunLedger } from '../domain/ports/run-ledger.ts';
import { step, type ActivityTools } from './boundary.ts';
import { downloadTables, withScratch, type Scratch } from './dataset-files.ts';
import { findSourceFiles } from './source-files.ts';

export type IngestPorts = { ledger: RunLedger; artifacts: ArtifactStore; engine: DataEngine; scratch: Scratch; sourceRoots: string[] };

type Input = Parameters<StepActivities['ingest']>[0];
type Table = DatasetManifest['tables'][number];
type StoredTable = Pick<Table, 'name' | 'format'> & { files: Omit<Table['files'][number], 'rows'>[] };

const findTables = (source: SourceSpec, roots: string[]): Promise<LocalTable[]> =>
  Promise.all(
    Object.entries(source.tables).map(async ([name, { files, format }]) => ({ name, format, files: await findSourceFiles(name, typeof files === 'string' ? [files] : files, roots) })),
  );

/** Stores what is not in the store yet; a retry finds the files of the attempt before by their hashes. */
const storeTables = async (artifacts: ArtifactStore, tables: LocalTable[], tools: ActivityTools): Promise<StoredTable[]> => {
  const total = tables.reduce((sum, table) => sum + table.files.length, 0);
  let done = 0;
  const stored: StoredTable[] = [];
  for (const { name, format, files } of tables) {
    const storedFiles: StoredTable['files'] = [];
    for (const path of files) {
      storedFiles.push({ path: `${name}/${basename(path)}`, artifact: await artifacts.putFile(path) });
      tools.report({ progress: { done: (done += 1), total, what: 'storing files' } });
    }
    stored.push({ name, format, files: storedFiles });
  }
  return stored;
};

/** sha256 over table, path and file hash of every file, sorted: the version depends on content and names, on nothing else. */
const treeHash = (tables: StoredTable[]): string => {
  const lines = tables.flatMap(({ name, files }) => files.map(({ path, artifact }) => `${name}\0${path}\0${artifact.sha256}\0`));
  return createHash('sha256').update(lines.sort().join('')).digest('hex');
};

/** Rows and columns are read from the stored bytes, not from the source, which may change meanwhile. */
const describe = async (ports: IngestPorts, stored: StoredTable[], tools: ActivityTools): Promise<Table[]> =>
  withScratch(ports.scratch, 'ingest', async (folder) => {
    const draft = { dataset: '', version: '', rows: 0, bytes: 0, tables: stored.map((table) => ({ ...table, rows: 0, columns: [], files: table.files.map((file) => ({ ...file, rows: 0 })) })) };
    const local = await downloadTables(ports.artifacts, draft, { folder, tools });
    const inspected = await ports.engine.inspect(local);
    return stored.map((table) => {
      const found = inspected.find(({ name }) => name === table.name);
      if (found === undefined) throw new Error(`the engine did not inspect table ${table.name}`);
      return { ...table, rows: found.rows, columns: found.columns, files: table.files.map((file, index) => ({ ...file, rows: found.rowsPerFile[index] ?? 0 })) };
    });
  });

const ingest = async (ports: IngestPorts, { context, dataset, source }: Input, tools: ActivityTools): Promise<DatasetVersionRef> => {
  const { artifacts, ledger } = ports;
  const stored = await storeTables(artifacts, await findTables(source, ports.sourceRoots), tools);
  const version = treeHash(stored);
  const tables = await describe(ports, stored, tools);
  const files = tables.flatMap((table) => table.files);
  const totals = { rows: tables.reduce((sum, table) => sum + table.rows, 0), bytes: files.reduce((sum, { artifact }) => sum + artifact.bytes, 0) };
  const manifest = await artifacts.put(Buffer.from(JSON.stringify({ dataset, version, tables, ...totals } satisfies DatasetManifest)));
  await ledger.recordDataset({ name: dataset, version, manifest, ...totals, runId: context.runId });
  return { dataset, version, manifest, ...totals, files: files.length };
};

/** Again with the same files it is the same version; files that arrived meanwhile make another one. */
export const createIngestActivity = (ports: IngestPorts): Pick<StepActivities, 'ingest'> => ({
  ingest: step(ports.ledger, (input: Input, tools) => ingest(ports, input, tools)),
});
