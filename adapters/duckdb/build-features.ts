/** Builds a feature set: load the sources (trusted), run the user's SELECT (locked), check, split and write (trusted). */
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { SplitWindow } from '../../contracts/features.ts';
import type { FeaturesSpec, SplitSpec } from '../../contracts/pipeline.ts';
import type { DataEngine, LocalTable } from '../../domain/ports/data-engine.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import { splitWindow } from '../../domain/split.ts';
import { columnDistributions } from './column-distributions.ts';
import { identifier, literal, openDatabase, rowOf, type DatabaseSettings } from './database.ts';
import { duckdbFailure } from './failure.ts';
import { FEATURE_ROWS, checkColumns, checkValues, createFeatureRows, rowOrder } from './feature-rows.ts';
import { RESULT_SCHEMA, runLocked, type QueryLimits } from './locked-query.ts';
import { readTable, sourceTables, type OnFile } from './source-tables.ts';

const ROW_GROUP = 122_880;

export type FeatureInput = { tables: LocalTable[]; features: FeaturesSpec; split: SplitSpec; folder: string };
type FeatureResult = Awaited<ReturnType<DataEngine['buildFeatures']>>;

export const withDatabase = async <T>(settings: DatabaseSettings, work: (connection: DuckDBConnection) => Promise<T>): Promise<T> => {
  const { connection, close } = await openDatabase(settings);
  try {
    return await work(connection);
  } finally {
    close();
  }
};

/** Makes a table of each source table. */
export const loadTables = async (connection: DuckDBConnection, input: { folder: string; tables: LocalTable[]; onFile: OnFile }): Promise<void> => {
  await connection.run(`CREATE SCHEMA ${RESULT_SCHEMA}`);
  for (const table of await sourceTables(connection, input.folder, input.tables, input.onFile)) {
    input.onFile(`the files of table ${table.name}`);
    await connection.run(`CREATE TABLE ${identifier(table.name)} AS SELECT * FROM ${readTable(table)}`).catch((error: unknown) => {
      throw duckdbFailure('SourceCorrupt', `table ${table.name} cannot be loaded`, error);
    });
  }
  input.onFile(null);
  await connection.run('CHECKPOINT');
};

export type Part = { name: 'train' | 'holdout'; from: string; until: string };

const condition = (eventTime: string, part: Part): string =>
  `${identifier(eventTime)} >= TIMESTAMP ${literal(part.from.replace('Z', ''))} AND ${identifier(eventTime)} < TIMESTAMP ${literal(part.until.replace('Z', ''))}`;

export const windowOf = async (connection: DuckDBConnection, features: FeaturesSpec, split: SplitSpec): Promise<SplitWindow> => {
  const time = identifier(features.eventTime);
  const { first, last } = await rowOf<{ first: bigint | null; last: bigint | null }>(connection, `SELECT epoch_ms(min(${time})) AS first, epoch_ms(max(${time})) AS last FROM ${FEATURE_ROWS}`);
  if (first === null || last === null) throw new PerennialFailure('SplitEmpty', 'the feature SQL gave no row with a label');
  return splitWindow(split, { firstMs: Number(first), lastMs: Number(last) });
};

/** Both parts must have rows and labels that differ, or nothing can be learned or judged. */
export const countRows = async (connection: DuckDBConnection, features: FeaturesSpec, part: Part): Promise<number> => {
  const label = identifier(features.label);
  const { rows, least, most } = await rowOf<{ rows: bigint; least: number | null; most: number | null }>(
    connection,
    `SELECT count(*) AS rows, min(${label}) AS least, max(${label}) AS most FROM ${FEATURE_ROWS} WHERE ${condition(features.eventTime, part)}`,
  );
  const where = `the ${part.name} window (${part.from} to ${part.until})`;
  if (rows === 0n) throw new PerennialFailure('SplitEmpty', `${where} has no row with a label`);
  if (least === most) throw new PerennialFailure(features.task === 'regression' ? 'LabelInvalid' : 'LabelHasOneClass', `in ${where} the label "${features.label}" is ${least} in all ${rows} rows`);
  return Number(rows);
};

/** Rows in total order, in row groups of one size, by one writer: the same rows are the same bytes. */
export const writePart = async (connection: DuckDBConnection, part: Part, { features, columns = '*', order, folder }: { features: FeaturesSpec; columns?: string; order: string; folder: string }): Promise<string> => {
  const file = join(folder, `${part.name}.parquet`);
  const select = `SELECT ${columns} FROM ${FEATURE_ROWS} WHERE ${condition(features.eventTime, part)} ORDER BY ${order}`;
  await connection.run('SET threads = 1');
  await connection.run(`COPY (${select}) TO ${literal(file)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP})`);
  return file;
};

const splitAndWrite = async (connection: DuckDBConnection, input: FeatureInput): Promise<FeatureResult> => {
  const rows = await checkColumns(connection, input.features);
  await checkValues(connection, rows);
  await createFeatureRows(connection, rows);
  const split = await windowOf(connection, input.features, input.split);
  const train: Part = { name: 'train', from: split.trainFrom, until: split.holdoutFrom };
  const holdout: Part = { name: 'holdout', from: split.holdoutFrom, until: split.holdoutUntil };
  const trainRows = await countRows(connection, input.features, train);
  const holdoutRows = await countRows(connection, input.features, holdout);
  const written = { features: input.features, order: rowOrder(rows), folder: input.folder };
  const trainFile = await writePart(connection, train, written);
  const holdoutFile = await writePart(connection, holdout, written);
  const reference = await columnDistributions(connection, { relation: `read_parquet(${literal(trainFile)})`, columns: input.features.columns });
  return { split, trainFile, holdoutFile, trainRows, holdoutRows, reference };
};

/** See the port DataEngine. */
export const buildFeatureSet = async (settings: DatabaseSettings, input: FeatureInput, call: { limits: QueryLimits; onFile: OnFile }): Promise<FeatureResult> => {
  await withDatabase(settings, (connection) => loadTables(connection, { folder: settings.folder, tables: input.tables, onFile: call.onFile }));
  await runLocked(settings, { sql: input.features.sql, tables: input.tables.map(({ name }) => name), limits: call.limits });
  return withDatabase(settings, (connection) => splitAndWrite(connection, input));
};
