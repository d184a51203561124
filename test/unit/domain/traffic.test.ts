import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bucketOf, pick } from '../../../domain/traffic.ts';

const split = (canaryWeight: number) => ({ stable: 1, canary: 2, canaryWeight });
const keys = (count: number): string[] => Array.from({ length: count }, (_, index) => `passenger-${index}`);

describe('weights', () => {
  test('0 % gets exactly nothing and 100 % everything', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (salt, key) => {
        expect(pick(split(0), salt, key)).toBe('stable');
        expect(pick(split(100), salt, key)).toBe('canary');
      }),
      { numRuns: 2_000, seed: 1 },
    );
  });

  test('a key that is on the canary stays there while the weight grows', () => {
    fc.assert(
      fc.property(fc.string(), fc.double({ min: 0, max: 100, noNaN: true }), fc.double({ min: 0, max: 100, noNaN: true }), (key, one, other) => {
        const [low, high] = one < other ? [one, other] : [other, one];
        if (pick(split(low), 'salt', key) === 'canary') expect(pick(split(high), 'salt', key)).toBe('canary');
      }),
      { numRuns: 5_000, seed: 2 },
    );
  });

  test('the same key and salt give the same answer', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (salt, key) => {
        expect(bucketOf(salt, key)).toBe(bucketOf(salt, key));
        expect(bucketOf(salt, key)).toBeGreaterThanOrEqual(0);
        expect(bucketOf(salt, key)).toBeLessThan(100);
      }),
      { numRuns: 2_000, seed: 3 },
    );
  });
});

describe('the split', () => {
  test.each([1, 5, 10, 25, 50, 99])('%i %% is met within three standard errors', (weight) => {
    const count = 100_000;
    const canaries = keys(count).filter((key) => pick(split(weight), 'a rollout', key) === 'canary').length;
    const share = weight / 100;
    expect(Math.abs(canaries - count * share)).toBeLessThan(3 * Math.sqrt(count * share * (1 - share)));
  });

  test('buckets are uniform: chi-square over 100 cells', () => {
    const cells = new Array<number>(100).fill(0);
    for (const key of keys(100_000)) {
      const cell = Math.floor(bucketOf('another rollout', key));
      cells[cell] = (cells[cell] ?? 0) + 1;
    }
    const statistic = cells.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0);
    // 99.9 % quantile of chi-square with 99 degrees of freedom.
    expect(statistic).toBeLessThan(148.2);
  });

  test('two salts choose independently', () => {
    const both = keys(100_000).filter((key) => bucketOf('one', key) < 50 && bucketOf('two', key) < 50).length;
    expect(Math.abs(both - 25_000)).toBeLessThan(3 * Math.sqrt(100_000 * 0.25 * 0.75));
  });
});

describe('edges', () => {
  test('nothing deployed', () => expect(pick({ stable: null, canary: null, canaryWeight: 0 }, 's', 'k')).toBeNull());
  test('stable alone', () => expect(pick({ stable: 1, canary: null, canaryWeight: 50 }, 's', 'k')).toBe('stable'));
  test('a first canary answers everything, because nothing else can', () => expect(pick({ stable: null, canary: 1, canaryWeight: 5 }, 's', 'k')).toBe('canary'));
  test('a first canary without weight answers nothing', () => expect(pick({ stable: null, canary: 1, canaryWeight: 0 }, 's', 'k')).toBeNull());
  test('salt and key do not run into each other', () => expect(bucketOf('ab', 'c')).not.toBe(bucketOf('a', 'bc')));
});
