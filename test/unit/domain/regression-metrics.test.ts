import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Comparison, Metrics } from '../../../contracts/model.ts';
import { QualitySpec } from '../../../contracts/quality.ts';
import { comparePaired } from '../../../domain/bootstrap.ts';
import { evaluateScores } from '../../../domain/evaluation.ts';
import { judgeQuality } from '../../../domain/judge-quality.ts';
import { metricsOf } from '../../../domain/metrics.ts';
import { oneGroup, type ScoredRows } from '../../../domain/weighted-metric.ts';
import { dropOf, qualityMetricsOf } from '../../../domain/window-quality.ts';

type Case = {
  name: string;
  labels: number[];
  groups: number[];
  candidate: number[];
  champion: number[];
  metrics: { candidate: Metrics; champion: Metrics };
  comparisons: (Comparison & { low: number; high: number; difference: number; seed: number })[];
};
const { cases } = JSON.parse(readFileSync(new URL('./fixtures/regression-metrics.json', import.meta.url), 'utf8')) as { cases: Case[] };
const [minutes] = cases as [Case];

const rowsOf = (one: Case, scores: number[]): ScoredRows => ({
  scores: Float64Array.from(scores),
  labels: Float64Array.from(one.labels),
  groups: Uint32Array.from(one.groups),
  groupCount: Math.max(...one.groups) + 1,
});

/** Equal to 1e-9 of the value: a label far from zero leaves fewer digits for its errors. */
const expectClose = (actual: number | null | undefined, expected: number): void => expect(Math.abs((actual ?? NaN) - expected)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(expected)));

describe('metrics of regression as scikit-learn computes them', () => {
  it.each(cases)('$name', (one) => {
    for (const model of ['candidate', 'champion'] as const) {
      const metrics = metricsOf('regression', rowsOf(one, one[model]));
      expect(Object.keys(metrics)).toEqual(['rmse', 'mae', 'r2']);
      for (const name of ['rmse', 'mae', 'r2'] as const) expectClose(metrics[name], one.metrics[model][name]!);
    }
  });

  it.each(cases)('$name: the bootstrap of whole groups', (one) => {
    for (const { metric, confidence, resamples, seed, difference, low, high } of one.comparisons) {
      const comparison = comparePaired({ metric, confidence, resamples, seed }, rowsOf(one, one.candidate), rowsOf(one, one.champion));
      expectClose(comparison.difference, difference);
      expectClose(comparison.low, low);
      expectClose(comparison.high, high);
    }
  });

  it('are null where they are not defined', () => {
    expect(metricsOf('regression', oneGroup(new Float64Array(0), new Float64Array(0)))).toEqual({ rmse: null, mae: null, r2: null });
    expect(metricsOf('regression', oneGroup(Float64Array.of(1, 2), Float64Array.of(3, 3)))).toMatchObject({ mae: 1.5, r2: null });
    expect(metricsOf('regression', oneGroup(Float64Array.of(1, NaN), Float64Array.of(3, 4)))).toEqual({ rmse: null, mae: null, r2: null });
  });
});

describe('a regression', () => {
  const rows = rowsOf(minutes, minutes.candidate);
  const report = evaluateScores({
    task: 'regression',
    labels: Float64Array.from(minutes.labels),
    groups: rows.groups,
    days: Array.from({ length: rows.groupCount }, (_, day) => `2013-04-${day + 1}`),
    candidate: rows.scores,
    champion: null,
    plans: [],
  });

  it('is reported with its residuals, and without what only classes have', () => {
    expect(report).toMatchObject({ task: 'regression', positives: null, candidate: { confusion: null, calibration: [], roc: [], residuals: { type: 'numeric', column: 'residual' } } });
    expect(report.days[0]).toMatchObject({ positives: null, candidate: { rmse: expect.any(Number) as number } });
    expect(report.quality).toMatchObject({ task: 'regression', curve: null, metrics: { rmse: minutes.metrics.candidate.rmse } });
  });

  const window = (labels: Float64Array) => ({ rows: rows.scores.length, scores: rows.scores, labelled: { scores: rows.scores, labels, slices: [], times: null } });
  const spec = QualitySpec.parse({ minimumLabels: 100 });
  const judged = { task: 'regression' as const, reference: report.quality, judged: report.candidate.metrics.rmse! };

  it('is watched by its root mean squared error, and a drop is a share of it', () => {
    const labels = Float64Array.from(minutes.labels);
    const same = judgeQuality(judged, window(labels), spec);
    expect(same).toMatchObject({ metric: 'rmse', judgedBy: 'labels', qualityDropped: false, estimate: null, performance: { positives: null, calibration: [] } });
    expect(same.performance?.metrics.bias).toBeCloseTo(rows.scores.reduce((sum, score, row) => sum + score - labels[row]!, 0) / labels.length, 9);
    const worse = judgeQuality(judged, window(labels.map((label, row) => label + (row % 2 === 0 ? 12 : -12))), spec);
    expect(worse.qualityDropped).toBe(true);
    expect(judgeQuality(judged, window(labels), { ...spec, estimate: true, minimumLabels: 1_000 })).toMatchObject({ judgedBy: null, qualityDropped: false });
  });

  it('compares errors by their share, and r2 as it is', () => {
    expect(dropOf('rmse', 40, 44)).toBeCloseTo(0.1);
    expect(dropOf('mae', 10, 9)).toBeCloseTo(-0.1);
    expect(dropOf('r2', 0.5, 0.4)).toBeCloseTo(0.1);
    expect(qualityMetricsOf('regression', { scores: new Float64Array(0), labels: new Float64Array(0) })).toEqual({ rmse: null, mae: null, r2: null, bias: null });
  });
});
