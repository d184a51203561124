/** The rows of one window as a DuckDB table `live`: inference_id, answered_at, score, and `value`, the inputs as JSON in the order of the columns. */
import { LIST, VARCHAR, listValue, type DuckDBConnection } from '@duckdb/node-api';

/** A downloaded segment; `firstRow` is the number of its first row of the version among all rows of the version. */
export type SegmentFile = { path: string; firstRow: number };

export type WindowCut = { files: readonly SegmentFile[]; version: number; from: number; to: number; columns: readonly string[] };

/** RFC 6901: a column may have any name. */
const jsonPointer = (name: string): string => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;

/**
 * Where each column lies in the inputs of a row: under its name, or, for a model with a single input as wide as the columns, at its
 * place in that one (domain/feature-rows.ts fills such a model in the same order).
 */
const pointersOf = (inputs: Record<string, unknown>, columns: readonly string[]): string[] => {
  const [[only, values] = ['', undefined], ...others] = Object.entries(inputs);
  const isWide = others.length === 0 && Array.isArray(values) && values.length === columns.length;
  return isWide ? columns.map((_, place) => `${jsonPointer(only)}/${place}`) : columns.map(jsonPointer);
};

const firstInputs = async (connection: DuckDBConnection, path: string, version: number): Promise<Record<string, unknown>> => {
  const reader = await connection.runAndReadAll('select inputs from read_parquet($path) where version = $version limit 1', { path, version });
  const [row] = reader.getRowObjectsJS();
  return row === undefined ? {} : (JSON.parse(String(row['inputs'])) as Record<string, unknown>);
};

const CREATE = 'create table live (inference_id varchar, answered_at timestamp, score double, value varchar[])';

const INSERT = `
  insert into live
  select inference_id, "at", try_cast(outputs::json ->> '/score' as double),
    json_extract_string(inputs, $pointers)
  from (
    select *, row_number() over (order by file_row_number) - 1 + $firstRow as number
    from read_parquet($path, file_row_number = true) where version = $version)
  where number >= $from and number < $to
  order by number`;

/** Fills the table from the segments, one after the other. */
export const loadWindow = async (connection: DuckDBConnection, { files, version, from, to, columns }: WindowCut): Promise<void> => {
  await connection.run(CREATE);
  for (const { path, firstRow } of files) {
    const pointers = listValue(pointersOf(await firstInputs(connection, path, version), columns));
    await connection.run(INSERT, { pointers, path, firstRow, version, from, to }, { pointers: LIST(VARCHAR) });
  }
};

/** Rows, the requests that began with them (a request of many rows numbers them after a slash, from 0), and the first and last time as ISO 8601 in UTC. */
export const spanOf = async (connection: DuckDBConnection): Promise<{ rows: number; requests: number; from: string; to: string }> => {
  const reader = await connection.runAndReadAll(`
    select count(*)::int as rows, count(*) filter (where not regexp_matches(inference_id, '/[1-9][0-9]*$'))::int as requests, coalesce(strftime(min(answered_at), '%Y-%m-%dT%H:%M:%S.%gZ'), '') as first, coalesce(strftime(max(answered_at), '%Y-%m-%dT%H:%M:%S.%gZ'), '') as last from live`);
  const [row] = reader.getRowObjectsJS();
  return { rows: Number(row?.['rows'] ?? 0), requests: Number(row?.['requests'] ?? 0), from: String(row?.['first'] ?? ''), to: String(row?.['last'] ?? '') };
};
