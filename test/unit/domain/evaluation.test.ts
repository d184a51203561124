import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GateSpec } from '../../../contracts/pipeline.ts';
import { valueNumbering } from '../../../domain/column-codes.ts';
import { evaluateScores, joinRows, largestDifference, plansOf, type EvaluationInput } from '../../../domain/evaluation.ts';

const input: EvaluationInput = {
  task: 'binaryClassification',
  labels: Float64Array.of(0, 1, 1, 0),
  groups: Uint32Array.of(0, 0, 1, 1),
  days: ['2013-04-01', '2013-04-02'],
  candidate: Float64Array.of(0.1, 0.9, 0.4, 1),
  champion: null,
  plans: [],
};

describe('evaluateScores', () => {
  it('reports confusion, calibration and days', () => {
    const report = evaluateScores(input);
    expect(report).toMatchObject({ rows: 4, positives: 2, champion: null, comparisons: [] });
    expect(report.candidate.confusion).toEqual({ threshold: 0.5, truePositives: 1, falsePositives: 1, trueNegatives: 1, falseNegatives: 1 });
    expect(report.candidate.calibration[9]).toEqual({ from: 0.9, to: 1, rows: 2, meanScore: 0.95, positiveShare: 0.5 });
    expect(report.candidate.calibration[2]).toMatchObject({ rows: 0, meanScore: null });
    expect(report.days.map(({ day, rows, candidate }) => [day, rows, candidate.rocAuc])).toEqual([
      ['2013-04-01', 2, 1],
      ['2013-04-02', 2, 0],
    ]);
  });

  it('walks the ROC curve from the highest score down', () => {
    expect(evaluateScores(input).candidate.roc).toEqual([
      { threshold: 1, falsePositiveRate: 0.5, truePositiveRate: 0 },
      { threshold: 0.9, falsePositiveRate: 0.5, truePositiveRate: 0.5 },
      { threshold: 0.4, falsePositiveRate: 0.5, truePositiveRate: 1 },
      { threshold: 0.1, falsePositiveRate: 1, truePositiveRate: 1 },
    ]);
  });

  it('compares with the champion by every plan', () => {
    const plans = plansOf([GateSpec.parse({ kind: 'champion', metric: 'brier' }), GateSpec.parse({ kind: 'champion', metric: 'rocAuc', confidence: 0.9 })]);
    const report = evaluateScores({ ...input, champion: Float64Array.of(0.5, 0.5, 0.5, 0.5), plans });
    expect(report.comparisons.map(({ metric, confidence, groups }) => [metric, confidence, groups])).toEqual([
      ['brier', 0.95, 2],
      ['rocAuc', 0.9, 2],
    ]);
    expect(report.champion?.metrics.rocAuc).toBe(0.5);
    expect(report.days[1]?.champion?.brier).toBe(0.25);
  });

  it('is JSON without loss for any scores, at most 202 ROC points, and every row in one calibration bin', () => {
    const rows = fc.array(fc.record({ score: fc.double({ min: 0, max: 1, noNaN: true }), label: fc.constantFrom(0, 1) }), { minLength: 1, maxLength: 1_000, size: 'max' });
    fc.assert(
      fc.property(rows, (drawn) => {
        const report = evaluateScores({
          ...input,
          labels: Float64Array.from(drawn, ({ label }) => label),
          candidate: Float64Array.from(drawn, ({ score }) => score),
          groups: Uint32Array.from(drawn, (_, row) => row % 2),
        });
        expect(report.candidate.roc.length).toBeLessThanOrEqual(202);
        expect(report.candidate.roc.at(-1) ?? { falsePositiveRate: 1, truePositiveRate: 1 }).toMatchObject({ falsePositiveRate: 1, truePositiveRate: 1 });
        expect(report.candidate.calibration.reduce((sum, bin) => sum + bin.rows, 0)).toBe(drawn.length);
        expect(JSON.stringify(report)).not.toMatch(/NaN|Infinity/);
      }),
      { numRuns: 30 },
    );
  });
});

describe('plansOf', () => {
  it('takes champion gates only, equal ones once', () => {
    const gates = [{ kind: 'rows', min: 5 }, { kind: 'champion', metric: 'rocAuc' }, { kind: 'champion', metric: 'rocAuc', minimumEffect: 0.1 }, { kind: 'approval' }];
    expect(plansOf(gates.map((gate) => GateSpec.parse(gate)))).toEqual([{ metric: 'rocAuc', confidence: 0.95, resamples: 1_000, seed: 7 }]);
  });
});

describe('valueNumbering', () => {
  it('numbers days in their order of appearance, over all parts', () => {
    const numbering = valueNumbering();
    expect(numbering.number(['b', 'a', 'b'])).toEqual(Uint32Array.of(0, 1, 0));
    expect(numbering.number(['c', 'a'])).toEqual(Uint32Array.of(2, 1));
    expect(numbering.values()).toEqual(['b', 'a', 'c']);
  });
});

describe('joinRows', () => {
  it('puts parts together in their order', () => {
    const part = (row: number) => ({ labels: Float64Array.of(row % 2), groups: Uint32Array.of(row), candidate: Float64Array.of(row / 10), champion: Float64Array.of(row / 20) });
    expect(joinRows([part(1), part(2)])).toEqual({ labels: Float64Array.of(1, 0), groups: Uint32Array.of(1, 2), candidate: Float64Array.of(0.1, 0.2), champion: Float64Array.of(0.05, 0.1), codes: {} });
    expect(joinRows([{ ...part(1), champion: null }]).champion).toBeNull();
  });
});

describe('largestDifference', () => {
  it('finds it, and is NaN when a value is not a number', () => {
    expect(largestDifference(Float64Array.of(0.1, 0.5), Float64Array.of(0.1, 0.25))).toBe(0.25);
    expect(largestDifference(Float64Array.of(NaN, 0.5), Float64Array.of(0.1, 0.25))).toBeNaN();
    expect(largestDifference(Float64Array.of(0, 0.5), Float64Array.of(0, NaN))).toBeNaN();
  });
});
