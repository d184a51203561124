/** Checks on the source tables. `error` blocks the run; `warn` is recorded. A check that cannot run has failed. */
import { z } from 'zod';
import { ColumnName } from './features.ts';

const CheckBase = { table: ColumnName, severity: z.enum(['error', 'warn']).default('error') };

const ColumnList = z.array(z.string().min(1)).min(1).max(100);

/** A length of time such as `P2D`, `PT6H` or `PT30M`. */
export const Age = z.string().regex(/^P([1-9]\d{0,4}D|T[1-9]\d{0,4}[HM])$/, 'a length of time such as P2D, PT6H or PT30M');

/**
 * - `regex`: the whole value, as text, matches the pattern (RE2: linear time whatever the pattern);
 * - `unique`: no row repeats an earlier one in all of the columns; `foreignKey`: each row has its like in the other table. Rows with a null in one of the
 *   columns are let through by both, as in SQL;
 * - `freshness`: the newest value is at most so old when the check runs;
 * - `monotonic`: in the order of the files and their rows, no value is below an earlier one;
 * - `distribution`: the column is at most so far from what it was in the version before (or in a given one), by the distance that `dataset diff` shows;
 * - `sql`: a SELECT over all tables of the source that gives the failing rows: none is a pass.
 */
export const DataCheck = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('rowCount'), ...CheckBase, min: z.number().int().nonnegative().optional(), max: z.number().int().nonnegative().optional() }),
  z.strictObject({ kind: z.literal('columns'), ...CheckBase, required: z.array(z.string()).min(1) }),
  z.strictObject({ kind: z.literal('type'), ...CheckBase, column: z.string(), type: z.enum(['integer', 'number', 'string', 'boolean', 'timestamp']) }),
  z.strictObject({ kind: z.literal('notNull'), ...CheckBase, column: z.string() }),
  z.strictObject({ kind: z.literal('range'), ...CheckBase, column: z.string(), min: z.number().optional(), max: z.number().optional() }),
  z.strictObject({ kind: z.literal('set'), ...CheckBase, column: z.string(), values: z.array(z.union([z.string(), z.number()])).min(1) }),
  z.strictObject({ kind: z.literal('regex'), ...CheckBase, column: z.string(), pattern: z.string().min(1).max(1_000) }),
  z.strictObject({ kind: z.literal('unique'), ...CheckBase, columns: ColumnList }),
  z.strictObject({ kind: z.literal('foreignKey'), ...CheckBase, columns: ColumnList, references: z.strictObject({ table: ColumnName, columns: ColumnList }) }),
  z.strictObject({ kind: z.literal('freshness'), ...CheckBase, column: z.string(), maximumAge: Age }),
  z.strictObject({ kind: z.literal('monotonic'), ...CheckBase, column: z.string() }),
  z.strictObject({
    kind: z.literal('distribution'),
    ...CheckBase,
    column: z.string(),
    reference: z.union([z.literal('previous'), z.string().regex(/^[0-9a-f]{64}$/, 'previous, or the hash of a dataset version')]).default('previous'),
    maximumDistance: z.number().min(0).max(1).default(0.1),
  }),
  z.strictObject({ kind: z.literal('sql'), ...CheckBase, name: z.string().min(1).max(100), sql: z.string().min(1).max(100_000) }),
]);
export type DataCheck = z.infer<typeof DataCheck>;

/** As a person writes one: what has a default may be left out. */
export type DraftCheck = z.input<typeof DataCheck>;

/** Checks that DuckDB runs on the files; the others compare manifests. */
export type FileCheck = Exclude<DataCheck, { kind: 'distribution' }>;
