/** Profiles of real columns, against the exact numbers by plain SQL; and of columns that try to break them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataEngine } from '../../../adapters/duckdb/index.ts';
import type { ColumnProfile } from '../../../contracts/dataset-profile.ts';
import type { DataEngine } from '../../../domain/ports/data-engine.ts';
import { columnDistance } from '../../../domain/column-distance.ts';
import { writeRows } from './source-files.ts';

const FLIGHTS = 'examples/flight-delays/data/flights';
const HDMA = 'test/references/data/hdma.csv';
const months = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_unused, index) => `${process.cwd()}/${FLIGHTS}/2013-${String(from + index).padStart(2, '0')}.parquet`);

let folder: string;
let engine: DataEngine;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'profile-'));
  engine = createDataEngine({ scratchFolder: join(folder, 'scratch'), memoryLimit: '512MB', threads: 2 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const profileOf = async (files: string[], format: 'parquet' | 'csv' = 'parquet'): Promise<Map<string, ColumnProfile>> => {
  const [inspected] = await engine.inspect([{ name: 't', format, files }]);
  return new Map(inspected!.profile.map((profile) => [profile.column, profile]));
};

const ask = async (sql: string): Promise<Record<string, unknown>[]> => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const rows = (await connection.runAndReadAll(sql)).getRowObjectsJS();
  connection.closeSync();
  instance.closeSync();
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value])));
};

/** The largest difference of two cumulative distributions, exactly: a column over two sets of files. */
const exactDistance = async (column: string, from: string[], to: string[]): Promise<number> => {
  const list = (files: string[]): string => `read_parquet([${files.map((file) => `'${file}'`).join(', ')}])`;
  const [row] = await ask(`
    WITH steps AS (
      SELECT v, sum(f) AS f, sum(t) AS t FROM (
        SELECT "${column}" AS v, 1 AS f, 0 AS t FROM ${list(from)} UNION ALL SELECT "${column}", 0, 1 FROM ${list(to)}) WHERE v IS NOT NULL GROUP BY v),
    sums AS (SELECT sum(f) OVER (ORDER BY v) / sum(f) OVER () AS f, sum(t) OVER (ORDER BY v) / sum(t) OVER () AS t FROM steps)
    SELECT max(abs(f - t))::DOUBLE AS distance FROM sums`);
  return row!['distance'] as number;
};

describe('of the flights', () => {
  it('counts exactly, and estimates within its bounds', async () => {
    const files = months(1, 2);
    const profile = await profileOf(files);
    const [exact] = await ask(`SELECT count(dep_delay) AS count, count(*) - count(dep_delay) AS nulls, count(DISTINCT tailnum) AS tails, avg(dep_delay) AS mean, min(dep_delay) AS least, max(dep_delay) AS most,
      quantile_cont(dep_delay, 0.5) AS median, quantile_cont(dep_delay, 0.95) AS late FROM read_parquet(['${files.join("','")}'])`);
    const delay = profile.get('dep_delay')!;
    expect(delay).toMatchObject({ kind: 'number', count: exact!['count'], nulls: exact!['nulls'] });
    expect(delay.numbers).toMatchObject({ minimum: exact!['least'], maximum: exact!['most'], notFinite: 0 });
    expect(delay.numbers!.mean).toBeCloseTo(exact!['mean'] as number, 6);
    const quantile = (share: number): number => delay.numbers!.quantiles.find((point) => point.share === share)!.value;
    expect(Math.abs(quantile(0.5) - (exact!['median'] as number))).toBeLessThanOrEqual(1);
    expect(Math.abs(quantile(0.95) - (exact!['late'] as number))).toBeLessThanOrEqual(5);
    expect(Math.abs(profile.get('tailnum')!.distinct / (exact!['tails'] as number) - 1)).toBeLessThan(0.03);
    expect(profile.get('month')!.distinct).toBe(2);
    expect(profile.get('carrier')!.distinct).toBe(16);
    const { edges, counts } = delay.numbers!.histogram;
    const [bins] = await ask(`SELECT ${edges.map((edge, index) => `count_if(dep_delay <= ${edge}${index === 0 ? '' : ` AND dep_delay > ${edges[index - 1]}`})`).map((sql, index) => `${sql} AS b${index}`).join(', ')} FROM read_parquet(['${files.join("','")}'])`);
    expect(counts).toEqual(Object.values(bins!));
    const carriers = await ask(`SELECT carrier AS value, count(*) AS count FROM read_parquet(['${files.join("','")}']) GROUP BY 1 ORDER BY 2 DESC, 1`);
    expect(profile.get('carrier')).toMatchObject({ kind: 'text', numbers: null, top: carriers });
  });

  it.each(['dep_delay', 'distance', 'hour', 'month', 'day'])('tells by profiles alone how far %s of winter is from summer', async (column) => {
    const [winter, summer] = [await profileOf(months(1, 2)), await profileOf(months(6, 7))];
    const found = columnDistance(winter.get(column)!, summer.get(column)!)!;
    expect(Math.abs(found.distance - (await exactDistance(column, months(1, 2), months(6, 7))))).toBeLessThan(0.03);
    expect(columnDistance(winter.get(column)!, winter.get(column)!)).toEqual({ measure: 'kolmogorovSmirnov', distance: 0 });
  });
});

describe('of the mortgage applications', () => {
  it('finds the frequent values of each column, whatever its header is', async () => {
    const profile = await profileOf([`${process.cwd()}/${HDMA}`], 'csv');
    expect([...profile.values()].every(({ count, nulls }) => count + nulls === 2_381)).toBe(true);
    expect(profile.get('deny')!.top).toEqual([{ value: 'false', count: 2_096 }, { value: 'true', count: 285 }]);
    // The one row with `NA` makes these texts: the profile shows it at once.
    expect(profile.get('self')!.top).toEqual([{ value: 'no', count: 2_103 }, { value: 'yes', count: 277 }, { value: 'NA', count: 1 }]);
    expect(profile.get('ccs')).toMatchObject({ kind: 'number', numbers: { minimum: 1, maximum: 6 } });
  });
});

describe('of columns that are made to break it', () => {
  it('takes names as ours are, values that no number can hold, and types of all kinds', async () => {
    const file = await writeRows(
      join(folder, 'odd.parquet'),
      `SELECT range AS count0, (range % 3)::VARCHAR AS "count(*)", CASE range WHEN 0 THEN 'nan'::DOUBLE WHEN 1 THEN 'inf'::DOUBLE WHEN 2 THEN 1e308 WHEN 3 THEN 1e308 ELSE 0.1 + range END AS c0,
        NULL::INTEGER AS "quo""te", 'it''s' AS "it's", [range] AS list, {'a': range} AS top1, '\\xAA'::BLOB AS bytes, TIMESTAMP '2013-01-01' + INTERVAL (range) HOUR AS "at", DATE '2013-01-01' AS day,
        repeat('x', 500) AS long, 0.1234567890123456789::DECIMAL(38,19) AS decimal, 99999999999999999999::HUGEINT AS huge, true AS yes FROM range(100)`,
    );
    const profile = await profileOf([file]);
    expect(profile.get('count0')).toMatchObject({ count: 100, numbers: { minimum: 0, maximum: 99 } });
    expect(profile.get('count(*)')!.top).toEqual([{ value: '0', count: 34 }, { value: '1', count: 33 }, { value: '2', count: 33 }]);
    expect(profile.get('c0')).toMatchObject({ count: 100, numbers: { notFinite: 2, maximum: 1e308 } });
    expect(profile.get('quo"te')).toMatchObject({ count: 0, nulls: 100, numbers: null, top: [] });
    expect(profile.get('list')).toMatchObject({ kind: 'other', count: 100, top: [] });
    expect(profile.get('at')).toMatchObject({ kind: 'time', numbers: { minimum: Date.UTC(2013, 0, 1), maximum: Date.UTC(2013, 0, 5, 3) } });
    expect(profile.get('day')!.top).toEqual([{ value: '2013-01-01T00:00:00.000Z', count: 100 }]);
    expect(profile.get('long')!.top[0]!.value).toHaveLength(200);
    expect(profile.get('yes')!.top).toEqual([{ value: 'true', count: 100 }]);
    expect(profile.get('huge')!.numbers!.histogram.counts).toEqual([100]);
  });

  it('keeps every row when edges have 17 digits', async () => {
    const profile = await profileOf([await writeRows(join(folder, 'digits.parquet'), 'SELECT sin(range) AS value, (range % 7) / 3.0 AS thirds FROM range(20000)')]);
    for (const { numbers } of profile.values()) expect(numbers!.histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(20_000);
    expect(profile.get('thirds')!.top.reduce((sum, { count }) => sum + count, 0)).toBe(20_000);
  });

  it('takes 300 columns, coarser', async () => {
    const names = Array.from({ length: 300 }, (_unused, index) => `f${index}`);
    await writeFile(join(folder, 'wide.csv'), [names.join(','), ...Array.from({ length: 30 }, (_row, row) => names.map((_name, column) => row * column).join(','))].join('\n'));
    const profile = await profileOf([join(folder, 'wide.csv')], 'csv');
    expect(profile.size).toBe(300);
    expect(profile.get('f299')!.numbers!.histogram.edges.length).toBeLessThanOrEqual(10);
    expect(JSON.stringify([...profile.values()]).length).toBeLessThan(2_000_000);
  });
});
