import { describe, expect, it } from 'vitest';
import { estimateQuality, qualityReferenceOf } from '../../../domain/performance-estimate/estimate.ts';
import { seededRandom } from '../../../domain/random.ts';
import { qualityMetricsOf, type LabelledRows } from '../../../domain/window-quality.ts';

/** Rows whose label comes true with the probability `truth` of their score; scores are spread by `spread`. */
const drawRows = (seed: number, count: number, { truth = (score: number) => score, spread = (x: number) => x } = {}): LabelledRows => {
  const random = seededRandom(seed);
  const scores = Float64Array.from({ length: count }, () => spread(random()));
  return { scores, labels: Uint8Array.from(scores, (score) => Number(random() < truth(score))) };
};

const METRICS = ['rocAuc', 'accuracy', 'precision', 'recall', 'f1'] as const;

describe('a confidence-based estimate', () => {
  const reference = qualityReferenceOf('binaryClassification', drawRows(1, 20_000));

  it('is what the labels will say, within its band, also for another mix of rows', () => {
    for (const [seed, spread] of [[2, (x: number) => x], [3, (x: number) => x * x], [4, (x: number) => 0.3 + 0.4 * x]] as const) {
      const live = drawRows(seed, 2_000, { spread });
      const [estimate, realised] = [estimateQuality(reference, live.scores), qualityMetricsOf('binaryClassification', live)];
      for (const metric of METRICS) {
        expect(realised[metric]).toBeGreaterThan(estimate![metric]!.low);
        expect(realised[metric]).toBeLessThan(estimate![metric]!.high);
        expect(Math.abs(realised[metric]! - estimate![metric]!.value)).toBeLessThan(0.04);
      }
    }
  });

  it('sees the quality fall where rows become harder to tell apart', () => {
    const hard = drawRows(5, 2_000, { spread: (x) => 0.4 + 0.2 * x });
    const estimate = estimateQuality(reference, hard.scores);
    expect(estimate?.rocAuc?.high).toBeLessThan(reference.metrics.rocAuc! - 0.1);
  });

  it('calibrates scores that are no probabilities, on the held-out rows, and leaves those that are', () => {
    const truth = (score: number): number => score / 2;
    const skewed = qualityReferenceOf('binaryClassification', drawRows(6, 20_000, { truth }));
    expect(skewed.curve).not.toBeNull();
    const live = drawRows(7, 5_000, { truth });
    const realised = qualityMetricsOf('binaryClassification', live);
    for (const metric of METRICS) expect(Math.abs(estimateQuality(skewed, live.scores)![metric]!.value - realised[metric]!)).toBeLessThan(0.03);
    expect(Math.abs(estimateQuality({ ...skewed, curve: null }, live.scores)!.accuracy!.value - realised.accuracy!)).toBeGreaterThan(0.1);
    expect(qualityReferenceOf('binaryClassification', drawRows(8, 100)).curve).toBeNull();
  });

  it('has a band that narrows with the root of the rows', () => {
    const widthOf = (rows: number): number => {
      const { low, high } = estimateQuality(reference, drawRows(9, rows).scores)!.accuracy!;
      return high - low;
    };
    expect(widthOf(400) / widthOf(6_400)).toBeCloseTo(4, 1);
  });

  it('takes the rarer class for the positives in the error of ROC AUC', () => {
    const rare = drawRows(10, 5_000, { truth: (score) => score / 5 });
    const turned = { scores: rare.scores.map((score) => 1 - score), labels: Array.from(rare.labels, (label) => 1 - label) };
    const [one, other] = [rare, turned].map((rows) => qualityReferenceOf('binaryClassification', rows).samplingErrors.rocAuc!);
    expect(other!.share).toBeCloseTo(one!.share, 12);
    expect(other!.deviation).toBeCloseTo(one!.deviation, 9);
  });

  it('is nothing where there is nothing to estimate from', () => {
    expect(estimateQuality(reference, new Float64Array(0))).toBeNull();
    expect(estimateQuality(reference, Float64Array.of(0.2, NaN))).toBeNull();
    expect(estimateQuality(reference, Float64Array.of(0.1, 0.2))).toMatchObject({ precision: null });
    const oneClass = qualityReferenceOf('binaryClassification', { scores: Float64Array.of(0.1, 0.2), labels: Uint8Array.of(0, 0) });
    expect(oneClass).toMatchObject({ curve: null, samplingErrors: { rocAuc: null, precision: null, recall: null, f1: null } });
    expect(estimateQuality(oneClass, Float64Array.of(0.1, 0.2))).toMatchObject({ rocAuc: null, accuracy: { value: expect.closeTo(0.85, 9) as number } });
  });
});
