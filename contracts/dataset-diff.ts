/** What changed between two versions of a dataset: files, rows, schema, and how the values of the columns are distributed. */
import { z } from 'zod';

/**
 * `measure` says how `distance` (0 to 1) was taken: the largest difference of the cumulative distributions of numbers and times (Kolmogorov-Smirnov), or the
 * total variation of texts. It is null where one of the versions has no values, or the types differ. `reasons` is empty for a column that did not change.
 */
export const ColumnChange = z.strictObject({
  column: z.string(),
  measure: z.enum(['kolmogorovSmirnov', 'totalVariation']).nullable(),
  distance: z.number().nullable(),
  nullShare: z.strictObject({ from: z.number(), to: z.number() }),
  distinct: z.strictObject({ from: z.number().int(), to: z.number().int() }),
  mean: z.strictObject({ from: z.number().nullable(), to: z.number().nullable() }).nullable(),
  reasons: z.array(z.string()),
});
export type ColumnChange = z.infer<typeof ColumnChange>;

export const SchemaChange = z.strictObject({
  added: z.array(z.strictObject({ column: z.string(), type: z.string() })),
  removed: z.array(z.strictObject({ column: z.string(), type: z.string() })),
  retyped: z.array(z.strictObject({ column: z.string(), from: z.string(), to: z.string() })),
});
export type SchemaChange = z.infer<typeof SchemaChange>;

const FileChange = z.strictObject({ path: z.string(), rows: z.number().int() });
export const FilesChange = z.strictObject({ added: z.array(FileChange), removed: z.array(FileChange), changed: z.array(FileChange.extend({ rowsBefore: z.number().int() })), same: z.number().int() });
export type FilesChange = z.infer<typeof FilesChange>;

export const TableChange = z.strictObject({
  table: z.string(),
  state: z.enum(['added', 'removed', 'changed', 'same']),
  rows: z.strictObject({ from: z.number().int(), to: z.number().int() }),
  schema: SchemaChange,
  files: FilesChange,
  columns: z.array(ColumnChange),
});
export type TableChange = z.infer<typeof TableChange>;

export const DatasetDiff = z.strictObject({
  dataset: z.string(),
  from: z.string(),
  to: z.string(),
  same: z.boolean(),
  tables: z.array(TableChange),
});
export type DatasetDiff = z.infer<typeof DatasetDiff>;
