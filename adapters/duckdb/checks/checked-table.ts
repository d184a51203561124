/**
 * A table as the checks see it: columns are called by their number, so that a user's column may be called as anything of ours, and rows can be numbered.
 */
import { identifier } from '../database.ts';
import { readTable, type LinkedFile, type SourceTable } from '../source-tables.ts';

/** `sql` is how queries over the relations below name the column. */
export type CheckedColumn = { name: string; type: string; sql: string };
export type CheckedTable = { name: string; source: SourceTable; columns: CheckedColumn[]; masked: ReadonlySet<string> };

/** The number of a row in its file, from 1. */
export const ROW_NUMBER = 'n';

export const checkedTable = (source: SourceTable, masked: readonly string[]): CheckedTable => ({
  name: source.name,
  source,
  columns: source.columns.map(({ name, type }, index) => ({ name, type, sql: `c${index}` })),
  masked: new Set(masked),
});

const renamed = ({ columns }: CheckedTable): string => columns.map(({ name, sql }) => `${identifier(name)} AS ${sql}`).join(', ');

/** All rows, read by several threads. */
export const rowsOfTable = (table: CheckedTable): string => `(SELECT ${renamed(table)} FROM ${readTable(table.source)})`;

/** Rows of one file with their numbers, in order, as a stream: one thread reads them. */
export const numberedRows = (table: CheckedTable, file: LinkedFile): string => `(SELECT ${renamed(table)}, row_number() OVER () AS ${ROW_NUMBER} FROM ${readTable(table.source, [file])})`;
