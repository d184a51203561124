/** The rows of one window as a DuckDB table `live`: inference_id, answered_at, score, and `value`, the inputs as JSON in the order of the columns. */
import { LIST, VARCHAR, listValue, type DuckDBConnection } from '@duckdb/node-api';
import type { ColumnDistribution } from '../../contracts/features.ts';
import type { MonitoredColumn } from '../../domain/ports/monitoring.ts';

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

/** Views of the table: its inputs under their names as numbers and text, and its scores. */
export const VALUES = 'live_values';
export const SCORES = 'live_scores';

const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A number may come as JSON's true and false, and NaN as text: it is how a missing number travels where null cannot. */
const numberAt = (index: number): string => `coalesce(try_cast(value[${index + 1}] as double), try_cast(value[${index + 1}] as boolean)::int::double)`;

/**
 * Whether the reference holds single-precision numbers. A client may write 59.37 where the training rows hold its neighbour 59.369998931884766; to a
 * test that compares values these two would differ.
 */
const isSinglePrecision = (reference: ColumnDistribution | undefined): boolean => reference?.type === 'numeric' && reference.exact && reference.edges.every((value) => Math.fround(value) === value);

const requireNumbers = async (connection: DuckDBConnection, columns: readonly MonitoredColumn[]): Promise<void> => {
  const counts = columns.map(({ type }, index) => (type === 'numeric' ? `count_if(value[${index + 1}] is not null and ${numberAt(index)} is null)` : '0'));
  const reader = await connection.runAndReadAll(`select ${[...counts, 'count(*)'].join(', ')} from live`);
  const [found = []] = reader.getRowsJS();
  const wrong = columns.findIndex((_column, index) => Number(found[index]) > 0);
  if (wrong >= 0) throw new Error(`the column "${columns[wrong]?.name}" has ${Number(found[wrong])} values that are no numbers in a window of ${Number(found.at(-1))} rows`);
};

/** @throws Error when an input of a numeric column is no number: left out, it would be counted wrongly and in silence */
export const createValueViews = async (connection: DuckDBConnection, { columns, reference }: { columns: readonly MonitoredColumn[]; reference: readonly ColumnDistribution[] }): Promise<void> => {
  await requireNumbers(connection, columns);
  const values = columns.map(({ name, type }, index) => {
    const number = isSinglePrecision(reference[index]) ? `${numberAt(index)}::float` : numberAt(index);
    return `${type === 'numeric' ? number : `value[${index + 1}]`} as ${identifier(name)}`;
  });
  await connection.run(`create view ${VALUES} as select ${values.join(', ')} from live`);
  await connection.run(`create view ${SCORES} as select score from live`);
};
