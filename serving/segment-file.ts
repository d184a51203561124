/** Writes segments of the prediction log as Parquet. */
import { DuckDBInstance, DuckDBTimestampValue, type DuckDBAppender, type DuckDBConnection } from '@duckdb/node-api';
import type { SegmentRow } from './segment-rows.ts';

const TABLE = `create or replace table segment (
  inference_id varchar not null, "at" timestamp not null, version integer not null, role varchar not null, generation bigint not null,
  latency_ms double not null, fell_back_from integer, inputs varchar not null, outputs varchar not null)`;

const appendRow = (appender: DuckDBAppender, row: SegmentRow): void => {
  appender.appendVarchar(row.inferenceId);
  appender.appendTimestamp(new DuckDBTimestampValue(BigInt(row.atMs) * 1_000n));
  appender.appendInteger(row.version);
  appender.appendVarchar(row.role);
  appender.appendBigInt(BigInt(row.generation));
  appender.appendDouble(row.latencyMs);
  if (row.fellBackFrom === null) appender.appendNull();
  else appender.appendInteger(row.fellBackFrom);
  appender.appendVarchar(row.inputs);
  appender.appendVarchar(row.outputs);
  appender.endRow();
};

export type SegmentWriter = { write(rows: readonly SegmentRow[], path: string): Promise<void> };

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const write = async (connection: DuckDBConnection, rows: readonly SegmentRow[], path: string): Promise<void> => {
  await connection.run(TABLE);
  const appender = await connection.createAppender('segment');
  for (const row of rows) appendRow(appender, row);
  appender.flushSync();
  appender.closeSync();
  await connection.run(`copy segment to ${quoted(path)} (format parquet, compression zstd)`);
  await connection.run('drop table segment');
};

/** Opens DuckDB in memory with one thread: shipping has time. */
export const openSegmentWriter = async (): Promise<SegmentWriter> => {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '512MB' });
  const connection = await instance.connect();
  return { write: (rows, path) => write(connection, rows, path) };
};
