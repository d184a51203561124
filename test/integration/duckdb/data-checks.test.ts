/** Every kind of check on real data, with the places of the failing rows; what cannot run; and what stays masked. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataEngine } from '../../../adapters/duckdb/index.ts';
import type { CheckResult } from '../../../contracts/check-report.ts';
import { DataCheck, type FileCheck } from '../../../contracts/data-check.ts';
import type { DataEngine, LocalTable } from '../../../domain/ports/data-engine.ts';
import { checkLargeCsv } from './large-csv.ts';
import { readRows, writeRows } from './source-files.ts';

const AT = Date.parse('2014-01-03T00:00:00Z');
const FLIGHTS = `${process.cwd()}/examples/flight-delays/data`;

let folder: string;
let engine: DataEngine;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'data-checks-'));
  engine = createDataEngine({ scratchFolder: join(folder, 'scratch'), memoryLimit: '512MB', threads: 2 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const check = (tables: LocalTable[], checks: Record<string, unknown>[]): Promise<CheckResult[]> => engine.check({ tables, checks: checks.map((one) => DataCheck.parse(one) as FileCheck), atMs: AT });
const valuesOf = ({ examples }: CheckResult, index = 0): Record<string, unknown> => JSON.parse(examples[index]?.values ?? '{}') as Record<string, unknown>;

describe('on the flights', () => {
  const flights: LocalTable = { name: 'flights', format: 'parquet', files: [1, 2, 12].map((month) => `${FLIGHTS}/flights/2013-${String(month).padStart(2, '0')}.parquet`) };
  const planes: LocalTable = { name: 'planes', format: 'parquet', files: [`${FLIGHTS}/planes/planes.parquet`] };

  it('passes what holds, in one call', async () => {
    const results = await check(
      [flights, planes],
      [
        { kind: 'regex', table: 'flights', column: 'carrier', pattern: '[A-Z0-9]{2}' },
        { kind: 'unique', table: 'planes', columns: ['tailnum'] },
        { kind: 'unique', table: 'flights', columns: ['time_hour', 'carrier', 'flight', 'origin'] },
        { kind: 'freshness', table: 'flights', column: 'time_hour', maximumAge: 'P2D' },
        { kind: 'monotonic', table: 'flights', column: 'month' },
        { kind: 'sql', table: 'flights', name: 'a flight ends elsewhere', sql: 'SELECT * FROM flights WHERE origin = dest' },
      ],
    );
    expect(results.filter(({ passed }) => !passed)).toEqual([]);
    expect(results.map(({ check: name }) => name)).toEqual(['regex(carrier)', 'unique(tailnum)', 'unique(time_hour, carrier, flight, origin)', 'freshness(time_hour)', 'monotonic(month)', 'sql(a flight ends elsewhere)']);
    expect(results[0]!.rows).toBe(27_004 + 24_951 + 28_135);
  });

  it('says what does not, with the file and the row', async () => {
    const [key, old, fell, own, plane] = await check(
      [flights, planes],
      [
        { kind: 'foreignKey', table: 'flights', columns: ['tailnum'], references: { table: 'planes', columns: ['tailnum'] } },
        { kind: 'freshness', table: 'flights', column: 'time_hour', maximumAge: 'PT1H' },
        { kind: 'monotonic', table: 'flights', column: 'day', severity: 'warn' },
        { kind: 'sql', table: 'flights', name: 'long', sql: 'SELECT f.carrier, f.distance, p.seats FROM flights f JOIN planes p USING (tailnum) WHERE f.distance > 4000' },
        { kind: 'range', table: 'planes', column: 'seats', min: 10 },
      ],
    );
    // Every sixth flight was flown by a plane that is not in the register.
    expect(key!.passed).toBe(false);
    expect(key!.share).toBeGreaterThan(0.1);
    expect(key!.examples).toHaveLength(20);
    const { file, row } = key!.examples[0]!;
    expect((await readRows<{ tailnum: string }>(file!))[row! - 1]!.tailnum).toBe(valuesOf(key!)['tailnum']);
    expect(old!.message).toBe('the newest "time_hour" is 2014-01-01T04:00:00.000Z, 44.0 hours old; at most 1 hours are allowed');
    expect(fell).toMatchObject({ passed: false, severity: 'warn' });
    // The first day of February comes after the last of January.
    expect(fell!.examples[0]).toMatchObject({ file: flights.files[1], row: 1 });
    expect(own).toMatchObject({ passed: false, examples: { 0: { file: null, row: null } } });
    expect(valuesOf(own!)).toMatchObject({ carrier: 'HA', distance: 4983 });
    expect(plane!.failingRows).toBe(34);
    expect(valuesOf(plane!)['seats']).toBeLessThan(10);
  });
});

describe('on the mortgage applications', () => {
  const hdma = (changes: Partial<LocalTable> = {}): LocalTable => ({ name: 'hdma', format: 'csv', files: [`${process.cwd()}/test/references/data/hdma.csv`], ...changes });

  it('finds the one row that is not complete, at its place in the file', async () => {
    const [regex, set, type] = await check([hdma()], [
      { kind: 'regex', table: 'hdma', column: 'self', pattern: 'yes|no' },
      { kind: 'set', table: 'hdma', column: 'pbcr', values: ['yes', 'no'] },
      { kind: 'type', table: 'hdma', column: 'self', type: 'boolean' },
    ]);
    for (const result of [regex!, set!, type!]) {
      expect(result).toMatchObject({ passed: false, failingRows: 1, rows: 2_381, share: 1 / 2_381 });
      expect(result.examples).toMatchObject([{ file: hdma().files[0], row: 2_381 }]);
    }
    const line = (await readFile(hdma().files[0]!, 'utf8')).split('\n')[2_381]!.split(',');
    expect(valuesOf(regex!)).toMatchObject({ self: 'NA', dir: Number(line[1]) });
  });

  it('shows no value of a masked column, in examples and profile, whatever a query calls it', async () => {
    const masked = hdma({ masked: ['self', 'dir'] });
    const results = await check([masked], [
      { kind: 'regex', table: 'hdma', column: 'self', pattern: 'yes|no' },
      { kind: 'sql', table: 'hdma', name: 'renamed', sql: "SELECT self AS other, dir AS secret FROM hdma WHERE self = 'NA'" },
    ]);
    expect(valuesOf(results[0]!)).toMatchObject({ self: '***', dir: '***', black: expect.anything() as unknown });
    expect(valuesOf(results[1]!)).toEqual({ other: '***', secret: '***' });
    expect(JSON.stringify(results)).not.toMatch(/self\\*":\\*"NA|0\.3308/);
    const [inspected] = await engine.inspect([masked]);
    expect(inspected!.profile.find(({ column }) => column === 'self')).toMatchObject({ kind: 'other', count: 2_381, distinct: 3, numbers: null, top: [] });
  });
});

describe('what cannot run', () => {
  it('has failed, and breaks no other check', async () => {
    const table: LocalTable = { name: 't', format: 'parquet', files: [await writeRows(join(folder, 'few.parquet'), "SELECT range AS id, 'x' AS text, NULL::TIMESTAMP AS at FROM range(10)")] };
    const results = await check(
      [table],
      [
        { kind: 'regex', table: 't', column: 'text', pattern: 'a(' },
        { kind: 'notNull', table: 't', column: 'id' },
        { kind: 'freshness', table: 't', column: 'text', maximumAge: 'P1D' },
        { kind: 'freshness', table: 't', column: 'at', maximumAge: 'P1D' },
        { kind: 'monotonic', table: 't', column: 'text' },
        { kind: 'foreignKey', table: 't', columns: ['id'], references: { table: 'other', columns: ['id'] } },
        { kind: 'foreignKey', table: 't', columns: ['id'], references: { table: 't', columns: ['text'] } },
        { kind: 'foreignKey', table: 't', columns: ['id'], references: { table: 't', columns: ['id'] } },
        { kind: 'sql', table: 't', name: 'wrong', sql: 'SELECT nothing FROM t' },
        { kind: 'sql', table: 't', name: 'two', sql: 'SELECT 1; DROP TABLE t' },
        { kind: 'sql', table: 't', name: 'file', sql: "SELECT * FROM read_csv('/etc/passwd')" },
      ],
    );
    expect(results.map(({ passed, message }) => [passed, message.split('\n')[0]!.slice(0, 60)])).toEqual([
      [false, 'cannot run: Invalid Input Error: missing ): a('],
      [true, 'no row is null'],
      [false, 'cannot run: "text" is VARCHAR, not a time'],
      [false, '"at" has no value'],
      [false, 'cannot run: "text" is VARCHAR, neither a time nor a number'],
      [false, 'cannot run: the source has no table "other"'],
      [false, 'cannot run: "id" is BIGINT, and "text" of t is VARCHAR'],
      [true, 'every row has its like in "id" of t'],
      [false, expect.stringMatching(/^cannot run: the SQL failed/)],
      [false, 'cannot run: the SQL must be one SELECT statement, and has 2'],
      [false, expect.stringMatching(/^cannot run: the SQL calls read_csv\(\)/)],
    ]);
  });

  it('takes columns that are called as ours are', async () => {
    const table: LocalTable = { name: 't', format: 'parquet', files: [await writeRows(join(folder, 'names.parquet'), 'SELECT range AS c1, 9 - range AS c0, range % 2 AS n, 1 AS highest, range AS "at", range AS filename, range AS file_row_number FROM range(10)')] };
    const [range, unique, monotonic, numbers] = await check([table], [
      { kind: 'range', table: 't', column: 'c0', max: 7 },
      { kind: 'unique', table: 't', columns: ['n', 'highest'] },
      { kind: 'monotonic', table: 't', column: 'c0' },
      { kind: 'range', table: 't', column: 'at', min: 9 },
    ]);
    expect(range!.examples.map(({ row }) => row)).toEqual([1, 2]);
    expect(valuesOf(range!)).toMatchObject({ c0: '9', c1: '0' });
    expect(unique).toMatchObject({ failingRows: 8 });
    expect(unique!.examples.map(({ row }) => row)).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
    expect(monotonic!.failingRows).toBe(9);
    expect(numbers!.failingRows).toBe(9);
  });

  it('looks for examples in the files one after the other', async () => {
    const files = await Promise.all([1, 2, 3].map(async (number) => {
      await writeFile(join(folder, `part-${number}.csv`), `id,text\n${Array.from({ length: 15 }, (_unused, index) => `${index},${number === 1 ? 'good' : 'bad'}`).join('\n')}\n`);
      return join(folder, `part-${number}.csv`);
    }));
    const [set, unique] = await check([{ name: 't', format: 'csv', files }], [{ kind: 'set', table: 't', column: 'text', values: ['good'] }, { kind: 'unique', table: 't', columns: ['id'] }]);
    expect(set).toMatchObject({ failingRows: 30, rows: 45 });
    expect(set!.examples.map(({ file, row }) => [files.indexOf(file!), row])).toEqual([...Array.from({ length: 15 }, (_unused, index) => [1, index + 1]), ...Array.from({ length: 5 }, (_unused, index) => [2, index + 1])]);
    expect(unique).toMatchObject({ failingRows: 30 });
    expect(unique!.examples[0]).toMatchObject({ file: files[1], row: 1 });
  });
});

it('finds one bad row at the end of a million, by its number, in less than 300 MB', async () => {
  const { results, ingestBytes, checkBytes } = await checkLargeCsv(1_000_000);
  expect(results.map(({ check: name, passed, failingRows, rows }) => [name, passed, failingRows, rows])).toEqual([
    ['type(price, number)', false, 1, 1_000_000],
    ['range(share)', false, 1, 1_000_000],
    ['set(country)', false, 1, 1_000_000],
    ['regex(code)', false, 1, 1_000_000],
    ['notNull(id)', true, 0, 1_000_000],
    ['monotonic(id)', true, 0, 1_000_000],
    ['unique(id)', true, 0, 1_000_000],
  ]);
  for (const { examples } of results.slice(0, 4)) {
    expect(examples.map(({ row }) => row)).toEqual([1_000_000]);
    expect(JSON.parse(examples[0]!.values)).toMatchObject({ price: 'twelve', share: 1.5, country: 'country-50', code: 'nothing' });
  }
  expect(Math.max(ingestBytes, checkBytes)).toBeLessThan(300_000_000);
}, 240_000);
