/** `perennial ci check` on two real data sets, with nothing running; and drafts of checks that hold on the data that they come from. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createDataEngine } from '../../../adapters/duckdb/index.ts';
import { runCommandLine } from '../../../cli/command-line.ts';
import { DataCheck, type FileCheck } from '../../../contracts/data-check.ts';
import type { DatasetManifest } from '../../../contracts/dataset.ts';
import { inferChecks } from '../../../domain/inferred-checks.ts';

const HDMA = `${process.cwd()}/test/references/data/hdma.csv`;
const FLIGHTS = [1, 2].map((month) => `${process.cwd()}/examples/flight-delays/data/flights/2013-0${month}.parquet`);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ci-check-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const PIPELINE = `
name: mortgages
source:
  tables:
    hdma: { files: ${HDMA}, format: csv, masked: [black] }
checks:
  - { kind: rowCount, table: hdma, min: 2000 }
  - { kind: set, table: hdma, column: pbcr, values: ['yes', 'no'], severity: SEVERITY }
  - { kind: range, table: hdma, column: lvr, max: 1.5, severity: warn }
  - { kind: distribution, table: hdma, column: dir }
features:
  sql: SELECT column00 AS id, TIMESTAMP '1990-01-01' + INTERVAL (column00) HOUR AS applied, dir, hir, deny FROM hdma
  identity: [id]
  eventTime: applied
  label: deny
  columns: [{ name: dir, type: numeric }, { name: hir, type: numeric }]
split: { holdout: { last: P1M } }
train: { trainer: lightgbm }
`;

const check = async (text: string): Promise<{ code: number; said: string; junit: string; markdown: string }> => {
  const [file, junit, markdown] = ['pipeline.yaml', 'checks.xml', 'checks.md'].map((name) => join(folder, name)) as [string, string, string];
  await writeFile(file, text);
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((line) => written.push(String(line)) > 0);
  try {
    const code = await runCommandLine(['node', 'perennial', 'ci', 'check', '-f', file, '--junit', junit, '--markdown', markdown]);
    return { code, said: written.join(''), junit: await readFile(junit, 'utf8'), markdown: await readFile(markdown, 'utf8') };
  } finally {
    spy.mockRestore();
  }
};

/** What a reader of JUnit sees, by Python's own XML parser. */
const casesOf = async (junit: string): Promise<[string, string, string | null][]> => {
  const program = "import sys, json, xml.etree.ElementTree as t; print(json.dumps([[c.get('classname'), c.get('name'), (c[0].tag if len(c) else None)] for c in t.fromstring(sys.argv[1]).iter('testcase')]))";
  const { stdout } = await promisify(execFile)('python3', ['-c', program, junit]);
  return JSON.parse(stdout) as [string, string, string | null][];
};

it('refuses what fails, with the rows, and lets warnings through', async () => {
  const refused = await check(PIPELINE.replace('SEVERITY', 'error'));
  expect(refused.code).toBe(1);
  expect(refused.said).toMatch(/failed {2}quality {2}set\(pbcr\) on hdma: 1 rows where "pbcr" is not in the set \(0\.042 %\)\n +test\/references\/data\/hdma\.csv row 2381: \{"pbcr":"NA",.*"black":"\*\*\*"/);
  expect(refused.said).toMatch(/mortgages: 4 passed, 1 failed, 1 warned, 1 not run here\n$/);
  expect(await casesOf(refused.junit)).toEqual([
    ['mortgages.schema', 'the pipeline is valid', null],
    ['mortgages.data', 'the source files can be read', 'system-out'],
    ['mortgages.quality', 'rowCount on hdma', 'system-out'],
    ['mortgages.quality', 'set(pbcr) on hdma', 'failure'],
    ['mortgages.quality', 'range(lvr) on hdma', 'system-out'],
    ['mortgages.quality', 'distribution(dir) on hdma', 'skipped'],
    ['mortgages.features', 'the feature SQL gives a feature set', 'system-out'],
  ]);
  expect(refused.markdown).toMatch(/^### mortgages: failed\n\n4 passed, 1 failed, 1 warned, 1 not run here\.\n\n\|/);
  const passed = await check(PIPELINE.replace('SEVERITY', 'warn'));
  expect([passed.code, passed.markdown.split('\n')[0]]).toEqual([0, '### mortgages: passed']);
});

it('says what is wrong with the pipeline, the files and the SQL', async () => {
  const invalid = await check(PIPELINE.replace('SEVERITY', 'fatal').replace('holdout', 'hold'));
  expect(invalid.code).toBe(1);
  expect(invalid.said).toMatch(/failed {2}schema {3}checks\[1\]\.severity.*\n +line 8\n/);
  const away = await check(PIPELINE.replace('SEVERITY', 'warn').replace('hdma.csv', 'nothing.csv'));
  expect(away.said).toMatch(/failed {2}data {5}the source files can be read: no file matches/);
  const sql = await check(PIPELINE.replace('SEVERITY', 'warn').replace('AS applied', 'AS applied, nothing'));
  expect(sql.said).toMatch(/failed {2}features the feature SQL gives a feature set: the feature SQL failed.*nothing/);
}, 60_000);

it('drafts checks that the same data pass', async () => {
  const engine = createDataEngine({ scratchFolder: join(folder, 'scratch') });
  for (const table of [{ name: 'hdma', format: 'csv' as const, files: [HDMA] }, { name: 'flights', format: 'parquet' as const, files: FLIGHTS }]) {
    const inspected = await engine.inspect([table]);
    const drafts = inferChecks({ tables: inspected } as unknown as DatasetManifest);
    expect(drafts.length).toBeGreaterThan(20);
    const results = await engine.check({ tables: [table], checks: drafts.map((draft) => DataCheck.parse(draft) as FileCheck), atMs: Date.now() });
    expect(results.filter(({ passed }) => !passed)).toEqual([]);
  }
}, 60_000);
