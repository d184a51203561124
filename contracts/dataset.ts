/** Dataset versions: immutable, content-addressed snapshots of a pipeline's source tables. */
import { z } from 'zod';
import { ArtifactRef } from './artifact.ts';
import { ColumnProfile } from './dataset-profile.ts';

export const TableColumn = z.strictObject({ name: z.string(), type: z.string(), nulls: z.number().int() });

/** One file of a table: its path in the source, its bytes in the store (as they came) and its rows. `md5` (hexadecimal) is how DVC knows the same bytes. */
export const DatasetFile = z.strictObject({ path: z.string(), artifact: ArtifactRef, md5: z.string().regex(/^[0-9a-f]{32}$/), rows: z.number().int() });

export const DatasetTable = z.strictObject({
  name: z.string(),
  format: z.enum(['parquet', 'csv']),
  /** Columns whose values are shown nowhere. */
  masked: z.array(z.string()).optional(),
  rows: z.number().int(),
  columns: z.array(TableColumn),
  files: z.array(DatasetFile),
  /** One for each column, in their order. */
  profile: z.array(ColumnProfile),
});

/** Stored as JSON in the artifact store. `version` is the tree hash: sha256 over table names, formats, masked columns, file paths and file hashes, sorted. */
export const DatasetManifest = z.strictObject({
  dataset: z.string(),
  version: z.string(),
  tables: z.array(DatasetTable),
  rows: z.number().int(),
  bytes: z.number().int(),
});
export type DatasetManifest = z.infer<typeof DatasetManifest>;

export const DatasetVersionRef = z.strictObject({
  dataset: z.string(),
  version: z.string(),
  manifest: ArtifactRef,
  rows: z.number().int(),
  bytes: z.number().int(),
  files: z.number().int(),
});
export type DatasetVersionRef = z.infer<typeof DatasetVersionRef>;
