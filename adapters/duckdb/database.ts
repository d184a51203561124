/** A DuckDB database file of one call, and the few ways in which the other files here talk to it. */
import { DuckDBInstance, type DuckDBConnection, type DuckDBValue } from '@duckdb/node-api';

export type DatabaseSettings = {
  /** Folder of this call alone: the database file, its spill folder, links to the given files. */
  folder: string;
  /** Such as `2GB`. */
  memoryLimit: string;
  threads: number;
};

export type Database = { connection: DuckDBConnection; close(): void };

export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Settings that hold for trusted and user SQL alike. */
const BASE_SETTINGS = [
  "SET TimeZone = 'UTC'",
  'SET preserve_insertion_order = true',
  'SET autoinstall_known_extensions = false',
  'SET autoload_known_extensions = false',
  'SET allow_community_extensions = false',
  'SET enable_progress_bar = false',
];

/**
 * Opens the call's database file. Settings are made after opening: in the open call they would fail together with `lock_configuration`.
 */
export const openDatabase = async ({ folder, memoryLimit, threads }: DatabaseSettings): Promise<Database> => {
  const instance = await DuckDBInstance.create(`${folder}/call.duckdb`);
  const connection = await instance.connect();
  const settings = [...BASE_SETTINGS, `SET temp_directory = ${literal(`${folder}/spill`)}`, `SET memory_limit = ${literal(memoryLimit)}`, `SET threads = ${threads}`];
  for (const setting of settings) await connection.run(setting);
  return {
    connection,
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
};

/** Rows as plain objects; integers of 64 bits come as bigint. */
export const rowsOf = async <Row>(connection: DuckDBConnection, sql: string, values: DuckDBValue[] = []): Promise<Row[]> =>
  (await connection.runAndReadAll(sql, values)).getRowObjectsJS() as Row[];

/** The one row of an aggregate. */
export const rowOf = async <Row>(connection: DuckDBConnection, sql: string, values: DuckDBValue[] = []): Promise<Row> => {
  const [row] = await rowsOf<Row>(connection, sql, values);
  if (row === undefined) throw new Error('a query that always has a row had none');
  return row;
};

export type Column = { name: string; type: string };

/** Names and types of what a SELECT, table or view gives. */
export const columnsOf = async (connection: DuckDBConnection, relation: string): Promise<Column[]> => {
  const rows = await rowsOf<{ column_name: string; column_type: string }>(connection, `DESCRIBE SELECT * FROM ${relation}`);
  return rows.map((row) => ({ name: row.column_name, type: row.column_type }));
};

/** The first lines of a DuckDB message, without its stack. */
export const messageOf = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\nStack Trace')[0]?.trim().slice(0, 1_000) ?? '';
};
