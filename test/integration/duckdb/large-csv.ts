/**
 * A large CSV file with one bad row at its end: what the checks say of it, and how much memory they take. `node --import tsx test/integration/duckdb/large-csv.ts 10000000`
 * does it with 10 million rows.
 */
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDataEngine } from '../../../adapters/duckdb/index.ts';
import type { CheckResult } from '../../../contracts/check-report.ts';
import { DataCheck, type FileCheck } from '../../../contracts/data-check.ts';
import { withHighestMemory } from './memory.ts';
import { writeRows } from './source-files.ts';

const CHECKS = [
  { kind: 'type', column: 'price', type: 'number' },
  { kind: 'range', column: 'share', min: 0, max: 1 },
  { kind: 'set', column: 'country', values: Array.from({ length: 50 }, (_unused, index) => `country-${index}`) },
  { kind: 'regex', column: 'code', pattern: '[0-9a-f]{8}' },
  { kind: 'notNull', column: 'id' },
  { kind: 'monotonic', column: 'id' },
  { kind: 'unique', columns: ['id'] },
];

export type LargeResult = { results: CheckResult[]; ingestBytes: number; checkBytes: number; seconds: { inspect: number; check: number } };

export const checkLargeCsv = async (rows: number): Promise<LargeResult> => {
  const folder = await mkdtemp(join(tmpdir(), 'large-csv-'));
  try {
    const file = await writeRows(
      join(folder, 'large.csv'),
      `SELECT range AS id, (hash(range) % 100000) / 100 AS price, (hash(range + 1) % 1000) / 1000 AS share, 'country-' || (range % 50) AS country, left(md5(range::VARCHAR), 8) AS code, TIMESTAMP '2020-01-01' + INTERVAL (range) SECOND AS seen FROM range(${rows - 1})`,
    );
    await appendFile(file, `${rows - 1},twelve,1.5,country-50,nothing,2031-01-01 00:00:00\n`);
    const engine = createDataEngine({ scratchFolder: join(folder, 'scratch') });
    const start = Date.now();
    const inspected = await withHighestMemory(() => engine.inspect([{ name: 't', format: 'csv', files: [file] }]));
    const between = Date.now();
    const table = { name: 't', format: 'csv' as const, files: [file], columns: inspected.result[0]!.columns.map(({ name, type }) => ({ name, type })) };
    const checked = await withHighestMemory(() => engine.check({ tables: [table], checks: CHECKS.map((one) => DataCheck.parse({ table: 't', ...one }) as FileCheck), atMs: Date.now() }));
    return { results: checked.result, ingestBytes: inspected.bytes, checkBytes: checked.bytes, seconds: { inspect: (between - start) / 1_000, check: (Date.now() - between) / 1_000 } };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

if (import.meta.filename === process.argv[1]) {
  const rows = Number(process.argv[2] ?? 10_000_000);
  const { results, ingestBytes, checkBytes, seconds } = await checkLargeCsv(rows);
  for (const { check, passed, message, examples } of results) console.log(`${passed ? 'passed' : 'failed'} ${check}: ${message}${examples[0] === undefined ? '' : `, row ${examples[0].row}: ${examples[0].values}`}`);
  console.log(`${rows} rows; highest resident memory: inspect ${Math.round(ingestBytes / 1e6)} MB in ${seconds.inspect} s, check ${Math.round(checkBytes / 1e6)} MB in ${seconds.check} s`);
}
