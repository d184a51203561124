import { describe, expect, it } from 'vitest';
import { QualitySpec } from '../../../contracts/quality.ts';
import { judgeQuality } from '../../../domain/judge-quality.ts';
import { qualityReferenceOf } from '../../../domain/performance-estimate/estimate.ts';
import { seededRandom } from '../../../domain/random.ts';

const random = seededRandom(1);
const holdout = Float64Array.from({ length: 5_000 }, random);
const reference = qualityReferenceOf('binaryClassification', { scores: holdout, labels: Uint8Array.from(holdout, (score) => Number(random() < score)) });
const judged = reference.metrics.rocAuc!;
const spec = (changes: object = {}): QualitySpec => QualitySpec.parse({ minimumLabels: 100, ...changes });

/** Scores that tell little apart: the estimate falls. */
const dull = Float64Array.from({ length: 2_000 }, () => 0.45 + random() / 10);
const sharp = Float64Array.from({ length: 2_000 }, random);

/** The first `labelled` rows have labels that come true with their score. */
const windowOf = (scores: Float64Array, labelled: number, truth = (score: number): number => score) => {
  const first = scores.slice(0, labelled);
  const labels = Uint8Array.from(first, (score) => Number(random() < truth(score)));
  return { rows: scores.length, scores, labelled: { scores: first, labels, slices: [], times: null } };
};

describe('judgeQuality', () => {
  it('judges by labels as soon as there are enough, whatever the estimate says', () => {
    const judgement = judgeQuality({ task: 'binaryClassification', reference, judged }, windowOf(dull, 2_000, (score) => (score > 0.5 ? 1 : 0)), spec({ estimate: true }));
    expect(judgement).toMatchObject({ labelled: 2_000, quality: 1, judgedBy: 'labels', qualityDropped: false });
    expect(judgement.estimate?.rocAuc?.high).toBeLessThan(judged);
  });

  it('shows the estimate, and judges by it only where told so', () => {
    const waiting = windowOf(dull, 10);
    expect(judgeQuality({ task: 'binaryClassification', reference, judged }, waiting, spec())).toMatchObject({ quality: null, judgedBy: null, qualityDropped: false, performance: { coverage: 0.005 } });
    expect(judgeQuality({ task: 'binaryClassification', reference, judged }, waiting, spec({ estimate: true }))).toMatchObject({ quality: null, judgedBy: 'estimate', qualityDropped: true });
    expect(judgeQuality({ task: 'binaryClassification', reference, judged }, windowOf(sharp, 10), spec({ estimate: true }))).toMatchObject({ judgedBy: 'estimate', qualityDropped: false });
  });

  it('takes no estimated drop for one that sampling could explain', () => {
    const few = windowOf(dull.slice(0, 6), 0);
    expect(judgeQuality({ task: 'binaryClassification', reference, judged }, few, spec({ estimate: true })).estimate?.rocAuc?.high).toBeGreaterThan(judged);
    expect(judgeQuality({ task: 'binaryClassification', reference, judged }, few, spec({ estimate: true })).qualityDropped).toBe(false);
  });

  it('finds a drop of a metric where less is better', () => {
    const worse = windowOf(sharp, 2_000, () => 0.5);
    const judgement = judgeQuality({ task: 'binaryClassification', reference, judged: reference.metrics.logLoss! }, worse, spec({ metric: 'logLoss' }));
    expect(judgement).toMatchObject({ judgedBy: 'labels', qualityDropped: true });
    expect(judgement.quality).toBeGreaterThan(reference.metrics.logLoss!);
  });

  it('says nothing of a version that was never judged, or judged before there were references', () => {
    expect(judgeQuality({ task: 'binaryClassification', reference: null, judged: null }, windowOf(sharp, 2_000), spec())).toMatchObject({ judgedBy: null, qualityDropped: false, estimate: null });
    expect(judgeQuality({ task: 'binaryClassification', reference: null, judged }, windowOf(sharp, 0), spec({ estimate: true }))).toMatchObject({ judgedBy: null, estimate: null });
    expect(judgeQuality({ task: 'binaryClassification', reference: null, judged }, windowOf(sharp, 2_000), spec())).toMatchObject({ judgedBy: 'labels' });
  });
});
