/** Fairness as fairlearn measures it on real applications for mortgages, and McNemar's test as statsmodels does it (`npm run test:references -- gates`). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GateSpec, type FairnessMeasure } from '../../../contracts/gate.ts';
import { valueNumbering, type ColumnCodes } from '../../../domain/column-codes.ts';
import { upperGamma } from '../../../domain/drift/special-functions.ts';
import { measureFairness } from '../../../domain/fairness.ts';
import { decideGate } from '../../../domain/gates.ts';
import { mcnemarPValue } from '../../../domain/mcnemar.ts';
import { evaluationReport } from '../../support/fakes.ts';

const read = (name: string): unknown => JSON.parse(readFileSync(`test/references/fixtures/gates/${name}.json`, 'utf8'));

type Hdma = { versions: Record<string, string>; labels: number[]; scores: number[]; columns: Record<string, string[]>; expected: { column: string; threshold: number; measure: FairnessMeasure; value: number | null }[] };
const hdma = read('hdma') as Hdma;

const codesOf = (values: string[]): ColumnCodes => {
  const numbering = valueNumbering();
  return { codes: numbering.number(values), values: numbering.values() };
};
const rows = { labels: hdma.labels, scores: Float64Array.from(hdma.scores) };
/** Every application for itself. */
const clusters: ColumnCodes = { codes: Uint32Array.from(hdma.labels, (_, row) => row), values: hdma.labels.map((_, row) => String(row)) };
const plan = { cluster: null, confidence: 0.95, resamples: 200, minimumRows: 1, seed: 7 };

describe('fairness on Hdma', () => {
  it.each(hdma.expected)('$measure by $column at $threshold is that of fairlearn', ({ column, threshold, measure, value }) => {
    const measured = measureFairness(rows, { groups: codesOf(hdma.columns[column]!), clusters: { codes: new Uint32Array(rows.labels.length), values: [null] } }, { ...plan, column, threshold, measure });
    if (value === null) expect(measured.value).toBeNull();
    else expect(Math.abs(measured.value! - value)).toBeLessThan(1e-9);
  });

  it('has an interval around the value, and refuses what it shows: refusals go to black applicants twice as often', () => {
    const gate = GateSpec.parse({ kind: 'fairness', column: 'black', measure: 'demographicParityDifference', threshold: 0.2, max: 0.1, resamples: 200 }) as Extract<GateSpec, { kind: 'fairness' }>;
    const measured = measureFairness(rows, { groups: codesOf(hdma.columns['black']!), clusters }, { ...plan, column: 'black', threshold: 0.2, measure: gate.measure, minimumRows: gate.minimumRows });
    expect(measured.low).toBeLessThan(measured.value!);
    expect(measured.high).toBeGreaterThan(measured.value!);
    expect(measured.groups.map(({ value, rows: count }) => [value, count]).sort()).toEqual([['no', 2_041], ['yes', 339]]);
    const [white, black] = ['no', 'yes'].map((value) => measured.groups.find((group) => group.value === value)!.selectionRate!);
    expect(black! / white!).toBeGreaterThan(2);
    const report = { ...evaluationReport(), measured: { slices: [], fairness: [measured], mcnemar: null, calibrationError: null, latency: null, modelBytes: 1, signatureDifferences: null } };
    expect(decideGate(report, gate)).toMatchObject({ passed: false, reason: expect.stringContaining('above 0.1') as string });
    expect(decideGate(report, { ...gate, max: 0.5 })).toMatchObject({ passed: true });
    expect(decideGate(report, { ...gate, max: measured.value! + 0.001 })).toMatchObject({ passed: false, reason: expect.stringContaining('inconclusive') as string });
  });
});

describe('McNemar', () => {
  const { cases } = read('mcnemar') as { cases: { candidateOnly: number; championOnly: number; exact: number; corrected: number | null }[] };
  it.each(cases)('of $candidateOnly against $championOnly has the p-value of statsmodels', ({ candidateOnly, championOnly, exact, corrected }) => {
    const own = mcnemarPValue(candidateOnly, championOnly);
    const expected = own.exact ? exact : corrected!;
    expect(Math.abs(own.pValue - expected)).toBeLessThan(1e-9 * Math.max(1, expected) + expected * 1e-8);
    if (own.exact && corrected !== null && candidateOnly + championOnly > 0) {
      const statistic = (Math.abs(candidateOnly - championOnly) - 1) ** 2 / (candidateOnly + championOnly);
      expect(Math.abs(upperGamma(0.5, statistic / 2) - corrected)).toBeLessThan(1e-9);
    }
  });

  it('takes the exact distribution for few rows', () => {
    expect(mcnemarPValue(500, 500).exact).toBe(true);
    expect(mcnemarPValue(501, 500).exact).toBe(false);
    expect(mcnemarPValue(0, 0).pValue).toBe(1);
  });
});
