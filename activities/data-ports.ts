/** What the data steps need of the world, and the dataset files that they bring near. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactRef } from '../contracts/artifact.ts';
import { DatasetManifest, type DatasetVersionRef } from '../contracts/dataset.ts';
import { PerennialFailure } from '../domain/failure.ts';
import type { ArtifactStore } from '../domain/ports/artifact-store.ts';
import type { DataEngine, LocalTable } from '../domain/ports/data-engine.ts';
import type { RunLedger } from '../domain/ports/run-ledger.ts';
import type { ActivityTools } from './boundary.ts';
import { stopIfAborted } from './stop.ts';

/** Makes a folder for the files of one attempt. */
export type Scratch = (purpose: string) => Promise<{ folder: string; dispose(): Promise<void> }>;

export type DataPorts = { ledger: RunLedger; artifacts: ArtifactStore; engine: DataEngine; scratch: Scratch };

export const jsonBytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

export const readJson = async (artifacts: ArtifactStore, artifact: ArtifactRef): Promise<unknown> => JSON.parse(Buffer.from(await artifacts.get(artifact)).toString('utf8'));

/** Does the work in a scratch folder that is gone afterwards. */
export const inScratch = async <T>(scratch: Scratch, purpose: string, work: (folder: string) => Promise<T>): Promise<T> => {
  const { folder, dispose } = await scratch(purpose);
  try {
    return await work(folder);
  } finally {
    await dispose();
  }
};

/** Tables on local disk; `named` turns local paths in a failure's message back into the paths of the source, as `sourceOf` does with one. */
export type StagedDataset = { manifest: DatasetManifest; tables: LocalTable[]; named: <T>(work: Promise<T>) => Promise<T>; sourceOf: (local: string) => string };

const withSourceNames = (error: unknown, names: Map<string, string>): unknown => {
  if (!(error instanceof PerennialFailure)) return error;
  let { message } = error;
  for (const [local, path] of names) message = message.replaceAll(local, path);
  return message === error.message ? error : new PerennialFailure(error.code, message, { fix: error.fix, cause: error.cause });
};

/**
 * Brings the files of some tables of a dataset version (all by default) to `folder`, verified. They are copies, not links: a link to the store would
 * let whoever writes to a copy change the stored bytes.
 */
export const stageDataset = async (
  { artifacts }: Pick<DataPorts, 'artifacts'>,
  input: { dataset: DatasetVersionRef; folder: string; tables?: Set<string> },
  tools: ActivityTools,
): Promise<StagedDataset> => {
  const manifest = DatasetManifest.parse(await readJson(artifacts, input.dataset.manifest));
  const wanted = manifest.tables.filter(({ name }) => input.tables?.has(name) ?? true);
  const total = wanted.flatMap(({ files }) => files).reduce((sum, { artifact }) => sum + artifact.bytes, 0);
  const names = new Map<string, string>();
  let done = 0;
  const tables: LocalTable[] = [];
  for (const [index, table] of wanted.entries()) {
    const folder = join(input.folder, `table-${index}`);
    await mkdir(folder);
    const files: string[] = [];
    for (const [number, file] of table.files.entries()) {
      stopIfAborted(tools.signal);
      const local = join(folder, `${number}.${table.format}`);
      await artifacts.download(file.artifact, local);
      files.push(local);
      names.set(local, file.path);
      done += file.artifact.bytes;
      tools.report({ progress: { done, total, what: 'fetching the dataset' } });
    }
    tables.push({ name: table.name, format: table.format, files, columns: table.columns.map(({ name, type }) => ({ name, type })), ...(table.masked === undefined ? {} : { masked: table.masked }) });
  }
  const named = <T>(work: Promise<T>): Promise<T> => work.catch((error: unknown) => {
    throw withSourceNames(error, names);
  });
  return { manifest, tables, named, sourceOf: (local) => names.get(local) ?? local };
};
