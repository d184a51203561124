/** The first failing rows of checks, each with its file and its number in it, found in one pass over the files for all checks of a table together. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { CheckExample } from '../../../contracts/check-report.ts';
import { rowOf } from '../database.ts';
import { numberedRows, ROW_NUMBER, type CheckedColumn, type CheckedTable } from './checked-table.ts';

export const EXAMPLES = 20;
const MOST_COLUMNS = 30;
const VALUE_LENGTH = 100;
const EXAMPLE_LENGTH = 400;
const MASK = '***';

/** A failing row as DuckDB gives it: values by our names of the columns. */
export type FoundRow = Record<string, unknown>;

/** What is shown of a row: the checked columns first, as many others as there is room for. */
export const shownColumns = (table: CheckedTable, first: readonly string[]): CheckedColumn[] => {
  const named = table.columns.filter(({ name }) => first.includes(name));
  return [...named, ...table.columns.filter(({ name }) => !first.includes(name))].slice(0, MOST_COLUMNS);
};

/** An aggregate: the rows with the lowest numbers for which the condition holds. */
export const firstRowsSql = (columns: readonly CheckedColumn[], condition: string, count = EXAMPLES): string =>
  `min_by({${[...columns.map(({ sql }) => sql), ROW_NUMBER].map((name) => `'${name}': ${name}`).join(', ')}}, ${ROW_NUMBER}, ${count}) FILTER (WHERE ${condition})`;

/** Values as JSON text, as many as the length allows; those of masked columns are not in it, only that there is one. */
export const valuesText = (row: FoundRow, columns: readonly CheckedColumn[], masked: ReadonlySet<string>): string => {
  let kept: Record<string, unknown> = {};
  for (const { name, sql } of columns) {
    const value = row[sql];
    const shown = value !== null && masked.has(name) ? MASK : typeof value === 'string' && value.length > VALUE_LENGTH ? `${value.slice(0, VALUE_LENGTH)}…` : value;
    const next = { ...kept, [name]: shown };
    if (JSON.stringify(next).length > EXAMPLE_LENGTH) break;
    kept = next;
  }
  return JSON.stringify(kept);
};

export const exampleOf = (table: CheckedTable, file: string, found: { row: FoundRow; columns: readonly CheckedColumn[] }): CheckExample => ({
  file,
  row: Number(found.row[ROW_NUMBER]),
  values: valuesText(found.row, found.columns, table.masked),
});

export type Wanted = { condition: string; columns: string[]; failing: number };

/** The one row of a query as JSON values: lists of structs as arrays of objects. */
export const jsonRowOf = async (connection: DuckDBConnection, sql: string): Promise<Record<string, unknown>> => {
  const [row] = (await connection.runAndReadAll(sql)).getRowObjectsJson();
  if (row === undefined) throw new Error('a query that always has a row had none');
  return row;
};

/** Examples for each of the wanted conditions, in their order; files are read until there are enough. */
export const findExamples = async (connection: DuckDBConnection, table: CheckedTable, wanted: readonly Wanted[]): Promise<CheckExample[][]> => {
  const found: CheckExample[][] = wanted.map(() => []);
  const shown = wanted.map(({ columns }) => shownColumns(table, columns));
  const isOpen = (index: number): boolean => (found[index]?.length ?? 0) < Math.min(EXAMPLES, wanted[index]?.failing ?? 0);
  for (const file of table.source.files) {
    const open = wanted.map((_one, index) => index).filter(isOpen);
    if (open.length === 0) break;
    const aggregates = open.map((index) => `${firstRowsSql(shown[index]!, wanted[index]!.condition)} AS e${index}`);
    const row = await jsonRowOf(connection, `SELECT ${aggregates.join(', ')} FROM ${numberedRows(table, file)}`);
    for (const index of open) {
      const rows = (row[`e${index}`] as FoundRow[] | null) ?? [];
      found[index]!.push(...rows.slice(0, EXAMPLES - found[index]!.length).map((one) => exampleOf(table, file.path, { row: one, columns: shown[index]! })));
    }
  }
  return found;
};

/** Counts as numbers. */
export const countsOf = async (connection: DuckDBConnection, sql: string): Promise<Record<string, number>> => {
  const row = await rowOf<Record<string, bigint | number | null>>(connection, sql);
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value ?? 0)]));
};
