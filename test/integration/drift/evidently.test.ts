/**
 * The drift of the same two frames by Evidently (fixtures of `npm run test:references`) and by us. Small samples and samples with few distinct values are
 * compared exactly; of the rest the scores differ by at most 0.005, and the verdict only where the score lies that near to its threshold.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { columnDistributions } from '../../../adapters/duckdb/column-distributions.ts';
import type { ColumnDistribution } from '../../../contracts/features.ts';
import { DriftSpec, type ColumnDrift, type DriftMethod } from '../../../contracts/monitor.ts';
import { driftOf } from '../../../domain/drift/window-drift.ts';
import { writeInputs, type InputColumn } from '../../references/input-files.ts';

type Expected = { column: string; method: DriftMethod; score: number | null; threshold: number; drifted: boolean };
type Fixture = { rows: { reference: number; current: number }; versions: Record<string, string>; auto: Expected[]; named: Record<string, Expected[]>; drifted: { count: number; share: number } };

const fixtures = join(import.meta.dirname, '..', '..', 'references', 'fixtures', 'evidently');
const cases = readdirSync(fixtures).map((file) => basename(file, '.json'));

/** SciPy's chi-square test of a column with one value has no degree of freedom and no p-value; there is nothing that could differ. */
const NOTHING_TO_TEST = 1;

/**
 * What bins cannot tell, on more values than are kept and only where the test is asked for by name: KS's statistic to better than 0.0005, which its p-value
 * shows the more, the more rows there are; and of a nearly empty bin, which PSI counts by the logarithm, two rows from three.
 */
const binnedTolerance = (method: DriftMethod, score: number): number => (method === 'ks' ? 0.06 : method === 'psi' ? Math.max(0.005, 0.1 * score) : 0.005);

let folder: string;
let instance: DuckDBInstance;
let connection: DuckDBConnection;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-drift-'));
  await writeInputs(folder);
  instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  connection = await instance.connect();
}, 120_000);
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
  rmSync(folder, { recursive: true, force: true });
});

const distributionsOf = async (name: string): Promise<{ reference: ColumnDistribution[]; current: ColumnDistribution[] }> => {
  const columns = JSON.parse(readFileSync(join(folder, 'drift', name, 'columns.json'), 'utf8')) as InputColumn[];
  const relation = (side: string): string => `read_parquet('${join(folder, 'drift', name, `${side}.parquet`)}')`;
  const reference = await columnDistributions(connection, { relation: relation('reference'), columns });
  return { reference, current: await columnDistributions(connection, { relation: relation('current'), columns, reference }) };
};

const isExact = (distributions: ColumnDistribution[], column: string): boolean => distributions.some((distribution) => distribution.column === column && (distribution.type === 'categorical' || distribution.exact));

describe.each(cases)('%s', (name) => {
  const fixture = JSON.parse(readFileSync(join(fixtures, `${name}.json`), 'utf8')) as Fixture;
  let sides: Awaited<ReturnType<typeof distributionsOf>>;
  beforeAll(async () => {
    sides = await distributionsOf(name);
  });

  // Beyond 10,000 rows SciPy's p-value of KS is an approximation too, of the same limit.
  const exactly = Math.max(fixture.rows.reference, fixture.rows.current) > 10_000 ? 1e-5 : 1e-6;

  const judge = (method: 'auto' | DriftMethod) =>
    driftOf({ columns: sides.reference, prediction: null }, { columns: sides.current, prediction: null }, DriftSpec.parse({ method }));

  const compare = (found: ColumnDrift[], expected: Expected[]): void => {
    for (const one of expected) {
      const ours = found.find(({ column }) => column === one.column)!;
      const what = `${one.column} by ${one.method}`;
      expect([ours.method, ours.threshold], what).toEqual([one.method, one.threshold]);
      const score = one.score ?? NOTHING_TO_TEST;
      const [hasReference, hasCurrent] = [isExact(sides.reference, one.column), isExact(sides.current, one.column)];
      const isKept = hasReference && (hasCurrent || one.method === 'ks');
      const tolerance = isKept ? exactly : binnedTolerance(one.method, score);
      expect(Math.abs((ours.score ?? NaN) - score), `${what}: ${ours.score} instead of ${score}`).toBeLessThanOrEqual(tolerance);
      if (Math.abs(score - one.threshold) > Math.max(0.005, tolerance)) expect(ours.drifted, what).toBe(one.drifted);
    }
  };

  it("chooses Evidently's tests and gives their scores and verdicts", () => {
    const drift = judge('auto');
    compare(drift.columns, fixture.auto);
    expect(drift.driftScore).toBeCloseTo(fixture.drifted.share, 10);
  });

  it('gives the scores and verdicts of each test by name', () => {
    for (const [method, expected] of Object.entries(fixture.named)) compare(judge(method as DriftMethod).columns.filter((column) => column.method === method), expected);
  });
});
