import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dropOf, qualityMetricsOf, slicesOf } from '../../../domain/window-quality.ts';

const rows = (pairs: [number, number][]) => ({ scores: Float64Array.from(pairs, ([score]) => score), labels: Uint8Array.from(pairs, ([, label]) => label) });

describe('qualityMetricsOf', () => {
  it('measures what scikit-learn measures', () => {
    // 2 of 3 decisions "positive" are right, 2 of 3 positives are found, 8 of 9 pairs are in order
    const metrics = qualityMetricsOf('binaryClassification', rows([[0.9, 1], [0.8, 1], [0.7, 0], [0.4, 1], [0.3, 0], [0.1, 0]]));
    expect(metrics).toMatchObject({ precision: 2 / 3, recall: 2 / 3, f1: 2 / 3, accuracy: 4 / 6 });
    expect(metrics.rocAuc).toBeCloseTo(8 / 9, 12);
    expect(metrics.expectedCalibrationError).toBeCloseTo((0.1 + 0.2 + 0.7 + 0.6 + 0.3 + 0.1) / 6, 12);
  });

  it('is null where a metric is not defined, never NaN', () => {
    expect(qualityMetricsOf('binaryClassification', rows([]))).toEqual({ rocAuc: null, logLoss: null, brier: null, accuracy: null, precision: null, recall: null, f1: null, expectedCalibrationError: null });
    expect(qualityMetricsOf('binaryClassification', rows([[0.1, 0], [0.2, 0]]))).toMatchObject({ rocAuc: null, precision: null, recall: null, f1: null, accuracy: 1 });
  });
});

describe('dropOf', () => {
  it('is positive where the metric is worse, whichever way it counts', () => {
    expect(dropOf('rocAuc', 0.8, 0.7)).toBeCloseTo(0.1);
    expect(dropOf('f1', 0.8, 0.9)).toBeCloseTo(-0.1);
    for (const metric of ['logLoss', 'brier', 'expectedCalibrationError'] as const) expect(dropOf(metric, 0.2, 0.3)).toBeCloseTo(0.1);
  });
});

describe('slicesOf', () => {
  const labelled = rows([[0.9, 1], [0.8, 0], [0.7, 1], [0.2, 0], [0.1, 0], [0.6, 1]]);
  const carrier = { column: 'carrier', values: ['AA', 'B6', null], codes: Uint32Array.of(0, 0, 1, 0, 2, 1) };

  it('measures the values with enough rows, the largest first', () => {
    const slices = slicesOf('binaryClassification', labelled, [carrier], { minimumSliceRows: 2 });
    expect(slices.map(({ column, value, rows: count }) => [column, value, count])).toEqual([['carrier', 'AA', 3], ['carrier', 'B6', 2]]);
    expect(slices[0]?.metrics).toEqual(qualityMetricsOf('binaryClassification', rows([[0.9, 1], [0.8, 0], [0.2, 0]])));
    expect(slicesOf('binaryClassification', labelled, [carrier], { minimumSliceRows: 1 }).map(({ value }) => value)).toEqual(['AA', 'B6', null]);
  });

  it('leaves out what has no number of its own, and the smallest beyond fifty', () => {
    const many = { column: 'id', values: Array.from({ length: 60 }, (_, index) => String(index)), codes: Uint32Array.from({ length: 120 }, (_, row) => (row < 118 ? row % 60 : 0xffff_ffff)) };
    const two = { scores: new Float64Array(120), labels: new Uint8Array(120) };
    const slices = slicesOf('binaryClassification', two, [many], { minimumSliceRows: 1 });
    expect(slices).toHaveLength(50);
    expect(slices.every(({ rows: count }) => count === 2)).toBe(true);
  });

  it('together are the whole, when every value is a slice', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1), fc.integer({ min: 0, max: 3 })), { minLength: 1, maxLength: 50 }), (drawn) => {
        const all = rows(drawn.map(([score, label]) => [score, label]));
        const slices = slicesOf('binaryClassification', all, [{ column: 'c', values: ['0', '1', '2', '3'], codes: Uint32Array.from(drawn, ([, , code]) => code) }], { minimumSliceRows: 1 });
        const hits = slices.reduce((sum, { rows: count, metrics }) => sum + count * (metrics.accuracy ?? 0), 0);
        expect(hits / drawn.length).toBeCloseTo(qualityMetricsOf('binaryClassification', all).accuracy ?? -1, 9);
      }),
    );
  });
});
