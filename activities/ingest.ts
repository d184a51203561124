/**
 * The ingest step: makes an immutable dataset version of the source files. Files are stored under their hash, so an attempt that
 * follows a broken one pays a hash for each file that is there already, and the same files are the same version, read no further.
 */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { StepActivities } from '../contracts/activities.ts';
import type { ArtifactRef } from '../contracts/artifact.ts';
import { DatasetManifest, type DatasetVersionRef } from '../contracts/dataset.ts';
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
type StoredFile = SourceFile & { artifact: ArtifactRef; md5: string };
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
      const md5 = createHash('md5');
      let done = before;
      const onChunk = (chunk: Uint8Array): void => {
        md5.update(chunk);
        done += chunk.byteLength;
        tools.report({ progress: { done, total, what: `storing ${file.path}` } });
      };
      const artifact = await artifacts.putFile(file.location, onChunk).catch((error: unknown) => {
        throw unreadable(file, error);
      });
      before += file.bytes;
      files.push({ ...file, artifact, md5: md5.digest('hex') });
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
  const local = tables.map(({ name, format, masked, files: own }) => ({ name, format, files: own.map(({ location }) => location), ...(masked === undefined ? {} : { masked }) }));
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
      ...(table.masked === undefined ? {} : { masked: table.masked }),
      rows: found.rows,
      columns: found.columns,
      files: table.files.map(({ path, artifact, md5 }, number) => ({ path, artifact, md5, rows: rows(number) })),
      profile: found.profile,
    };
  });
};

/** Hash over table names, formats, masked columns, file paths and file hashes: the dataset version. */
const treeHash = (tables: StoredTable[]): string => {
  const lines = tables.flatMap(({ name, format, masked = [], files }) => files.map(({ path, artifact }) => `${[name, format, ...masked, path, artifact.sha256].join('\0')}\0`));
  return createHash('sha256').update(lines.sort().join('')).digest('hex');
};

const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);

/** What is known of this version already: its files need not be read again. */
const recordedManifest = async ({ ledger }: IngestPorts, dataset: string, version: string): Promise<DatasetManifest | undefined> => {
  // What an older release wrote may lack something: then the files are read again.
  const recorded = DatasetManifest.safeParse(await ledger.datasetManifest(dataset, version));
  return recorded.success ? recorded.data : undefined;
};

const inspectedManifest = async (ports: IngestPorts, input: { dataset: string; version: string; tables: StoredTable[] }, tools: ActivityTools): Promise<DatasetManifest> => {
  const tables = await inspectTables(ports, input.tables, tools);
  const files = tables.flatMap((table) => table.files);
  // By the schema, so that its keys have one order, whether it is made now or was recorded: the same bytes.
  return DatasetManifest.parse({ dataset: input.dataset, version: input.version, tables, rows: sum(tables.map(({ rows }) => rows)), bytes: sum(files.map(({ artifact }) => artifact.bytes)) });
};

const ingest = async (ports: IngestPorts, input: Input, tools: ActivityTools): Promise<DatasetVersionRef> => {
  const found = await findSourceFiles(input.source, ports.sourceRoots);
  const tables = await storeTables(ports, found, tools);
  const version = treeHash(tables);
  const recorded = await recordedManifest(ports, input.dataset, version);
  const manifest = recorded ?? (await inspectedManifest(ports, { dataset: input.dataset, version, tables }, tools));
  const { dataset, rows, bytes } = manifest;
  const artifact = await ports.artifacts.put(jsonBytes(manifest));
  ports.faults.reach('ingest.after-put');
  // The whole manifest: the API shows it without the artifact store.
  if (recorded === undefined) await ports.ledger.recordDataset({ name: dataset, version, manifest, rows, bytes, runId: input.context.runId });
  ports.faults.reach('ingest.after-commit');
  return { dataset, version, manifest: artifact, rows, bytes, files: sum(manifest.tables.map(({ files }) => files.length)) };
};

/** Creates the ingest activity. Again with the same files it is the same version; files that arrived meanwhile make another one. */
export const createIngestActivity = (ports: IngestPorts): Pick<StepActivities, 'ingest'> => ({
  ingest: step(ports.ledger, (input: Input, tools) => ingest(ports, input, tools)),
});
