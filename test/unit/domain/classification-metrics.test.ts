import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Comparison, Metrics } from '../../../contracts/model.ts';
import { metricOf, metricsOf } from '../../../domain/metrics.ts';
import { oneGroup, type ScoredRows } from '../../../domain/weighted-metric.ts';
import { comparePaired } from '../../../domain/bootstrap.ts';
import { seededRandom } from '../../../domain/random.ts';

type Case = {
  name: string;
  labels: number[];
  groups: number[];
  candidate: number[];
  champion: number[];
  metrics: { candidate: Metrics; champion: Metrics };
  comparisons: (Comparison & { low: number; high: number; difference: number; seed: number })[];
};
const fixture = JSON.parse(readFileSync(new URL('./fixtures/classification-metrics.json', import.meta.url), 'utf8')) as { random: number[]; cases: Case[] };

const rowsOf = (one: Case, scores: number[]): ScoredRows => ({
  scores: Float64Array.from(scores),
  labels: Uint8Array.from(one.labels),
  groups: Uint32Array.from(one.groups),
  groupCount: Math.max(...one.groups) + 1,
});

const closeTo = (actual: number | null, expected: number): void => {
  expect(actual).not.toBeNull();
  expect(Math.abs(actual! - expected)).toBeLessThanOrEqual(1e-12);
};

describe('metrics as scikit-learn computes them', () => {
  it.each(fixture.cases)('$name', (one) => {
    for (const model of ['candidate', 'champion'] as const) {
      const metrics = metricsOf('binaryClassification', rowsOf(one, one[model]));
      for (const name of ['rocAuc', 'logLoss', 'brier', 'accuracy'] as const) closeTo(metrics[name]!, one.metrics[model][name]!);
    }
  });
});

describe('paired bootstrap as numpy computes it', () => {
  it('draws the same numbers', () => {
    const random = seededRandom(7);
    expect(fixture.random.map(() => random())).toEqual(fixture.random);
  });

  it.each(fixture.cases.flatMap((one) => one.comparisons.map((comparison) => ({ one, comparison, name: one.name, metric: comparison.metric }))))('$metric, $name', ({ one, comparison }) => {
    const { seed, low, high, difference, ...rest } = comparison;
    const actual = comparePaired({ ...rest, seed }, rowsOf(one, one.candidate), rowsOf(one, one.champion));
    expect(actual).toMatchObject(rest);
    closeTo(actual.difference, difference);
    closeTo(actual.low, low);
    closeTo(actual.high, high);
  });
});

describe('metrics that are not defined', () => {
  const nothing = { rocAuc: null, logLoss: null, brier: null, accuracy: null };

  it('are null without rows', () => {
    expect(metricsOf('binaryClassification', oneGroup(new Float64Array(0), new Uint8Array(0)))).toEqual(nothing);
  });

  it('leave only ROC AUC out with one class', () => {
    const metrics = metricsOf('binaryClassification', oneGroup(Float64Array.of(0.2, 0.7), Uint8Array.of(1, 1)));
    expect(metrics.rocAuc).toBeNull();
    expect(metrics.accuracy).toBe(0.5);
  });

  it.each([NaN, Infinity, -Infinity])('are null with a score of %s', (score) => {
    expect(metricsOf('binaryClassification', oneGroup(Float64Array.of(0.2, score), Uint8Array.of(0, 1)))).toEqual(nothing);
  });
});

const labelled = fc.array(fc.record({ score: fc.double({ min: 0, max: 1, noNaN: true }), label: fc.constantFrom(0, 1) }), { minLength: 1, maxLength: 60 });
const toRows = (rows: { score: number; label: number }[]): ScoredRows =>
  oneGroup(Float64Array.from(rows, ({ score }) => score), Uint8Array.from(rows, ({ label }) => label));

describe('properties', () => {
  it('ROC AUC is the share of pairs in the right order', () => {
    fc.assert(
      fc.property(labelled, (rows) => {
        const positives = rows.filter(({ label }) => label === 1);
        const negatives = rows.filter(({ label }) => label === 0);
        const ordered = positives.flatMap((p) => negatives.map((n) => (p.score > n.score ? 1 : p.score === n.score ? 0.5 : 0)));
        const expected = ordered.length === 0 ? null : ordered.reduce<number>((sum, one) => sum + one, 0) / ordered.length;
        const actual = metricOf('rocAuc', toRows(rows));
        if (expected === null) expect(actual).toBeNull();
        else closeTo(actual, expected);
      }),
    );
  });

  it('ROC AUC only knows the order of scores, and turning the order turns it', () => {
    fc.assert(
      fc.property(labelled, (rows) => {
        const auc = metricOf('rocAuc', toRows(rows));
        const turned = metricOf('rocAuc', toRows(rows.map(({ score, label }) => ({ score: -score, label }))));
        if (auc === null) expect(turned).toBeNull();
        else closeTo(turned, 1 - auc);
      }),
    );
  });

  it('no metric is ever NaN, whatever the scores are', () => {
    const anything = fc.array(fc.record({ score: fc.double(), label: fc.constantFrom(0, 1) }), { maxLength: 20 });
    fc.assert(
      fc.property(anything, (rows) => {
        for (const value of Object.values(metricsOf('binaryClassification', toRows(rows)))) expect(value === null || Number.isFinite(value)).toBe(true);
      }),
    );
  });

  it('do not depend on the order of rows', () => {
    fc.assert(
      fc.property(labelled, fc.integer(), (rows, seed) => {
        const random = seededRandom(seed);
        const shuffled = rows.map((row) => ({ row, at: random() })).sort((a, b) => a.at - b.at).map(({ row }) => row);
        const [first, second] = [metricsOf('binaryClassification', toRows(rows)), metricsOf('binaryClassification', toRows(shuffled))];
        for (const name of ['rocAuc', 'logLoss', 'brier', 'accuracy'] as const) {
          if (first[name] === null) expect(second[name]).toBeNull();
          else closeTo(second[name]!, first[name]!);
        }
      }),
    );
  });
});
