/** What changed between two versions, decided by their manifests. */
import { describe, expect, it } from 'vitest';
import type { DatasetManifest } from '../../../contracts/dataset.ts';
import type { ColumnProfile } from '../../../contracts/dataset-profile.ts';
import { columnDistance } from '../../../domain/column-distance.ts';
import { diffVersions } from '../../../domain/dataset-diff.ts';
import { treeOf } from '../../../domain/dataset-tree.ts';

type Table = DatasetManifest['tables'][number];

const numbers = (column: string, edges: number[], counts: number[], changes: Partial<ColumnProfile> = {}): ColumnProfile => {
  const count = counts.reduce((sum, some) => sum + some, 0);
  const top = changes.top ?? [];
  return { column, kind: 'number', count, nulls: 0, distinct: edges.length, top, ...changes, numbers: { minimum: Math.min(0, edges[0]!), maximum: edges.at(-1)!, mean: null, notFinite: 0, quantiles: [], histogram: { edges, counts } } };
};
const texts = (column: string, shares: Record<string, number>, count = 100): ColumnProfile => ({
  column,
  kind: 'text',
  count,
  nulls: 0,
  distinct: Object.keys(shares).length,
  numbers: null,
  top: Object.entries(shares).map(([value, times]) => ({ value, count: times })),
});
const hex = (digit: string): string => digit.repeat(64);
const file = (path: string, digit: string, rows = 10): Table['files'][number] => ({ path, artifact: { uri: `artifact:sha256/${hex(digit)}`, sha256: hex(digit), bytes: rows }, md5: digit.repeat(32), rows });
const table = (name: string, files: Table['files'], profile: ColumnProfile[], types: Record<string, string> = {}): Table => ({
  name,
  format: 'parquet',
  rows: files.reduce((sum, { rows }) => sum + rows, 0),
  columns: profile.map(({ column, kind }) => ({ name: column, type: types[column] ?? (kind === 'text' ? 'VARCHAR' : 'DOUBLE'), nulls: 0 })),
  files,
  profile,
});
const manifest = (version: string, tables: Table[]): DatasetManifest => ({ dataset: 'd', version, tables, rows: 0, bytes: 0 });

describe('a diff', () => {
  it('names tables, files, columns, types and distributions that are others', () => {
    const before = manifest('1', [
      table('gone', [file('gone', 'a')], [texts('x', { a: 100 })]),
      table('kept', [file('jan', 'b'), file('feb', 'c'), file('old', 'd', 7)], [numbers('price', [1, 2], [50, 50]), texts('kind', { a: 60, b: 40 }), texts('same', { a: 100 }), texts('lost', { a: 100 }), numbers('code', [1], [100])]),
    ]);
    const after = manifest('2', [
      table('kept', [file('jan', 'b'), file('feb', 'e', 20), file('mar', 'f', 5)], [numbers('price', [1, 2], [20, 80]), texts('kind', { a: 55, b: 45 }), texts('same', { a: 100 }), numbers('code', [1], [100]), numbers('new', [1], [1])], { code: 'BIGINT' }),
      table('later', [file('later', '1')], [texts('x', { a: 100 })]),
    ]);
    const diff = diffVersions(before, after);
    expect(diff).toMatchObject({ from: '1', to: '2', same: false, tables: [{ table: 'gone', state: 'removed' }, { table: 'kept', state: 'changed' }, { table: 'later', state: 'added' }] });
    const kept = diff.tables[1]!;
    expect(kept.rows).toEqual({ from: 27, to: 35 });
    expect(kept.files).toEqual({ added: [{ path: 'mar', rows: 5 }], removed: [{ path: 'old', rows: 7 }], changed: [{ path: 'feb', rows: 20, rowsBefore: 10 }], same: 1 });
    expect(kept.schema).toEqual({ added: [{ column: 'new', type: 'DOUBLE' }], removed: [{ column: 'lost', type: 'VARCHAR' }], retyped: [{ column: 'code', from: 'DOUBLE', to: 'BIGINT' }] });
    expect(kept.columns.map(({ column, distance, reasons }) => [column, Number(distance?.toFixed(3)), reasons.length])).toEqual([['price', 0.3, 1], ['kind', 0.05, 0], ['same', 0, 0], ['code', 0, 0]]);
    expect(diffVersions(before, before)).toMatchObject({ same: true, tables: [{ state: 'same' }, { state: 'same' }] });
  });

  it('says that nulls came, or values went', () => {
    const reasons = (from: Partial<ColumnProfile>, to: Partial<ColumnProfile>): string[] => {
      const [before, after] = [from, to].map((changes, index) => manifest(String(index), [table('t', [file('f', String(index))], [{ ...texts('x', { a: 100 }), ...changes }])])) as [DatasetManifest, DatasetManifest];
      return diffVersions(before, after).tables[0]!.columns[0]!.reasons;
    };
    expect(reasons({}, { nulls: 1 })).toEqual(['it has nulls now: 0.99 %']);
    expect(reasons({ nulls: 10 }, { nulls: 100 })).toEqual(['nulls went from 9.09 % to 50 %']);
    expect(reasons({ nulls: 10 }, { nulls: 11 })).toEqual([]);
    expect(reasons({}, { count: 0, nulls: 100, top: [] })).toEqual(['it has nulls now: 100 %', 'it has no values any more']);
  });
});

describe('the distance of a column', () => {
  it('sees a frequent value where it is, and not spread over its bin', () => {
    const half = { top: [{ value: '5', count: 50 }] };
    const [coarse, fine] = [numbers('x', [4.8, 5, 10], [24, 52, 24], half), numbers('x', [4.95, 5, 10], [25, 51, 24], half)];
    expect(columnDistance(coarse, fine)!.distance).toBeLessThan(0.02);
    expect(columnDistance(numbers('x', [10], [100]), numbers('x', [10], [100], { top: [{ value: '10', count: 100 }] }))!.distance).toBeCloseTo(1, 5);
  });

  it('is 1 for values without overlap, and compares times by their instants', () => {
    expect(columnDistance(numbers('x', [1, 2], [50, 50]), { ...numbers('x', [9], [100]), numbers: { ...numbers('x', [9], [100]).numbers!, minimum: 8 } })!.distance).toBe(1);
    const day = (ms: number): ColumnProfile => ({ ...numbers('x', [ms], [10], { kind: 'time', top: [{ value: new Date(ms).toISOString(), count: 10 }] }), numbers: { minimum: ms, maximum: ms, mean: ms, notFinite: 0, quantiles: [], histogram: { edges: [ms], counts: [10] } } });
    expect(columnDistance(day(1_000), day(1_000))!.distance).toBe(0);
    expect(columnDistance(day(1_000), day(2_000))!.distance).toBe(1);
  });

  it('gives values that fell out of the most frequent ones the benefit of the doubt', () => {
    expect(columnDistance(texts('x', { a: 50, b: 50 }), texts('x', { c: 50, d: 50 }))!.distance).toBe(1);
    const many = (values: Record<string, number>): ColumnProfile => texts('x', values, 1_000);
    expect(columnDistance(many({ a: 5, b: 4 }), many({ c: 5, d: 4 }))!.distance).toBeLessThan(0.01);
    expect(columnDistance(texts('x', { a: 1 }), numbers('x', [1], [1]))).toBeUndefined();
  });
});

it('a tree has a folder per table, and in it what differs in the paths', () => {
  const files = [file('in/put/2013/01.csv', 'a'), file('in/put/2014/01.csv', 'b')];
  expect(treeOf(manifest('1', [table('single', [file('some/where/x.csv', 'c')], []), table('deep', files, []), table('flat', [file('x.csv', 'd'), file('y/z.csv', 'e')], [])])).map(({ path }) => path)).toEqual([
    'deep/2013/01.csv',
    'deep/2014/01.csv',
    'flat/x.csv',
    'flat/y/z.csv',
    'single/x.csv',
  ]);
});
