import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, expect, test } from 'vitest';
import type { AnswerLine, VersionLine } from '../../../serving/log-record.ts';
import { openSegmentWriter } from '../../../serving/segment-file.ts';
import { segmentRows } from '../../../serving/segment-rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'perennial-segments-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const version: VersionLine = {
  kind: 'version',
  model: 'flights',
  version: 3,
  inputs: [
    { name: 'gust', datatype: 'FP32', shape: [-1, 1], missing: 'allowed' },
    { name: 'carrier', datatype: 'BYTES', shape: [-1, 1], missing: 'allowed' },
    { name: 'pair', datatype: 'FP32', shape: [-1, 2], missing: 'forbidden' },
  ],
  outputs: [{ name: 'score', datatype: 'FP32', shape: [-1, 1], missing: 'forbidden' }],
};
const answer: AnswerLine = {
  kind: 'answer',
  id: 'a',
  at: Date.parse('2013-06-01T12:00:00.123Z'),
  model: 'flights',
  version: 3,
  role: 'stable',
  generation: 7,
  rows: 2,
  request: { inputs: [{ name: 'gust', data: [null, 12.5] }, { name: 'pair', data: [[1, 2], [3, 4]] }, { name: 'carrier', data: ['UA', ''] }] },
  outputs: [[0.25, 0.75]],
  latencyMs: 1.5,
  fellBackFrom: 4,
};
const lines = [version, answer, { ...answer, id: 'b', rows: 1, request: { inputs: [{ name: 'gust', data: [1] }, { name: 'carrier', data: ['O"Hare'] }, { name: 'pair', data: [5, 6] }] }, outputs: [[0.5]], fellBackFrom: undefined }].map((line) => JSON.stringify(line));

test('one row per inference row, with columns by name; an empty string where missing is allowed is a missing value', () => {
  const rows = segmentRows(lines).get('flights') ?? [];
  expect(rows.map(({ inferenceId }) => inferenceId)).toEqual(['a/0', 'a/1', 'b']);
  expect(rows.map(({ inputs }) => JSON.parse(inputs) as unknown)).toEqual([
    { gust: null, carrier: 'UA', pair: [1, 2] },
    { gust: 12.5, carrier: null, pair: [3, 4] },
    { gust: 1, carrier: 'O"Hare', pair: [5, 6] },
  ]);
  expect(rows.map(({ outputs }) => JSON.parse(outputs) as unknown)).toEqual([{ score: 0.25 }, { score: 0.75 }, { score: 0.5 }]);
  expect(rows.map(({ fellBackFrom }) => fellBackFrom)).toEqual([4, 4, null]);
});

test('a record before its columns is an error of the file', () => {
  expect(() => segmentRows(lines.slice(1))).toThrow('the log has a record of flights/3 before its columns');
});

test('the Parquet file has the promised columns and times in UTC', async () => {
  const writer = await openSegmentWriter();
  const path = join(folder, "it's a segment.parquet");
  await writer.write(segmentRows(lines).get('flights') ?? [], path);
  await writer.write(segmentRows(lines).get('flights') ?? [], path);
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const described = await connection.runAndReadAll('select column_name, column_type from (describe select * from read_parquet($path))', { path });
  expect(described.getRowsJS()).toEqual([
    ['inference_id', 'VARCHAR'],
    ['at', 'TIMESTAMP'],
    ['version', 'INTEGER'],
    ['role', 'VARCHAR'],
    ['generation', 'BIGINT'],
    ['latency_ms', 'DOUBLE'],
    ['fell_back_from', 'INTEGER'],
    ['inputs', 'VARCHAR'],
    ['outputs', 'VARCHAR'],
  ]);
  const first = await connection.runAndReadAll(`select inference_id, strftime("at", '%Y-%m-%dT%H:%M:%S.%g') as at, version, generation, latency_ms from read_parquet($path) limit 1`, { path });
  expect(first.getRowObjectsJson()).toEqual([{ inference_id: 'a/0', at: '2013-06-01T12:00:00.123', version: 3, generation: '7', latency_ms: 1.5 }]);
  connection.closeSync();
});
