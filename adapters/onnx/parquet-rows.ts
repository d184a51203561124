/**
 * Reads Parquet files as a stream of batches, in the order of their rows, with bounded memory.
 *
 * DuckDB is used here, and not through the adapter in adapters/duckdb, because reading and scoring happen in one process that may die;
 * the SQL is ours alone: names are quoted, the path is a parameter.
 */
import { DuckDBInstance, type DuckDBConnection, type DuckDBDataChunk } from '@duckdb/node-api';
import { PerennialFailure } from '../../domain/failure.ts';
import type { Task } from '../../contracts/features.ts';
import type { FailureCode } from '../../contracts/failures.ts';
import type { FeatureBatch, FeatureValue, InputPlan } from '../../domain/feature-rows.ts';
import type { RowsSpec } from './scoring-messages.ts';

const MICROSECONDS_PER_DAY = 86_400_000_000;

export type RowBatch = FeatureBatch & { labels: Float64Array; days: Int32Array };

const connect = async (): Promise<DuckDBConnection> => {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: '512MB',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  return instance.connect();
};

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0]!;

/** Column names of a file; a file that is no Parquet fails with the given code. */
const columnsOf = async (connection: DuckDBConnection, file: string, unreadable: FailureCode): Promise<Set<string>> => {
  try {
    const described = await connection.runAndReadAll('DESCRIBE SELECT * FROM read_parquet($1)', [file]);
    return new Set(described.getRows().map(([name]) => String(name)));
  } catch (error) {
    throw new PerennialFailure(unreadable, `The file is no readable Parquet: ${messageOf(error)}`, { cause: error });
  }
};

const requireColumns = (present: Set<string>, wanted: string[]): void => {
  const absent = wanted.filter((name) => !present.has(name));
  if (absent.length > 0) throw new PerennialFailure('FeatureMissing', `The rows have no column ${absent.map((name) => `"${name}"`).join(', ')}.`);
};

async function* chunksOf(connection: DuckDBConnection, sql: string, file: string, unreadable: FailureCode): AsyncGenerator<DuckDBDataChunk> {
  try {
    const result = await connection.stream(sql, [file]);
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return;
      yield chunk;
    }
  } catch (error) {
    if (error instanceof PerennialFailure) throw error;
    throw new PerennialFailure(unreadable, `The file cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** Floats are read as doubles and rounded once by the tensor, text as text; integers stay, so that a fraction is noticed. */
const expressionOf = (plans: InputPlan[], name: string): string => {
  const datatypes = new Set(plans.filter(({ columns }) => columns.some((column) => column.name === name)).map(({ input }) => input.datatype));
  if (datatypes.has('BYTES')) return `CAST(${quote(name)} AS VARCHAR)`;
  return datatypes.has('FP32') || datatypes.has('FP64') ? `CAST(${quote(name)} AS DOUBLE)` : quote(name);
};

const toLabels = (values: readonly unknown[], task: Task, firstRow: number): Float64Array =>
  Float64Array.from(values, (value, index) => {
    if (task === 'regression' ? typeof value === 'number' && Number.isFinite(value) : value === 0 || value === 1) return value as number;
    throw new PerennialFailure('LabelInvalid', `The label of row ${firstRow + index} is ${String(value)}: it must be ${task === 'regression' ? 'a finite number' : '0 or 1'}.`);
  });

const toDays = (values: readonly unknown[], firstRow: number): Int32Array =>
  Int32Array.from(values, (value, index) => {
    if (typeof value !== 'bigint') throw new PerennialFailure('FeatureTypeWrong', `The event time of row ${firstRow + index} is missing.`);
    return Math.floor(Number(value) / MICROSECONDS_PER_DAY);
  });

const toBatch = (chunk: DuckDBDataChunk, { names, task }: { names: string[]; task: Task }, firstRow: number): RowBatch => ({
  rows: chunk.rowCount,
  firstRow,
  values: new Map(names.map((name, index) => [name, chunk.getColumnValues(index) as FeatureValue[]])),
  labels: toLabels(chunk.getColumnValues(names.length), task, firstRow),
  days: toDays(chunk.getColumnValues(names.length + 1), firstRow),
});

/**
 * The feature columns that the plans need, with label and day, in batches of up to 2,048 rows.
 * @throws PerennialFailure SourceCorrupt, FeatureMissing, LabelInvalid
 */
export async function* readRowBatches(file: string, rows: RowsSpec, plans: InputPlan[]): AsyncGenerator<RowBatch> {
  const connection = await connect();
  try {
    const names = [...new Set(plans.flatMap(({ columns }) => columns.map(({ name }) => name)))];
    requireColumns(await columnsOf(connection, file, 'SourceCorrupt'), [...names, rows.label, rows.eventTime]);
    const features = names.map((name) => expressionOf(plans, name));
    const sql = `SELECT ${[...features, `CAST(${quote(rows.label)} AS DOUBLE)`, `epoch_us(${quote(rows.eventTime)})`].join(', ')} FROM read_parquet($1)`;
    let firstRow = 0;
    for await (const chunk of chunksOf(connection, sql, file, 'SourceCorrupt')) {
      yield toBatch(chunk, { names, task: rows.task }, firstRow);
      firstRow += chunk.rowCount;
    }
  } finally {
    connection.closeSync();
  }
}

/**
 * The `score` column of a predictions file, in batches; a null becomes NaN, which no comparison accepts.
 * @throws PerennialFailure TrainerOutputInvalid
 */
export async function* readScoreBatches(file: string): AsyncGenerator<Float64Array> {
  const connection = await connect();
  try {
    const present = await columnsOf(connection, file, 'TrainerOutputInvalid');
    if (!present.has('score')) throw new PerennialFailure('TrainerOutputInvalid', 'The predictions of the trainer have no column "score".');
    for await (const chunk of chunksOf(connection, 'SELECT CAST(score AS DOUBLE) FROM read_parquet($1)', file, 'TrainerOutputInvalid')) {
      yield Float64Array.from(chunk.getColumnValues(0), (value) => (typeof value === 'number' ? value : NaN));
    }
  } finally {
    connection.closeSync();
  }
}

/**
 * Columns as text, in batches; null where a value is missing.
 * @throws PerennialFailure SourceCorrupt, FeatureMissing
 */
export async function* readTextBatches(file: string, names: string[]): AsyncGenerator<(string | null)[][]> {
  const connection = await connect();
  try {
    requireColumns(await columnsOf(connection, file, 'SourceCorrupt'), names);
    const sql = `SELECT ${names.map((name) => `CAST(${quote(name)} AS VARCHAR)`).join(', ')} FROM read_parquet($1)`;
    for await (const chunk of chunksOf(connection, sql, file, 'SourceCorrupt')) yield names.map((_, index) => chunk.getColumnValues(index) as (string | null)[]);
  } finally {
    connection.closeSync();
  }
}
