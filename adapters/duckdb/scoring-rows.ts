/** The rows that a batch scoring job scores: the feature SQL over a dataset, with or without labels, cut into shards. */
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { FeaturesSpec } from '../../contracts/pipeline.ts';
import type { DataEngine, LocalTable } from '../../domain/ports/data-engine.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import { loadTables, withDatabase } from './build-features.ts';
import { identifier, literal, rowOf, type DatabaseSettings } from './database.ts';
import { FEATURE_ROWS, checkColumns, checkValues, createFeatureRows, rowOrder } from './feature-rows.ts';
import { RESULT_SCHEMA, runLocked, type QueryLimits } from './locked-query.ts';
import type { OnFile } from './source-tables.ts';

export type ScoringRowsInput = { tables: LocalTable[]; features: FeaturesSpec; shardRows: number; mostShards: number; folder: string };
type Shards = Awaited<ReturnType<DataEngine['scoringRows']>>;

const ORDERED = `${RESULT_SCHEMA}.ordered`;
/** A name that no feature has. */
const POSITION = identifier('(position)');

/** Rows are told apart by their identity: two of one would be two answers to one question. */
const countRows = async (connection: DuckDBConnection, { identity }: FeaturesSpec): Promise<number> => {
  const names = identity.map(identifier).join(', ');
  const { rows, keys } = await rowOf<{ rows: bigint; keys: bigint }>(connection, `SELECT (SELECT count(*) FROM ${ORDERED}) AS rows, (SELECT count(*) FROM (SELECT DISTINCT ${names} FROM ${ORDERED})) AS keys`);
  if (rows === 0n) throw new PerennialFailure('FeatureQueryInvalid', 'the feature SQL gave no row to score', { fix: 'Choose a dataset version that holds data.' });
  if (keys < rows) throw new PerennialFailure('FeatureQueryInvalid', `the feature SQL gives ${rows} rows, of which ${rows - keys} repeat the identity (${identity.join(', ')}) of another`);
  return Number(rows);
};

const writeShard = async (connection: DuckDBConnection, { from, until, file }: { from: number; until: number; file: string }): Promise<void> => {
  const select = `SELECT * EXCLUDE (${POSITION}) FROM ${ORDERED} WHERE ${POSITION} >= ${from} AND ${POSITION} < ${until} ORDER BY ${POSITION}`;
  await connection.run(`COPY (${select}) TO ${literal(file)} (FORMAT parquet, COMPRESSION zstd)`);
};

const cut = async (connection: DuckDBConnection, { features, shardRows, mostShards, folder }: ScoringRowsInput): Promise<Shards> => {
  const rows = await checkColumns(connection, features);
  await checkValues(connection, rows, 'all');
  await createFeatureRows(connection, rows, 'all');
  await connection.run('SET threads = 1');
  await connection.run(`CREATE TABLE ${ORDERED} AS SELECT row_number() OVER (ORDER BY ${rowOrder(rows, 'all')}) - 1 AS ${POSITION}, * FROM ${FEATURE_ROWS}`);
  const total = await countRows(connection, features);
  const size = Math.max(shardRows, Math.ceil(total / mostShards));
  const shards: Shards = [];
  for (let from = 0; from < total; from += size) {
    const until = Math.min(total, from + size);
    const file = join(folder, `shard-${shards.length}.parquet`);
    await writeShard(connection, { from, until, file });
    shards.push({ file, rows: until - from });
  }
  return shards;
};

/** See the port DataEngine. */
export const scoringRows = async (settings: DatabaseSettings, input: ScoringRowsInput, call: { limits: QueryLimits; onFile: OnFile }): Promise<Shards> => {
  await withDatabase(settings, (connection) => loadTables(connection, { folder: settings.folder, tables: input.tables, onFile: call.onFile }));
  await runLocked(settings, { sql: input.features.sql, tables: input.tables.map(({ name }) => name), limits: call.limits });
  return withDatabase(settings, (connection) => cut(connection, input));
};
