import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calibrationOf, expectedCalibrationError } from '../../../domain/calibration.ts';
import { calibrate, fitIsotonic } from '../../../domain/isotonic.ts';

const rows = (pairs: [number, number][]) => ({ scores: Float64Array.from(pairs, ([score]) => score), labels: Uint8Array.from(pairs, ([, label]) => label) });

describe('the reliability curve', () => {
  it('has ten bins, the last one with 1 in it', () => {
    const bins = calibrationOf(rows([[0, 0], [0.05, 1], [0.95, 1], [1, 1]]));
    expect(bins).toHaveLength(10);
    expect(bins[0]).toEqual({ from: 0, to: 0.1, rows: 2, meanScore: 0.025, positiveShare: 0.5 });
    expect(bins[9]).toMatchObject({ rows: 2, meanScore: 0.975, positiveShare: 1 });
    expect(bins[5]).toMatchObject({ rows: 0, meanScore: null, positiveShare: null });
  });

  it('gives the expected calibration error, null without rows', () => {
    expect(expectedCalibrationError(calibrationOf(rows([[0.2, 0], [0.2, 1], [0.9, 1], [0.9, 1]])))).toBeCloseTo(0.5 * 0.3 + 0.5 * 0.1, 12);
    expect(expectedCalibrationError(calibrationOf(rows([])))).toBeNull();
  });
});

const labelled = fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }).map((score) => score / 20), fc.constantFrom(0, 1)), { minLength: 1, maxLength: 60 });

describe('isotonic regression', () => {
  it('pools neighbours that fall, interpolates between and clips outside', () => {
    const { scores, labels } = rows([[0.1, 0], [0.3, 1], [0.5, 0], [0.9, 1]]);
    const curve = fitIsotonic(scores, labels);
    expect(curve).toEqual({ scores: [0.1, 0.3, 0.5, 0.9], probabilities: [0, 0.5, 0.5, 1] });
    const expected = [0, 0.25, 0.5, 0.75, 1];
    [...calibrate(curve, Float64Array.of(0, 0.2, 0.4, 0.7, 1))].forEach((value, index) => expect(value).toBeCloseTo(expected[index]!, 12));
  });

  it('changes nothing without rows', () => {
    const curve = fitIsotonic(new Float64Array(0), new Uint8Array(0));
    expect([...calibrate(curve, Float64Array.of(0.3))]).toEqual([0.3]);
  });

  it('never falls, keeps the mean, and no other rising curve is nearer to the labels', () => {
    fc.assert(
      fc.property(labelled, (pairs) => {
        const { scores, labels } = rows(pairs as [number, number][]);
        const fitted = calibrate(fitIsotonic(scores, labels), scores);
        const order = [...scores.keys()].sort((a, b) => scores[a]! - scores[b]!);
        for (let index = 1; index < order.length; index += 1) expect(fitted[order[index]!]!).toBeGreaterThanOrEqual(fitted[order[index - 1]!]!);
        const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);
        expect(sum(fitted)).toBeCloseTo(sum(labels), 9);
        // The means of a pooled-adjacent-violators fit are max over starts of min over ends of the means between (Barlow's min-max formula).
        for (const [row, score] of scores.entries()) {
          const meanOf = (from: number, to: number): number => {
            const between = [...scores.keys()].filter((other) => scores[other]! >= from && scores[other]! <= to);
            return sum(between.map((other) => labels[other]!)) / between.length;
          };
          const distinct = [...new Set(scores)];
          const best = Math.max(...distinct.filter((from) => from <= score).map((from) => Math.min(...distinct.filter((to) => to >= score).map((to) => meanOf(from, to)))));
          expect(fitted[row]).toBeCloseTo(best, 9);
        }
      }),
      { numRuns: 40 },
    );
  });
});
