/** Dataset versions by name and hash, as the routes need them. */
import { z } from 'zod';
import { sql } from 'kysely';
import { DatasetManifest } from '../../contracts/dataset.ts';
import { Name } from '../../contracts/pipeline.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { ApiContext } from '../http/app-types.ts';

export const Version = z.string().regex(/^[0-9a-f]{8,64}$/, 'the hash of a dataset version, or the first 8 or more characters of it');
export const VersionParams = z.object({ name: Name, version: Version });

export type VersionRow = { name: string; version: string; manifest: unknown; rows: number; bytes: number; run_id: string; created_at: Date };

/** @throws PerennialFailure DatasetNotFound, also where the first characters of the hash are those of several versions */
export const findVersion = async ({ database }: Pick<ApiContext, 'database'>, { name, version }: z.infer<typeof VersionParams>): Promise<VersionRow> => {
  const rows = await database.selectFrom('datasets').selectAll().where('name', '=', name).where(sql<boolean>`starts_with(version, ${version})`).limit(2).execute();
  const [row] = rows;
  if (row === undefined || rows.length > 1) throw new PerennialFailure('DatasetNotFound', `the dataset "${name}" has ${row === undefined ? 'no version' : 'more than one version'} "${version}"`);
  return row;
};

/** @throws PerennialFailure DatasetNotFound, also for a manifest of an older release */
export const findManifest = async (context: Pick<ApiContext, 'database'>, params: z.infer<typeof VersionParams>): Promise<DatasetManifest> => {
  const row = await findVersion(context, params);
  const manifest = DatasetManifest.safeParse(row.manifest);
  if (manifest.success) return manifest.data;
  throw new PerennialFailure('DatasetNotFound', `the version ${row.version} of "${row.name}" was recorded by an older release, without all that this needs`, { fix: 'Run its pipeline again: the same files are recorded anew.' });
};
