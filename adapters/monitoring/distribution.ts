/**
 * Counts of live values in the bins of a reference distribution. Bin edges and categories go in as parameters: as literals,
 * edges of 17 digits would be parsed as DECIMAL and lose rows silently.
 */
import { DOUBLE, LIST, VARCHAR, listValue, type DuckDBConnection } from '@duckdb/node-api';
import type { ReferenceDistribution } from '../../contracts/features.ts';
import type { LiveDistribution } from '../../domain/ports/monitoring.ts';

/** Rows per bin; bin null is "missing". The column's number is ours, never a user's text. */
type BinCount = { bin: number | null; rows: number };

const readCounts = async (connection: DuckDBConnection, sql: string, parameters: Record<string, ReturnType<typeof listValue>>, types: Record<string, ReturnType<typeof LIST>>) => {
  const reader = await connection.runAndReadAll(sql, parameters, types);
  return reader.getRowObjectsJS().map((row): BinCount => ({ bin: row['bin'] === null ? null : Number(row['bin']), rows: Number(row['rows']) }));
};

/** NaN is how a missing number travels where null cannot. Text that is no number stays out, and the caller's sum shows it. */
const numericCounts = (connection: DuckDBConnection, edges: number[], index: number): Promise<BinCount[]> =>
  readCounts(
    connection,
    `with parsed as (
       select value[${index + 1}] as text, coalesce(try_cast(value[${index + 1}] as double), try_cast(value[${index + 1}] as boolean)::int::double) as number from live)
     select case when text is null or isnan(number) then null else len(list_filter($edges, lambda edge: edge < number)) end as bin, count(*) as rows
     from parsed where text is null or number is not null group by bin`,
    { edges: listValue(edges) },
    { edges: LIST(DOUBLE) },
  );

/** The bin after the kept categories is every other value. */
const categoricalCounts = (connection: DuckDBConnection, categories: string[], index: number): Promise<BinCount[]> =>
  readCounts(
    connection,
    `select case when value[${index + 1}] is null then null else coalesce(list_position($categories, value[${index + 1}]) - 1, len($categories)) end as bin,
       count(*) as rows from live group by bin`,
    { categories: listValue(categories) },
    { categories: LIST(VARCHAR) },
  );

/** Counts the column with this number in the table `live`. */
export const distributionOf = async (connection: DuckDBConnection, reference: ReferenceDistribution, index: number): Promise<LiveDistribution> => {
  const found = reference.type === 'numeric' ? await numericCounts(connection, reference.edges, index) : await categoricalCounts(connection, reference.categories, index);
  const counts = reference.counts.map((_, bin) => found.find((entry) => entry.bin === bin)?.rows ?? 0);
  const missing = found.find((entry) => entry.bin === null)?.rows ?? 0;
  return { column: reference.column, counts, missing };
};
