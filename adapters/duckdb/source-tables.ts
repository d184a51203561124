/**
 * Files as tables. DuckDB sees each file by a link with a name of ours: a path with `*` or `[` would be a glob to it, and one
 * with `key=value` a partition column. Files of a table must agree in their columns, or the table has no meaning.
 */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { LocalTable } from '../../domain/ports/data-engine.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import { columnsOf, identifier, literal, rowOf, type Column } from './database.ts';
import { duckdbFailure } from './failure.ts';

const MAXIMUM_COLUMNS = 5_000;
/** DuckDB reads ahead by some buffers for each thread, and its own size is 32 MB: too much for a step that is to do with 300. A line may have 2 MB. */
const CSV_BUFFER_BYTES = 4 * 1024 * 1024;

export type LinkedFile = { link: string; path: string };
export type SourceTable = { name: string; format: 'parquet' | 'csv'; files: LinkedFile[]; columns: Column[] };

/** Tells the parent process what is being read (null: nothing any more), so that it can name it when this process dies of it. */
export type OnFile = (what: string | null) => void;

export const linkFiles = (folder: string, tables: LocalTable[]): Omit<SourceTable, 'columns'>[] =>
  tables.map((table, tableIndex) => {
    const tableFolder = join(folder, 'source', String(tableIndex));
    mkdirSync(tableFolder, { recursive: true });
    const files = table.files.map((path, index) => {
      const link = join(tableFolder, `${String(index).padStart(6, '0')}.${table.format}`);
      symlinkSync(path, link);
      return { link, path };
    });
    return { name: table.name, format: table.format, files };
  });

/** The expression that reads files; a CSV file has a header line, and its types are given or found in all of its rows. */
export const reader = (format: 'parquet' | 'csv', links: string[], csvTypes?: Column[]): string => {
  const list = `[${links.map(literal).join(', ')}]`;
  if (format === 'parquet') return `read_parquet(${list}, hive_partitioning = false)`;
  const types = csvTypes?.map(({ name, type }) => `${literal(name)}: ${literal(type)}`).join(', ');
  return `read_csv(${list}, header = true, union_by_name = true, hive_partitioning = false, buffer_size = ${CSV_BUFFER_BYTES}, ${types === undefined ? 'sample_size = -1' : `types = {${types}}, auto_detect = true`})`;
};

const columnsOfFile = async (connection: DuckDBConnection, format: 'parquet' | 'csv', file: LinkedFile): Promise<Column[]> => {
  try {
    const columns = await columnsOf(connection, reader(format, [file.link]));
    if (columns.length <= MAXIMUM_COLUMNS) return columns;
  } catch (error) {
    throw duckdbFailure('SourceCorrupt', `${file.path} cannot be read as ${format}`, error);
  }
  throw new PerennialFailure('SourceCorrupt', `${file.path} has more than ${MAXIMUM_COLUMNS} columns`);
};

const NUMBERS = ['BIGINT', 'DOUBLE'];
const TIMES = ['DATE', 'TIMESTAMP'];

/** The type of a CSV column in all files, from the types that DuckDB found in two; undefined when there is none. */
const commonCsvType = (first: string, second: string): string | undefined => {
  if (first === second) return first;
  const isWithin = (types: string[]): boolean => types.includes(first) && types.includes(second);
  if (isWithin(NUMBERS)) return 'DOUBLE';
  return isWithin(TIMES) ? 'TIMESTAMP' : undefined;
};

/** CSV columns without any value have no type: they take that of the other files. */
const emptyColumns = async (connection: DuckDBConnection, file: LinkedFile, columns: Column[]): Promise<Set<string>> => {
  const counts = columns.map(({ name }, index) => `count(${identifier(name)}) AS n${index}`).join(', ');
  const row = await rowOf<Record<string, bigint>>(connection, `SELECT ${counts} FROM ${reader('csv', [file.link])}`);
  return new Set(columns.filter((_column, index) => row[`n${index}`] === 0n).map(({ name }) => name));
};

const schemaChanged = (table: string, message: string): PerennialFailure => new PerennialFailure('SchemaChanged', `table ${table}: ${message}`);

const requireSameNames = (table: string, first: { path: string; columns: Column[] }, next: { path: string; columns: Column[] }): void => {
  const [firstNames, nextNames] = [first, next].map(({ columns }) => new Set(columns.map(({ name }) => name))) as [Set<string>, Set<string>];
  const lost = [...firstNames].find((name) => !nextNames.has(name));
  if (lost !== undefined) throw schemaChanged(table, `${next.path} has no column "${lost}", which ${first.path} has`);
  const added = [...nextNames].find((name) => !firstNames.has(name));
  if (added !== undefined) throw schemaChanged(table, `${next.path} has a column "${added}", which ${first.path} has not`);
};

/**
 * Columns that all files of a table agree in, in the order of the first file.
 * @throws PerennialFailure SchemaChanged with the file and the column, SourceCorrupt with the file
 */
export const agreedColumns = async (connection: DuckDBConnection, table: Omit<SourceTable, 'columns'>, onFile: OnFile): Promise<Column[]> => {
  let first: { path: string; columns: Column[] } | undefined;
  const agreed = new Map<string, { type: string; isOpen: boolean }>();
  for (const file of table.files) {
    onFile(file.path);
    const columns = await columnsOfFile(connection, table.format, file);
    const empty = table.format === 'csv' && table.files.length > 1 ? await emptyColumns(connection, file, columns) : new Set<string>();
    if (first === undefined) first = { path: file.path, columns };
    else requireSameNames(table.name, first, { path: file.path, columns });
    for (const { name, type } of columns) {
      const known = agreed.get(name);
      if (known === undefined || known.isOpen) {
        agreed.set(name, { type, isOpen: empty.has(name) });
        continue;
      }
      if (empty.has(name)) continue;
      const common = table.format === 'csv' ? commonCsvType(known.type, type) : known.type === type ? type : undefined;
      if (common === undefined) throw schemaChanged(table.name, `column "${name}" has type ${type} in ${file.path}, and ${known.type} in ${first.path}`);
      agreed.set(name, { type: common, isOpen: false });
    }
  }
  onFile(null);
  return [...agreed].map(([name, { type }]) => ({ name, type }));
};

/** Links the files of all tables and finds the columns of each. */
export const sourceTables = async (connection: DuckDBConnection, folder: string, tables: LocalTable[], onFile: OnFile): Promise<SourceTable[]> => {
  const linked = linkFiles(folder, tables);
  const described: SourceTable[] = [];
  for (const [index, table] of linked.entries()) described.push({ ...table, columns: tables[index]?.columns ?? (await agreedColumns(connection, table, onFile)) });
  return described;
};

/** Reads some files of a table, with the columns on which they agree. */
export const readTable = (table: SourceTable, files: LinkedFile[] = table.files): string =>
  reader(table.format, files.map(({ link }) => link), table.columns);
