/** Another feature query on the rows of a feature set: how a champion sees the rows on which its challenger is judged. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { FeaturesSpec } from '../../contracts/pipeline.ts';
import type { LocalTable } from '../../domain/ports/data-engine.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import { loadTables, withDatabase } from './build-features.ts';
import { columnsOf, identifier, literal, rowOf, type DatabaseSettings } from './database.ts';
import { FEATURE_ROWS, checkColumns, checkValues, createFeatureRows } from './feature-rows.ts';
import { runLocked, type QueryLimits } from './locked-query.ts';
import type { OnFile } from './source-tables.ts';

export type MatchInput = { tables: LocalTable[]; features: FeaturesSpec; rowsFile: string; identity: string[]; file: string };

const requireIdentity = async (connection: DuckDBConnection, identity: string[]): Promise<void> => {
  const names = (await columnsOf(connection, FEATURE_ROWS)).map(({ name }) => name);
  const absent = identity.find((name) => !names.includes(name));
  if (absent !== undefined) throw new PerennialFailure('FeatureQueryInvalid', `the rows are told apart by "${absent}", which the feature SQL does not select as identity`);
};

/** A name that no feature has. */
const PRESENT = identifier('(this row is there)');

type Matches = { asked: bigint; absent: bigint; repeated: bigint };

/** Each row asked for must be there once: a model that is judged on other rows than its rival is not compared with it. */
const requireEachOnce = async (connection: DuckDBConnection, asked: string, key: string): Promise<number> => {
  const matches = await rowOf<Matches>(
    connection,
    `SELECT count(*) AS asked, count_if(times = 0) AS absent, count_if(times > 1) AS repeated FROM (
       SELECT a.file_row_number, count(r.${PRESENT}) AS times FROM ${asked} a LEFT JOIN (SELECT *, 1 AS ${PRESENT} FROM ${FEATURE_ROWS}) r ON ${key} GROUP BY a.file_row_number)`,
  );
  if (matches.absent > 0n) throw new PerennialFailure('FeatureQueryInvalid', `the feature SQL does not give ${matches.absent} of the ${matches.asked} rows to be judged`);
  if (matches.repeated > 0n) throw new PerennialFailure('FeatureQueryInvalid', `the feature SQL gives ${matches.repeated} of the ${matches.asked} rows to be judged more than once`);
  return Number(matches.asked);
};

const match = async (connection: DuckDBConnection, { features, rowsFile, identity, file }: MatchInput): Promise<{ rows: number }> => {
  const declared = await checkColumns(connection, features);
  await checkValues(connection, declared);
  await createFeatureRows(connection, declared);
  await requireIdentity(connection, identity);
  const asked = `read_parquet(${literal(rowsFile)}, file_row_number = true)`;
  const key = identity.map((name) => `a.${identifier(name)} = r.${identifier(name)}`).join(' AND ');
  const rows = await requireEachOnce(connection, asked, key);
  await connection.run(`COPY (SELECT r.* FROM ${asked} a JOIN ${FEATURE_ROWS} r ON ${key} ORDER BY a.file_row_number) TO ${literal(file)} (FORMAT parquet, COMPRESSION zstd)`);
  return { rows };
};

/** See the port DataEngine. */
export const matchFeatures = async (settings: DatabaseSettings, input: MatchInput, call: { limits: QueryLimits; onFile: OnFile }): Promise<{ rows: number }> => {
  await withDatabase(settings, (connection) => loadTables(connection, { folder: settings.folder, tables: input.tables, onFile: call.onFile }));
  await runLocked(settings, { sql: input.features.sql, tables: input.tables.map(({ name }) => name), limits: call.limits });
  return withDatabase(settings, (connection) => match(connection, input));
};
