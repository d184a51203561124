/** Inspecting and checking files: real Parquet and CSV, whole, damaged and disagreeing. */
import { randomInt } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataEngine } from '../../../adapters/duckdb/index.ts';
import { DataCheck, type FileCheck } from '../../../contracts/data-check.ts';
import type { DataEngine, LocalTable } from '../../../domain/ports/data-engine.ts';
import { writeRows } from './source-files.ts';

let folder: string;
let engine: DataEngine;
const path = (name: string): string => join(folder, name);
const table = (files: string[], format: 'parquet' | 'csv' = 'parquet', name = 'rows'): LocalTable => ({ name, format, files });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inspect-'));
  engine = createDataEngine({ scratchFolder: path('scratch'), memoryLimit: '512MB', threads: 1 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('inspect', () => {
  it('tells columns, types, nulls and rows of each file', async () => {
    const files = [await writeRows(path('a.parquet'), "SELECT 1 AS id, 'x' AS name UNION ALL SELECT 2, NULL"), await writeRows(path('b.parquet'), "SELECT 3 AS id, 'y' AS name")];
    expect(await engine.inspect([table(files)])).toMatchObject([
      { name: 'rows', rows: 3, rowsPerFile: [2, 1], columns: [{ name: 'id', type: 'INTEGER', nulls: 0 }, { name: 'name', type: 'VARCHAR', nulls: 1 }] },
    ]);
    expect(await readdir(path('scratch'))).toEqual([]);
  });

  it('takes a file name as it is, whatever characters it has', async () => {
    await mkdir(path('year=2013'));
    const files = [await writeRows(path('year=2013/part[1]*.parquet'), 'SELECT 1 AS id'), await writeRows(path('year=2013/part1x.parquet'), 'SELECT 1 AS id UNION ALL SELECT 2')];
    const [inspected] = await engine.inspect([table(files)]);
    expect(inspected).toMatchObject({ rowsPerFile: [1, 2], columns: [{ name: 'id' }] });
  });

  it.each([
    ['a column less', "SELECT 1 AS id", /has no column "name"/],
    ['a column more', "SELECT 1 AS id, 'x' AS name, 2 AS more", /has a column "more"/],
    ['another type', "SELECT '1' AS id, 'x' AS name", /column "id" has type VARCHAR in .*other\.parquet, and INTEGER in .*first\.parquet/],
  ])('refuses a file with %s, and names it', async (_what, select, message) => {
    const files = [await writeRows(path('first.parquet'), "SELECT 1 AS id, 'x' AS name"), await writeRows(path('other.parquet'), select)];
    const failure = engine.inspect([table(files)]);
    await expect(failure).rejects.toMatchObject({ code: 'SchemaChanged', retryable: false });
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.toThrow(/other\.parquet/);
  });

  it('agrees in CSV files on types that hold all of their values', async () => {
    await writeFile(path('1.csv'), 'id,value,day,note\n1,5,2013-01-01,\n');
    await writeFile(path('2.csv'), 'id,value,day,note\n2,5.5,2013-01-01 10:00:00,hello\n');
    await writeFile(path('3.csv'), 'id,value,day,note\n3,,,\n');
    const [inspected] = await engine.inspect([table(['1.csv', '2.csv', '3.csv'].map(path), 'csv')]);
    expect(inspected).toMatchObject({
      rows: 3,
      columns: [{ name: 'id', type: 'BIGINT', nulls: 0 }, { name: 'value', type: 'DOUBLE', nulls: 1 }, { name: 'day', type: 'TIMESTAMP', nulls: 1 }, { name: 'note', type: 'VARCHAR', nulls: 2 }],
    });
  });

  it('names a CSV file whose column is another one', async () => {
    await writeFile(path('good.csv'), 'id\n1\n');
    await writeFile(path('bad.csv'), 'id\nx1\n');
    await expect(engine.inspect([table([path('good.csv'), path('bad.csv')], 'csv')])).rejects.toMatchObject({ code: 'SchemaChanged', message: expect.stringMatching(/bad\.csv/) as string });
  });

  it.each([
    ['no Parquet at all', () => Buffer.from('id,name\n1,x\n')],
    ['an empty file', () => Buffer.alloc(0)],
    ['the first half of one', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ['one with its footer gone', (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -8), Buffer.alloc(8)])],
  ])('names a file that is %s', async (_what, damage) => {
    await writeRows(path('whole.parquet'), 'SELECT range AS id, md5(range::VARCHAR) AS text FROM range(10000)');
    await writeFile(path('damaged.parquet'), damage(await readFile(path('whole.parquet'))));
    await expect(engine.inspect([table([path('whole.parquet'), path('damaged.parquet')])])).rejects.toMatchObject({
      code: 'SourceCorrupt',
      message: expect.stringContaining(path('damaged.parquet')) as string,
    });
  });

  it('ends no other process than its own, whatever bytes a file has', async () => {
    const whole = await readFile(await writeRows(path('fuzz.parquet'), 'SELECT range AS id, md5(range::VARCHAR) AS text FROM range(300)'));
    const attempts = Array.from({ length: 12 }, async (_, index) => {
      const bytes = Buffer.from(whole);
      for (let change = 0; change < 8; change += 1) bytes[randomInt(bytes.length)] = randomInt(256);
      await writeFile(path(`fuzz-${index}.parquet`), bytes);
      return engine.inspect([table([path(`fuzz-${index}.parquet`)])]).then(() => 'read', (error: { code?: string }) => error.code);
    });
    for (const outcome of await Promise.all(attempts)) expect(['read', 'SourceCorrupt']).toContain(outcome);
  }, 60_000);
});

describe('checks', () => {
  const check = async (checks: unknown[]) => {
    const file = await writeRows(
      path('checked.parquet'),
      `SELECT * FROM (VALUES (1, 'JFK', 10.0::DOUBLE, '5', TIMESTAMP '2013-01-01'), (2, 'LGA', 'nan'::DOUBLE, 'x', NULL), (2, NULL, -1.0, NULL, NULL), (NULL, 'ORD', 200.0, '7', NULL)) AS t(id, origin, delay, code, seen)`,
    );
    return engine.check({ tables: [table([file], 'parquet', 'flights')], checks: checks.map((one) => DataCheck.parse({ table: 'flights', ...(one as object) }) as FileCheck), atMs: Date.now() });
  };

  it('counts failing rows and shows some', async () => {
    const results = await check([
      { kind: 'notNull', column: 'id' },
      { kind: 'range', column: 'delay', min: 0, max: 100 },
      { kind: 'set', column: 'origin', values: ['JFK', 'LGA'], severity: 'warn' },
      { kind: 'set', column: 'id', values: [1, 2] },
      { kind: 'unique', columns: ['id'] },
      { kind: 'type', column: 'code', type: 'integer' },
    ]);
    expect(results.map(({ passed, failingRows }) => [passed, failingRows])).toEqual([[false, 1], [false, 3], [false, 1], [true, 0], [false, 1], [false, 1]]);
    expect(results.map(({ severity }) => severity)).toEqual(['error', 'error', 'warn', 'error', 'error', 'error']);
    expect(JSON.parse(results[0]?.examples[0]?.values ?? '')).toMatchObject({ id: null, origin: 'ORD' });
    for (const { rows, examples } of results) {
      expect(rows).toBe(4);
      expect(examples.length).toBeLessThanOrEqual(20);
    }
  });

  it('passes what holds', async () => {
    const results = await check([
      { kind: 'rowCount', min: 4, max: 4 },
      { kind: 'columns', required: ['id', 'seen'] },
      { kind: 'type', column: 'seen', type: 'timestamp' },
      { kind: 'type', column: 'id', type: 'integer' },
      { kind: 'type', column: 'delay', type: 'number' },
      { kind: 'unique', columns: ['id', 'origin'] },
      { kind: 'range', column: 'id', min: 1 },
    ]);
    expect(results.map(({ passed }) => passed)).toEqual(Array.from({ length: 7 }, () => true));
  });

  it('fails what cannot run, and says why', async () => {
    const results = await check([
      { kind: 'notNull', column: 'origine' },
      { kind: 'range', column: 'origin', min: 1 },
      { kind: 'unique', columns: ['id', 'nothing'] },
      { kind: 'columns', required: ['id', 'nothing'] },
      { kind: 'notNull', column: 'id', table: 'flight' },
      { kind: 'rowCount', min: 5 },
      { kind: 'type', column: 'delay', type: 'integer', severity: 'warn' },
    ]);
    expect(results.every(({ passed }) => !passed)).toBe(true);
    expect(results.map(({ message }) => message)).toEqual([
      'cannot run: there is no column "origine"; the nearest is "origin"',
      'cannot run: "origin" is VARCHAR, not a number',
      'cannot run: there is no column "nothing"',
      'columns that are not there: nothing',
      'cannot run: the source has no table "flight"',
      '4 rows; wanted are 5 to any number of rows',
      '"delay" is DOUBLE, not integer',
    ]);
  });

  it('takes values and names for what they are, never for SQL', async () => {
    const results = await check([
      { kind: 'set', column: 'origin', values: ["JFK') OR true OR ('", 'LGA'] },
      { kind: 'notNull', column: 'id" IS NULL OR "id' },
    ]);
    expect(results.map(({ failingRows }) => failingRows)).toEqual([2, 0]);
    expect(results[1]?.message).toMatch(/cannot run/);
  });
});
