/** Values that are known from tables or by hand; test/integration/drift compares whole columns with the libraries. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBinCounter, distributionOfValues, edgesOfSample } from '../../../../domain/drift/binning.ts';
import { kolmogorovSmirnovTail } from '../../../../domain/drift/kolmogorov-distribution.ts';
import { benjaminiHochberg } from '../../../../domain/drift/multiple-testing.ts';
import { kolmogorovSmirnovStatistic } from '../../../../domain/drift/kolmogorov-smirnov.ts';
import { numericPair } from '../../../../domain/drift/numeric-pair.ts';
import { chiSquare, proportionsZ } from '../../../../domain/drift/proportions.ts';
import { jensenShannon, stabilityIndex } from '../../../../domain/drift/share-distances.ts';
import { logGamma, twoSidedNormal, upperGamma } from '../../../../domain/drift/special-functions.ts';
import { wassersteinDistance } from '../../../../domain/drift/wasserstein.ts';
import { seededRandom } from '../../../../domain/random.ts';

describe('special functions', () => {
  it('have the values of the tables', () => {
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 13);
    expect(logGamma(101)).toBeCloseTo(363.73937555556349, 10);
    expect(twoSidedNormal(1.959963984540054)).toBeCloseTo(0.05, 13);
    expect(twoSidedNormal(0)).toBe(1);
    // Chi-square, upper 5 % points of 1, 10 and 100 degrees of freedom.
    for (const [freedom, point] of [[1, 3.841458820694124], [10, 18.307038053275146], [100, 124.34211340400407]] as const) expect(upperGamma(freedom / 2, point / 2)).toBeCloseTo(0.05, 12);
  });
});

describe('the Kolmogorov-Smirnov test', () => {
  it('counts the orders of small samples', () => {
    // Of the 6 orders of 2 and 2 rows, the two that keep the samples apart reach D = 1; the two that alternate stay at 1/2.
    expect(kolmogorovSmirnovTail(1, 2, 2)).toBeCloseTo(2 / 6, 15);
    expect(kolmogorovSmirnovTail(0.5, 2, 2)).toBe(1);
    expect(kolmogorovSmirnovTail(1, 5, 7)).toBeCloseTo(2 / 792, 15);
  });

  it('goes on without a step where the exact count ends', () => {
    for (const [first, second, statistic] of [[10_000, 40, 0.2], [10_000, 900, 0.045], [10_000, 900, 0.09], [10_000, 5_000, 0.02]] as const) {
      expect(Math.abs(kolmogorovSmirnovTail(statistic, first + 1, second) - kolmogorovSmirnovTail(statistic, first, second)), `${first} ${second}`).toBeLessThan(0.02);
    }
  });

  it('is a probability that falls with the statistic', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 20_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (first, second, statistic) => {
        const tail = kolmogorovSmirnovTail(statistic, first, second);
        expect(tail).toBeGreaterThanOrEqual(0);
        expect(tail).toBeLessThanOrEqual(1);
        expect(kolmogorovSmirnovTail(Math.min(1, statistic + 0.05), first, second)).toBeLessThanOrEqual(tail + 1e-9);
      }),
      { numRuns: 60 },
    );
  });
});

describe('tests of proportions', () => {
  it('give the p-values of their formulas', () => {
    expect(chiSquare({ reference: [50, 50], current: [60, 40] })).toBeCloseTo(twoSidedNormal(2), 12);
    expect(chiSquare({ reference: [50, 0], current: [49, 1] })).toBe(0);
    expect(chiSquare({ reference: [50], current: [40] })).toBe(1);
    expect(proportionsZ({ reference: [30, 70], current: [45, 55] })).toBeCloseTo(0.02846, 4);
    expect(proportionsZ({ reference: [0, 9], current: [9, 0] })).toBeLessThan(1e-4);
    expect(proportionsZ({ reference: [9], current: [9] })).toBe(1);
  });
});

describe('distances of shares', () => {
  it('are 0 for the same and bounded or finite for the disjoint', () => {
    expect(jensenShannon({ reference: [0.2, 0.8], current: [0.2, 0.8] })).toBe(0);
    expect(jensenShannon({ reference: [1, 0], current: [0, 1] })).toBeCloseTo(Math.sqrt(Math.LN2), 14);
    expect(stabilityIndex({ reference: [0.5, 0.5], current: [0.5, 0.5] })).toBe(0);
    expect(stabilityIndex({ reference: [1, 0], current: [0, 1] })).toBeCloseTo(2 * 0.9999 * Math.log(1e4), 10);
    expect(stabilityIndex({ reference: [0.4, 0.6], current: [0.5, 0.5] })).toBeCloseTo(0.1 * Math.log(1.25) + 0.1 * Math.log(1.2), 14);
  });
});

/** The definition: the mean distance of rows of equal rank. */
const byRank = (left: number[], right: number[]): number => {
  const [first, second] = [[...left].sort((a, b) => a - b), [...right].sort((a, b) => a - b)];
  const steps = first.length * second.length;
  let total = 0;
  for (let step = 0; step < steps; step += 1) total += Math.abs(first[Math.floor(step / second.length)]! - second[Math.floor(step / first.length)]!);
  return total / steps;
};

const normals = (count: number, seed: number, shape: (normal: number, random: () => number) => number): Float64Array => {
  const random = seededRandom(seed);
  return Float64Array.from({ length: count }, () => shape(Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()), random));
};

describe('the Wasserstein distance', () => {
  it('is the mean distance of equal ranks', () => {
    const value = fc.integer({ min: -50, max: 50 });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 30 }), fc.array(value, { minLength: 1, maxLength: 30 }), (left, right) => {
        const pair = numericPair(distributionOfValues('x', Float64Array.from(left)), distributionOfValues('x', Float64Array.from(right)));
        expect(wassersteinDistance(pair)).toBeCloseTo(byRank(left, right), 9);
      }),
    );
  });

  it.each<[string, (normal: number, random: () => number) => number, (normal: number, random: () => number) => number]>([
    ['shifted', (normal) => normal, (normal) => normal + 0.1],
    ['wider', (normal) => normal, (normal) => 1.3 * normal],
    ['skewed', (normal) => Math.exp(2 * normal), (normal) => Math.exp(2 * normal + 0.2)],
    ['two peaks', (normal, random) => normal + (random() < 0.5 ? 1e6 : 0), (normal, random) => normal + (random() < 0.53 ? 1e6 : 0)],
    ['a stuck sensor', (normal) => normal, () => 2.5],
    ['a default value', (normal, random) => (random() < 0.5 ? 1.5 : normal), (normal, random) => (random() < 0.6 ? 1.5 : normal)],
    ['far away', (normal) => normal, (normal) => normal + 1e4],
    ['large numbers', (normal) => 1e9 + normal, (normal) => 1e9 + 1.2 * normal],
  ])('is nearly the same from bins: %s', (_name, before, after) => {
    const [left, right] = [normals(20_000, 1, before), normals(20_000, 2, after)];
    const exact = byRankOfEqual(left, right);
    const edges = edgesOfSample(left.filter((_value, index) => index % 4 === 0), { minimum: left.reduce((a, b) => Math.min(a, b)), maximum: left.reduce((a, b) => Math.max(a, b)) });
    const [reference, current] = [left, right].map((values) => {
      const counter = createBinCounter(edges);
      counter.add(values);
      return counter.result('x');
    });
    const pair = numericPair(reference!, current!);
    expect(Math.abs(wassersteinDistance(pair) - exact) / reference!.deviation).toBeLessThan(0.001);
    expect(Math.abs(kolmogorovSmirnovStatistic(pair) - statisticOf(left, right))).toBeLessThan(0.004);
  });
});

const byRankOfEqual = (left: Float64Array, right: Float64Array): number => {
  const [first, second] = [left.slice().sort(), right.slice().sort()];
  return first.reduce((sum, value, index) => sum + Math.abs(value - second[index]!), 0) / first.length;
};

const statisticOf = (left: Float64Array, right: Float64Array): number => {
  const [first, second] = [left.slice().sort(), right.slice().sort()];
  let [i, j, largest] = [0, 0, 0];
  while (i < first.length && j < second.length) {
    const value = Math.min(first[i]!, second[j]!);
    while (i < first.length && first[i] === value) i += 1;
    while (j < second.length && second[j] === value) j += 1;
    largest = Math.max(largest, Math.abs(i / first.length - j / second.length));
  }
  return largest;
};

describe('the adjustment for many tests', () => {
  it('is that of Benjamini and Hochberg, in the order given', () => {
    const adjusted = benjaminiHochberg([0.01, 0.04, 0.03, 0.005, 0.5]);
    [0.025, 0.05, 0.05, 0.025, 0.5].forEach((value, index) => expect(adjusted[index]).toBeCloseTo(value, 12));
    expect(benjaminiHochberg([])).toEqual([]);
    expect(benjaminiHochberg([0.9, 0.95])).toEqual([0.95, 0.95]);
  });
});
