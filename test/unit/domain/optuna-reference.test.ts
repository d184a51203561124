/**
 * TPE against Optuna's on standard functions, 20 seeds each (`npm run test:references -- optuna`). Settings come from the paper and from Optuna's defaults;
 * none was chosen by these functions or seeds.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TrialParams } from '../../../contracts/search.ts';
import { normalBelow } from '../../../domain/search/normal.ts';
import { bestOfSearch, STANDARD_FUNCTIONS } from './search-functions.ts';

type Best = { tpe: number[]; multivariate: number[]; random: number[] };
type Reference = { trials: number; seeds: number[]; functions: Record<string, { minimum: number; best: Best; points: { params: TrialParams; value: number }[] }> };
const reference = JSON.parse(readFileSync('test/references/fixtures/optuna/tpe.json', 'utf8')) as Reference;

/** Seeds of our own, which nothing else uses. */
const seeds = reference.seeds.map((seed) => 20_261_130 + seed);

const medianOf = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
};

/** p-value that the first values are larger than the second: Mann-Whitney with the normal approximation, ties and continuity corrected (as scipy's). */
const mannWhitneyGreater = (first: readonly number[], second: readonly number[]): number => {
  const all = [...first, ...second].sort((a, b) => a - b);
  const rankOf = (value: number): number => (all.indexOf(value) + all.lastIndexOf(value)) / 2 + 1;
  const [n, m] = [first.length, second.length];
  const u = first.reduce((sum, value) => sum + rankOf(value), 0) - (n * (n + 1)) / 2;
  const ties = [...new Set(all)].map((value) => all.lastIndexOf(value) - all.indexOf(value) + 1).reduce((sum, count) => sum + count ** 3 - count, 0);
  const deviation = Math.sqrt(((n * m) / 12) * (n + m + 1 - ties / ((n + m) * (n + m - 1))));
  return 1 - normalBelow((u - (n * m) / 2 - 0.5) / deviation);
};

describe('Mann-Whitney', () => {
  it('knows a shift from none', () => {
    const values = Array.from({ length: 20 }, (_, index) => index);
    expect(mannWhitneyGreater(values.map((value) => value + 10), values)).toBeLessThan(0.001);
    expect(mannWhitneyGreater(values, values)).toBeGreaterThan(0.4);
  });
});

describe.each(Object.entries(reference.functions))('on %s', (name, { minimum, best, points }) => {
  const standard = STANDARD_FUNCTIONS[name]!;

  it('both compute the same function', () => {
    for (const { params, value } of points) expect(Math.abs(standard.value(params) - value)).toBeLessThan(1e-9 * Math.max(1, Math.abs(value)));
  });

  it('TPE is not worse than that of Optuna', () => {
    const regrets = seeds.map((seed) => bestOfSearch(standard, { sampler: 'tpe', seed, trials: reference.trials }) - minimum);
    const theirs = best.tpe.map((value) => value - minimum);
    const median = { ours: medianOf(regrets), optuna: medianOf(theirs), multivariate: medianOf(best.multivariate.map((value) => value - minimum)) };
    const pValue = mannWhitneyGreater(regrets, theirs);
    console.log(name, JSON.stringify({ ...median, ratio: median.ours / median.optuna, pValue }));
    expect(pValue).toBeGreaterThan(0.05);
    expect(median.ours).toBeLessThanOrEqual(1.2 * median.optuna);
  });
});
