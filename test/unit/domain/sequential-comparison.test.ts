import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../domain/random.ts';
import { compareFailures, differenceInterval, shareInterval, type Arm, type Comparison } from '../../../domain/sequential-comparison.ts';

const arm = (requests: number, failures: number): Arm => ({ requests, failures });

describe('the confidence sequence of a share', () => {
  it('says nothing without requests', () => expect(shareInterval(arm(0, 0), 0.05)).toEqual({ low: 0, high: 1 }));

  it('has the bounds where the mixture ratio is 1 / alpha', () => {
    // Without a failure: B(1/2, n + 1/2) / (B(1/2, 1/2) (1 - p)^n) = 1 / alpha, and B(1/2, 3/2) / B(1/2, 1/2) = 1 / 2.
    expect(shareInterval(arm(1, 0), 0.6)).toEqual({ low: 0, high: expect.closeTo(1 - 0.3, 12) as number });
    expect(shareInterval(arm(1_000, 0), 0.025).high).toBeCloseTo(0.00769, 4);
  });

  it('holds the estimate, and is the mirror image for successes', () => {
    const counts = fc.nat(5_000).chain((requests) => fc.record({ requests: fc.constant(requests), failures: fc.nat(requests) }));
    fc.assert(
      fc.property(counts, fc.double({ min: 0.001, max: 0.5, noNaN: true }), ({ requests, failures }, alpha) => {
        const { low, high } = shareInterval(arm(requests, failures), alpha);
        const mirrored = shareInterval(arm(requests, requests - failures), alpha);
        if (requests > 0) expect(low <= failures / requests && failures / requests <= high).toBe(true);
        expect(mirrored.low).toBeCloseTo(1 - high, 9);
        expect(mirrored.high).toBeCloseTo(1 - low, 9);
      }),
      { numRuns: 200 },
    );
  });
});

describe('compareFailures', () => {
  const rules = { maximumDifference: 0.01, alpha: 0.05 };
  it.each([
    ['a canary without failures, soon', arm(500, 0), arm(9_500, 1), 'undecided'],
    ['a canary without failures, later', arm(1_000, 0), arm(19_000, 2), 'noWorse'],
    ['a canary that fails as often as stable', arm(20_000, 400), arm(20_000, 400), 'noWorse'],
    ['a canary that fails clearly more often', arm(100, 12), arm(1_900, 2), 'worse'],
    ['a canary that fails a little more often', arm(5_000, 50), arm(5_000, 40), 'undecided'],
    ['no request of stable', arm(1_000, 0), arm(0, 0), 'noWorse'],
    ['no request of the canary', arm(0, 0), arm(1_000, 0), 'undecided'],
  ] as const)('%s: %s', (_name, canary, stable, kind) => expect(compareFailures(canary, stable, rules).kind).toBe(kind));
});

/** A share of requests goes to the canary; the counts are looked at again and again until something is said. */
const simulate = (random: () => number, plan: { canary: number; stable: number; looks: number }, say: (canary: Arm, stable: Arm) => Comparison['kind']): Comparison['kind'] => {
  const [canary, stable] = [arm(0, 0), arm(0, 0)];
  for (let look = 0; look < plan.looks; look += 1) {
    for (let request = 0; request < 40; request += 1) {
      const [side, share] = random() < 0.25 ? [canary, plan.canary] : [stable, plan.stable];
      side.requests += 1;
      if (random() < share) side.failures += 1;
    }
    const kind = say(canary, stable);
    if (kind !== 'undecided') return kind;
  }
  return 'undecided';
};

const shareOf = (kind: Comparison['kind'], runs: number, once: (random: () => number) => Comparison['kind']): number => {
  const random = seededRandom(20_261_124);
  let seen = 0;
  for (let run = 0; run < runs; run += 1) if (once(random) === kind) seen += 1;
  return seen / runs;
};

describe('the rate of wrong verdicts, looked at a hundred times', () => {
  const alpha = 0.1;
  const RUNS = 400;
  const ours = (maximumDifference: number) => (canary: Arm, stable: Arm) => compareFailures(canary, stable, { maximumDifference, alpha }).kind;

  it('stays below the significance for a canary that is just good enough', () => {
    const worse = shareOf('worse', RUNS, (random) => simulate(random, { canary: 0.05, stable: 0.03, looks: 100 }, ours(0.02)));
    expect(worse).toBeLessThanOrEqual(alpha);
  });

  it('stays below the significance for a canary that is just not good enough', () => {
    const noWorse = shareOf('noWorse', RUNS, (random) => simulate(random, { canary: 0.0501, stable: 0.03, looks: 100 }, ours(0.02)));
    expect(noWorse).toBeLessThanOrEqual(alpha);
  });

  it('is far above it for the ordinary test of two shares, which is why that is not used', () => {
    const ordinary = (canary: Arm, stable: Arm): Comparison['kind'] => {
      const pooled = (canary.failures + stable.failures) / (canary.requests + stable.requests);
      const error = Math.sqrt(pooled * (1 - pooled) * (1 / canary.requests + 1 / stable.requests));
      return (canary.failures / canary.requests - stable.failures / stable.requests) / error > 1.2816 ? 'worse' : 'undecided';
    };
    expect(shareOf('worse', RUNS, (random) => simulate(random, { canary: 0.05, stable: 0.05, looks: 100 }, ordinary))).toBeGreaterThan(3 * alpha);
  });

  it('does not keep a bad canary from being found', () => {
    expect(shareOf('worse', 100, (random) => simulate(random, { canary: 0.15, stable: 0.02, looks: 100 }, ours(0.02)))).toBe(1);
  });
});

it('the interval of the difference is as wide as both arms together', () => {
  const [canary, stable] = [shareInterval(arm(100, 5), 0.025), shareInterval(arm(900, 9), 0.025)];
  expect(differenceInterval(arm(100, 5), arm(900, 9), 0.05)).toEqual({ low: canary.low - stable.high, high: canary.high - stable.low });
});
