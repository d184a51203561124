/** Writes small source files for tests, by DuckDB itself. */
import { DuckDBInstance } from '@duckdb/node-api';

/** Writes the rows of a SELECT to a Parquet or CSV file, as its name says. */
export const writeRows = async (path: string, select: string): Promise<string> => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  const form = path.endsWith('.csv') ? 'FORMAT csv, HEADER' : 'FORMAT parquet';
  await connection.run(`COPY (${select}) TO '${path}' (${form})`);
  connection.closeSync();
  instance.closeSync();
  return path;
};

/** Rows of a Parquet file as plain objects. */
export const readRows = async <Row>(path: string, select = '*'): Promise<Row[]> => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  const rows = (await connection.runAndReadAll(`SELECT ${select} FROM read_parquet('${path}')`)).getRowObjectsJson();
  connection.closeSync();
  instance.closeSync();
  return rows as Row[];
};
