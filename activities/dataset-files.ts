/** The files of a dataset version on local disk, for the steps that read them. */
import { join } from 'node:path';
import { DatasetManifest, type DatasetVersionRef } from '../contracts/dataset.ts';
import type { ArtifactStore } from '../domain/ports/artifact-store.ts';
import type { LocalTable } from '../domain/ports/data-engine.ts';
import type { ActivityTools } from './boundary.ts';

export type Scratch = (purpose: string) => Promise<{ folder: string; dispose(): Promise<void> }>;

/** Runs the work with a folder that is gone afterwards. */
export const withScratch = async <T>(scratch: Scratch, purpose: string, work: (folder: string) => Promise<T>): Promise<T> => {
  const { folder, dispose } = await scratch(purpose);
  try {
    return await work(folder);
  } finally {
    await dispose();
  }
};

export const readManifest = async (artifacts: ArtifactStore, dataset: DatasetVersionRef): Promise<DatasetManifest> =>
  DatasetManifest.parse(JSON.parse(Buffer.from(await artifacts.get(dataset.manifest)).toString()));

/**
 * Downloads every file, verified by its hash, and says how far it is. A file keeps the name that it had in its source, in front of
 * which stands its number: errors name it so, and names of other folders do not collide.
 */
export const downloadTables = async (artifacts: ArtifactStore, manifest: DatasetManifest, place: { folder: string; tools: ActivityTools }): Promise<LocalTable[]> => {
  const total = manifest.tables.reduce((sum, table) => sum + table.files.length, 0);
  let done = 0;
  const tables: LocalTable[] = [];
  for (const { name, format, files } of manifest.tables) {
    const paths: string[] = [];
    for (const [number, file] of files.entries()) {
      const path = join(place.folder, `${name}-${number}-${file.path.slice(file.path.lastIndexOf('/') + 1)}`);
      await artifacts.download(file.artifact, path);
      paths.push(path);
      place.tools.report({ progress: { done: (done += 1), total, what: 'reading the dataset' } });
    }
    tables.push({ name, format, files: paths });
  }
  return tables;
};
