/** Feature rows of the flight-delays example by month, made with its own SQL. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { repositoryRoot } from './python.ts';
import type { Feature } from './run-trainer.ts';

export const exampleFolder = join(repositoryRoot, 'examples', 'flight-delays');

const categorical = ['carrier', 'origin', 'dest', 'manufacturer'];
const numeric = ['departure_minute', 'weekday', 'distance', 'scheduled_minutes', 'plane_age', 'plane_seats'];
const weather = ['dewp', 'humid', 'wind_speed', 'wind_gust', 'precip', 'pressure', 'visib'];
const sometimesMissing = ['manufacturer', 'plane_age', 'plane_seats', ...weather];

export const flightFeatures: Feature[] = [...categorical, ...numeric, ...weather].map((name) => ({
  name,
  type: categorical.includes(name) ? 'categorical' : 'numeric',
  missing: sometimesMissing.includes(name) ? 'allowed' : 'forbidden',
}));

export type QueryResult = Record<string, unknown>[];

/** Runs one query over the tables flights, weather and planes. */
export const queryFlights = async (sql: string): Promise<QueryResult> => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    for (const [table, files] of [['flights', 'flights/*'], ['weather', 'weather/*'], ['planes', 'planes/planes']]) {
      await connection.run(`create view ${table} as from '${join(exampleFolder, 'data', `${files}.parquet`)}'`);
    }
    return (await connection.runAndReadAll(sql)).getRowObjectsJS();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
};

export const readSql = (name: string): string => readFileSync(join(exampleFolder, name), 'utf8');

/**
 * Writes the rows of each month to `<folder>/<month>.parquet` and returns these paths by month (1 to 12).
 * `sampled`: about 15 % of the rows, 4,000 a month.
 */
export const writeMonths = async (folder: string, { months, sampled = false, sqlFile = 'features.sql' }: { months: number[]; sampled?: boolean; sqlFile?: string }) => {
  mkdirSync(folder, { recursive: true });
  const keep = sampled ? 'hash(flight_id) % 20 < 3' : 'true';
  const paths = new Map(months.map((month) => [month, join(folder, `${month}.parquet`)]));
  for (const [month, path] of paths) {
    const rows = `select * from (${readSql(sqlFile)}\n) as all_rows where ${keep} and month(scheduled_at) = ${month}`;
    await queryFlights(`copy (${rows} order by scheduled_at, flight_id) to '${path}'`);
  }
  return (wanted: number[]): string[] => wanted.map((month) => paths.get(month) ?? '');
};
