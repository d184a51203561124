/**
 * The data on which the libraries and we are compared: one folder per case with reference.parquet, current.parquet and columns.json. It is made anew each
 * time from what is committed and from seeded generators, so fixtures hold results only.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { parse } from 'yaml';
import { readFileSync } from 'node:fs';
import { generatedCases, type GeneratedCase } from './generated-cases.ts';

export type InputColumn = { name: string; type: 'numeric' | 'categorical' };

const example = join(import.meta.dirname, '..', '..', 'examples', 'flight-delays');
const RAND_HEALTH = join(import.meta.dirname, 'data', 'rand-health.parquet');

type Case = { name: string; columns: InputColumn[]; reference: string; current: string };

/** Everything as double or text: the libraries compute in the type that they are given. */
const writeCase = async (connection: DuckDBConnection, folder: string, { name, columns, reference, current }: Case): Promise<void> => {
  const place = join(folder, name);
  mkdirSync(place, { recursive: true });
  const select = columns.map((column) => `"${column.name}"::${column.type === 'numeric' ? 'double' : 'varchar'} as "${column.name}"`).join(', ');
  await connection.run(`copy (select ${select} from (${reference})) to '${join(place, 'reference.parquet')}' (format parquet)`);
  await connection.run(`copy (select ${select} from (${current})) to '${join(place, 'current.parquet')}' (format parquet)`);
  writeFileSync(join(place, 'columns.json'), JSON.stringify(columns));
};

const flightCases = async (connection: DuckDBConnection): Promise<Case[]> => {
  for (const [table, files] of [['flights', 'flights/*'], ['weather', 'weather/*'], ['planes', 'planes/planes']]) {
    await connection.run(`create view ${table} as from '${join(example, 'data', `${files}.parquet`)}'`);
  }
  await connection.run(`create table feature_rows as select * from (${readFileSync(join(example, 'features.sql'), 'utf8')}\n) order by scheduled_at, flight_id`);
  const { features } = parse(readFileSync(join(example, 'pipeline.yaml'), 'utf8')) as { features: { columns: InputColumn[] } };
  const columns = features.columns.map(({ name, type }) => ({ name, type }));
  const months = (first: number, last: number): string => `select * from feature_rows where month(scheduled_at) between ${first} and ${last} order by scheduled_at, flight_id`;
  const some = (month: number, rows: number): string => `select * from (${months(month, month)}) order by hash(flight_id), flight_id limit ${rows}`;
  return [
    ...[2, 5, 7, 12].map((month) => ({ name: `flights-january-against-${month}`, columns, reference: months(1, 1), current: months(month, month) })),
    { name: 'flights-trained-against-july', columns, reference: months(1, 4), current: months(7, 7) },
    { name: 'flights-few-january-against-july', columns, reference: some(1, 900), current: some(7, 1_000) },
    { name: 'flights-few-january-against-february', columns, reference: some(1, 800), current: some(2, 800) },
    { name: 'flights-few-against-a-month', columns, reference: some(6, 1_000), current: months(7, 7) },
  ];
};

/** Person-years of the RAND Health Insurance Experiment in the order of the study: early against late participants. */
const healthCases = async (connection: DuckDBConnection): Promise<Case[]> => {
  await connection.run(`create table health as select *, row_number() over () as row from '${RAND_HEALTH}'`);
  const numeric = ['mdvis', 'lncoins', 'lpi', 'fmde', 'disea'].map((name): InputColumn => ({ name, type: 'numeric' }));
  const categorical = ['idp', 'physlm', 'hlthg', 'hlthf', 'hlthp'].map((name): InputColumn => ({ name, type: 'categorical' }));
  const rows = (from: number, to: number): string => `select * from health where row > ${from} and row <= ${to} order by row`;
  const columns = [...numeric, ...categorical];
  return [
    { name: 'health-early-against-late', columns, reference: rows(0, 10_000), current: rows(10_000, 30_000) },
    { name: 'health-few-early-against-late', columns, reference: rows(0, 1_000), current: rows(15_000, 16_000) },
  ];
};

const generatedCase = async (connection: DuckDBConnection, folder: string, { name, columns, reference, current }: GeneratedCase): Promise<Case> => {
  const types = columns.map((column) => `"${column.name}": '${column.type === 'numeric' ? 'double' : 'varchar'}'`).join(', ');
  const write = (side: string, rows: Record<string, unknown>[]): string => {
    const file = join(folder, `${name}-${side}.json`);
    writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'));
    return `select * from read_json('${file}', format = 'newline_delimited', columns = {${types}})`;
  };
  return { name, columns, reference: write('reference', reference), current: write('current', current) };
};

/** Writes all cases below `folder`. */
export const writeInputs = async (folder: string): Promise<void> => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const generated: Case[] = [];
    for (const one of generatedCases()) generated.push(await generatedCase(connection, folder, one));
    for (const one of [...(await flightCases(connection)), ...(await healthCases(connection)), ...generated]) await writeCase(connection, join(folder, 'drift'), one);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
};
