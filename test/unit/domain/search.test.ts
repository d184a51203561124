/** Samplers, pruners and the budget of a search. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SearchSpec, type FinishedTrial, type SearchSpace, type TrialParams } from '../../../contracts/search.ts';
import { twoSidedNormal } from '../../../domain/drift/special-functions.ts';
import { seededRandom } from '../../../domain/random.ts';
import { admitted, limitSeconds, reservationSeconds } from '../../../domain/search/budget.ts';
import { normalBelow, normalQuantile, truncatedNormal } from '../../../domain/search/normal.ts';
import { bestOf, countEnds, lossOf } from '../../../domain/search/outcome.ts';
import { parzenEstimator } from '../../../domain/search/parzen.ts';
import { packTrials, unpackTrials } from '../../../domain/search/progress.ts';
import { isPruned, rungsOf } from '../../../domain/search/pruner.ts';
import { sampleBatch, trialsOf } from '../../../domain/search/sampler.ts';
import { drawEvenly, gridPoint, gridSize, parametersOf } from '../../../domain/search/space.ts';

const spaceOf = (space: object): SearchSpace => SearchSpec.parse({ space }).space;
const mixed = spaceOf({
  rate: { type: 'number', min: 0.001, max: 1, log: true },
  leaves: { type: 'integer', min: 4, max: 256, log: true },
  depth: { type: 'integer', min: 2, max: 11, step: 3 },
  kind: { type: 'categorical', values: ['a', 'b', true, 3] },
});
const minimize = (value: number): number => value;

const trial = (number: number, value: number | null, changes: Partial<FinishedTrial> = {}): FinishedTrial => ({ number, params: { x: number }, state: 'succeeded', value, rung: null, ...changes });

describe('the space', () => {
  it('has values within bounds, on steps, wherever they are drawn', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999999999, noNaN: true }), (share) => {
        const drawn = Object.fromEntries(parametersOf(mixed).map(({ name, parameter }) => [name, drawEvenly(parameter, share)]));
        expect(drawn['rate']).toBeGreaterThanOrEqual(0.001);
        expect(drawn['rate']).toBeLessThanOrEqual(1);
        expect(Number.isInteger(drawn['leaves']) && (drawn['leaves'] as number) >= 4 && (drawn['leaves'] as number) <= 256).toBe(true);
        expect([2, 5, 8, 11]).toContain(drawn['depth']);
        expect(['a', 'b', true, 3]).toContain(drawn['kind']);
      }),
    );
  });

  it('is drawn evenly: each value of an integer as often, a decade of a logarithmic number as often', () => {
    const random = seededRandom(1);
    const depths = new Map<unknown, number>();
    let lowDecade = 0;
    for (let draw = 0; draw < 4_000; draw += 1) {
      const depth = drawEvenly(mixed['depth']!, random());
      depths.set(depth, (depths.get(depth) ?? 0) + 1);
      if ((drawEvenly(mixed['rate']!, random()) as number) < 0.01) lowDecade += 1;
    }
    expect([...depths.values()].every((count) => Math.abs(count - 1_000) < 120)).toBe(true);
    expect(Math.abs(lowDecade - 4_000 / 3)).toBeLessThan(150);
  });

  it('is a grid: each combination once, the last parameter fastest, ends among the points', () => {
    const space = spaceOf({ b: { type: 'number', min: 0.01, max: 1, log: true, points: 3 }, a: { type: 'integer', min: 1, max: 7, step: 3 }, c: { type: 'categorical', values: ['x', 'y'] } });
    expect(gridSize(space)).toBe(18);
    const points = Array.from({ length: 18 }, (_, place) => gridPoint(space, place));
    expect(new Set(points.map((point) => JSON.stringify([point['a'], point['b'], point['c']]))).size).toBe(18);
    expect(points[0]).toEqual({ a: 1, b: 0.01, c: 'x' });
    expect(points[1]).toEqual({ a: 1, b: 0.01, c: 'y' });
    expect(points.at(-1)).toEqual({ a: 7, b: 1, c: 'y' });
    expect(points[2]!['b']).toBeCloseTo(0.1, 12);
    expect(trialsOf(SearchSpec.parse({ space, sampler: 'grid', trials: 100 }))).toBe(18);
  });
});

describe('the normal distribution', () => {
  it('agrees with the incomplete gamma function, in the tails too', () => {
    for (const z of [-8, -7.1, -5, -2.5, -1, -0.1, 0, 0.7, 3, 6.9]) {
      const tail = twoSidedNormal(Math.abs(z)) / 2;
      const expected = z <= 0 ? tail : 1 - tail;
      expect(Math.abs(normalBelow(z) / expected - 1)).toBeLessThan(2e-8);
    }
  });

  it('has its quantile as the inverse', () => {
    for (const share of [1e-9, 0.001, 0.02425, 0.2, 0.5, 0.83, 0.99999]) expect(Math.abs(normalBelow(normalQuantile(share)) / share - 1)).toBeLessThan(1e-7);
  });

  it('cut off has mass 1 and draws within its bounds', () => {
    const cut = truncatedNormal({ mean: 0.2, deviation: 0.3, low: 0, high: 1 });
    let mass = 0;
    for (let step = 0; step < 1_000; step += 1) mass += Math.exp(cut.logDensity((step + 0.5) / 1_000)) / 1_000;
    expect(mass).toBeCloseTo(1, 6);
    expect(Math.exp(cut.logMass(0, 0.4)) + Math.exp(cut.logMass(0.4, 1))).toBeCloseTo(1, 12);
    expect([0, 0.3, 0.999999].map(cut.draw).every((value) => value >= 0 && value <= 1)).toBe(true);
  });
});

describe('a Parzen estimator', () => {
  it('is a density: over all values of steps and categories it sums to one', () => {
    const space = spaceOf({ depth: { type: 'integer', min: 1, max: 6 }, kind: { type: 'categorical', values: ['a', 'b', 'c'] } });
    const estimator = parzenEstimator(parametersOf(space), [{ depth: 2, kind: 'a' }, { depth: 3, kind: 'a' }, { depth: 6, kind: 'c' }]);
    let sum = 0;
    for (let depth = 1; depth <= 6; depth += 1) for (const kind of ['a', 'b', 'c']) sum += Math.exp(estimator.logLikelihood({ depth, kind }));
    expect(sum).toBeCloseTo(1, 9);
    expect(estimator.logLikelihood({ depth: 2, kind: 'a' })).toBeGreaterThan(estimator.logLikelihood({ depth: 5, kind: 'b' }));
  });
});

describe('the samplers', () => {
  const search = (sampler: string) => SearchSpec.parse({ space: { x: { type: 'number', min: -5, max: 5 }, y: { type: 'number', min: -5, max: 5 } }, sampler, trials: 60 });
  const loss = ({ x, y }: TrialParams): number => ((x as number) - 2) ** 2 + ((y as number) + 1) ** 2;
  const runSearch = (sampler: string, { seed, parallel }: { seed: number; parallel: number }): FinishedTrial[] => {
    const finished: FinishedTrial[] = [];
    while (finished.length < 60) {
      // In the reverse of their order: the order of completion must not matter.
      const shuffled = [...finished].reverse();
      for (const params of sampleBatch(search(sampler), { first: finished.length, count: parallel, seed }, { finished: shuffled, lossOf: minimize })) finished.push(trial(finished.length, loss(params), { params }));
    }
    return finished;
  };

  it.each(['random', 'tpe'])('%s gives the same trials for the same seed, others for another', (sampler) => {
    expect(runSearch(sampler, { seed: 3, parallel: 4 })).toEqual(runSearch(sampler, { seed: 3, parallel: 4 }));
    expect(runSearch(sampler, { seed: 4, parallel: 4 })).not.toEqual(runSearch(sampler, { seed: 3, parallel: 4 }));
  });

  it('random does not look at what came before, so the size of batches changes nothing', () => {
    expect(runSearch('random', { seed: 3, parallel: 4 })).toEqual(runSearch('random', { seed: 3, parallel: 10 }));
  });

  it('TPE finds a valley that random search misses', () => {
    const seeds = Array.from({ length: 9 }, (_, seed) => seed + 100);
    const median = (sampler: string): number => seeds.map((seed) => bestOf(runSearch(sampler, { seed, parallel: 1 }), 'rmse')!.value).sort((a, b) => a - b)[4]!;
    expect(median('tpe')).toBeLessThan(median('random') / 2);
  });

  it('TPE learns of pruned trials after all others, and nothing of failed ones', () => {
    const spec = search('tpe');
    const judged = Array.from({ length: 12 }, (_, number) => trial(number, number, { params: { x: number / 3, y: 0 } }));
    const sampled = (finished: FinishedTrial[]) => sampleBatch(spec, { first: 20, count: 40, seed: 5 }, { finished, lossOf: minimize });
    const failed = trial(12, null, { state: 'failed', params: { x: 4, y: 4 } });
    expect(sampled([...judged, failed])).toEqual(sampled(judged));
    expect(sampled([...judged, { ...failed, state: 'pruned', value: 0, rung: 0 }])).not.toEqual(sampled(judged));
  });
});

describe('the pruners', () => {
  const report = (number: number, value: number, rung = 0) => ({ number, rung, value });

  it('asha lets the best quarter pass a rung, and the first that comes to it', () => {
    const values = [0.5, 0.6, 0.4, 0.45, 0.7, 0.3, 0.35, 0.2];
    const reports = values.map((value, number) => report(number, value));
    const verdicts = reports.map((one, index) => isPruned('asha', one, { reports: reports.slice(0, index + 1), finished: [], lossOf: minimize }));
    expect(verdicts).toEqual([false, true, false, true, true, false, true, false]);
    expect(rungsOf('asha')).toEqual([1 / 64, 1 / 16, 1 / 4]);
  });

  it('asha turns round where more is better', () => {
    const reports = [report(0, 0.7), report(1, 0.8)];
    expect(isPruned('asha', reports[1]!, { reports, finished: [], lossOf: lossOf('rocAuc') })).toBe(false);
    expect(isPruned('asha', report(2, 0.6), { reports: [...reports, report(2, 0.6)], finished: [], lossOf: lossOf('rocAuc') })).toBe(true);
  });

  it('median waits for five finished trials, and takes the best of a trial so far', () => {
    const finished = [0, 1, 2, 3, 4].map((number) => trial(number, 1));
    const reports = finished.map(({ number }) => report(number, number, 1));
    const known = (own: ReturnType<typeof report>[], ended = finished) => ({ reports: [...reports, ...own], finished: ended, lossOf: minimize });
    expect(isPruned('median', report(9, 3, 1), known([report(9, 3, 1)]))).toBe(true);
    expect(isPruned('median', report(9, 2, 1), known([report(9, 2, 1)]))).toBe(false);
    expect(isPruned('median', report(9, 3, 1), known([report(9, 1, 0), report(9, 3, 1)]))).toBe(false);
    expect(isPruned('median', report(9, 3, 1), known([report(9, 3, 1)], finished.slice(1)))).toBe(false);
  });

  it('stop what is no number, and none stops nobody', () => {
    expect(isPruned('asha', report(0, Number.NaN), { reports: [report(0, Number.NaN)], finished: [], lossOf: minimize })).toBe(true);
    expect(isPruned('none', report(0, Number.NaN), { reports: [], finished: [], lossOf: minimize })).toBe(false);
  });
});

describe('the budget', () => {
  it('is the smaller of minutes and money', () => {
    expect(limitSeconds(undefined)).toBe(Number.POSITIVE_INFINITY);
    expect(limitSeconds({ minutes: 10 })).toBe(600);
    expect(limitSeconds({ money: 4, pricePerMinute: 0.5 })).toBe(480);
    expect(limitSeconds({ minutes: 5, money: 4, pricePerMinute: 0.5 })).toBe(300);
    expect(reservationSeconds({ trialMinutes: 2 }, 3_600)).toBe(120);
    expect(reservationSeconds(undefined, 3_600)).toBe(3_600);
  });

  it('is never passed, whatever trials use of their reservations', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 60 }), fc.integer({ min: 60, max: 5_000 }), fc.integer({ min: 30, max: 600 }), (shares, limit, reservation) => {
        let spent = 0;
        const rest = [...shares];
        while (rest.length > 0) {
          const count = admitted({ wanted: Math.min(4, rest.length), limit, spent, reservation });
          if (count === 0) break;
          for (const share of rest.splice(0, count)) spent += share * reservation;
        }
        expect(spent).toBeLessThanOrEqual(limit * (1 + 1e-9));
      }),
    );
  });
});

describe('the outcome', () => {
  it('is the best that succeeded, the earlier of equal ones, in the direction of the metric', () => {
    const finished = [trial(2, 0.3), trial(0, 0.4), trial(1, 0.3), trial(3, 0.1, { state: 'pruned' })];
    expect(bestOf(finished, 'logLoss')).toMatchObject({ trial: 1, value: 0.3 });
    expect(bestOf(finished, 'rocAuc')).toMatchObject({ trial: 0 });
    expect(bestOf([trial(0, null, { state: 'failed' })], 'rocAuc')).toBeNull();
    expect(countEnds(finished)).toEqual({ trials: 4, succeeded: 3, pruned: 1, failed: 0, cancelled: 0 });
  });

  it('survives packing', () => {
    const finished = [trial(0, 0.5, { params: { rate: 0.1, leaves: 31, depth: 5, kind: true } }), trial(1, null, { state: 'failed', params: { rate: 0.2, leaves: 8, depth: 2, kind: 'a' } })];
    expect(unpackTrials(mixed, JSON.parse(JSON.stringify(packTrials(mixed, finished))))).toEqual(finished);
  });
});
