/**
 * The ingest step: makes an immutable dataset version of the source files. Files are stored under their hash, so an attempt that
 * follows a broken one pays a hash for each file that is there already, and the same files are the same version.
 */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { StepActivities } from '../contracts/activities.ts';
import type { ArtifactRef } from '../contracts/artifact.ts';
import type { DatasetManifest, DatasetVersionRef } from '../contracts/dataset.ts';
import { PerennialFailure } from '../domain/failure.ts';
import type { FaultPoints } from '../domain/ports/fault-points.ts';
import { step, type ActivityTools } from './boundary.ts';
import { jsonBytes, type DataPorts } from './data-ports.ts';
import { findSourceFiles, type SourceFile } from './source-files.ts';
import { orStopped, stopIfAborted } from './stop.ts';

export type IngestPorts = Pick<DataPorts, 'ledger' | 'artifacts' | 'engine'> & {
  /** Folders from which files may come, absolute. */
  sourceRoots: string[];
  faults: FaultPoints;
};

type Input = Parameters<StepActivities['ingest']>[0];
type FoundTable = Awaited<ReturnType<typeof findSourceFiles>>[number];
type StoredFile = SourceFile & { artifact: ArtifactRef };
type StoredTable = Omit<FoundTable, 'files'> & { files: StoredFile[] };

const UNREADABLE = new Set(['ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR']);

const unreadable = (file: SourceFile, error: unknown): unknown => {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return UNREADABLE.has(code) ? new PerennialFailure('SourceCorrupt', `${file.path} cannot be read (${code})`, { cause: error }) : error;
};

const storeTables = async ({ artifacts }: IngestPorts, tables: FoundTable[], tools: ActivityTools): Promise<StoredTable[]> => {
  const total = tables.flatMap(({ files }) => files).reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  const stored: StoredTable[] = [];
  for (const table of tables) {
    const files: StoredFile[] = [];
    for (const file of table.files) {
      stopIfAborted(tools.signal);
      const onProgress = (bytes: number): void => tools.report({ progress: { done: before + bytes, total, what: `storing ${file.path}` } });
      const artifact = await artifacts.putFile(file.location, onProgress).catch((error: unknown) => {
        throw unreadable(file, error);
      });
      before += file.bytes;
      files.push({ ...file, artifact });
    }
    stored.push({ ...table, files });
  }
  return stored;
};

/** The bytes that were inspected must be the bytes that were stored. */
const requireUnchanged = async (files: StoredFile[]): Promise<void> => {
  for (const file of files) {
    const now = await stat(file.location).catch(() => undefined);
    if (now?.size !== file.artifact.bytes || now.mtimeMs !== file.modifiedMs) {
      // No mistake of anyone: the next attempt finds the file as it will be then.
      throw new Error(`${file.path} changed while it was ingested`);
    }
  }
};

/** Messages of the engine name files by their place on this worker; a user knows them by their path in the source. */
const withSourceNames = (error: unknown, files: StoredFile[]): unknown => {
  if (!(error instanceof PerennialFailure)) return error;
  const message = files.reduce((text, { location, path }) => text.replaceAll(location, path), error.message);
  return new PerennialFailure(error.code, message, { fix: error.fix, cause: error.cause });
};

const inspectTables = async ({ engine }: IngestPorts, tables: StoredTable[], tools: ActivityTools): Promise<DatasetManifest['tables']> => {
  const files = tables.flatMap((table) => table.files);
  tools.report({ progress: { done: 0, total: files.length, what: 'reading the files' } });
  const local = tables.map(({ name, format, files: own }) => ({ name, format, files: own.map(({ location }) => location) }));
  const inspected = await orStopped(tools.signal, engine.inspect(local, { signal: tools.signal })).catch((error: unknown) => {
    throw withSourceNames(error, files);
  });
  await requireUnchanged(files);
  return tables.map((table, index) => {
    const found = inspected[index];
    if (found === undefined) throw new Error(`table ${table.name} was not inspected`);
    const rows = (number: number): number => found.rowsPerFile[number] ?? 0;
    return {
      name: table.name,
      format: table.format,
      rows: found.rows,
      columns: found.columns,
      files: table.files.map(({ path, artifact }, number) => ({ path, artifact, rows: rows(number) })),
    };
  });
};

/** Hash over table names, file paths and file hashes: the dataset version. */
const treeHash = (tables: DatasetManifest['tables']): string => {
  const lines = tables.flatMap(({ name, files }) => files.map(({ path, artifact }) => `${name}\0${path}\0${artifact.sha256}\0`));
  return createHash('sha256').update(lines.sort().join('')).digest('hex');
};

const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);

const ingest = async (ports: IngestPorts, input: Input, tools: ActivityTools): Promise<DatasetVersionRef> => {
  const found = await findSourceFiles(input.source, ports.sourceRoots);
  const tables = await inspectTables(ports, await storeTables(ports, found, tools), tools);
  const files = tables.flatMap((table) => table.files);
  const manifest: DatasetManifest = {
    dataset: input.dataset,
    version: treeHash(tables),
    tables,
    rows: sum(tables.map(({ rows }) => rows)),
    bytes: sum(files.map(({ artifact }) => artifact.bytes)),
  };
  const { dataset, version, rows, bytes } = manifest;
  const artifact = await ports.artifacts.put(jsonBytes(manifest));
  ports.faults.reach('ingest.after-put');
  // The whole manifest: the API shows it without the artifact store.
  await ports.ledger.recordDataset({ name: dataset, version, manifest, rows, bytes, runId: input.context.runId });
  ports.faults.reach('ingest.after-commit');
  return { dataset, version, manifest: artifact, rows, bytes, files: files.length };
};

/** Creates the ingest activity. Again with the same files it is the same version; files that arrived meanwhile make another one. */
export const createIngestActivity = (ports: IngestPorts): Pick<StepActivities, 'ingest'> => ({
  ingest: step(ports.ledger, (input: Input, tools) => ingest(ports, input, tools)),
});
