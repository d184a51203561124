/** The nearest key, canonical JSON, ids and keys. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyOfHeader, newApiKey } from '../../../api/keys/api-key.ts';
import { canonicalJson, uuidv7 } from '../../../api/http/unique.ts';
import { editDistance, nearestKey } from '../../../domain/nearest-key.ts';

describe('edit distance', () => {
  it.each([
    ['', 'abc', 3],
    ['seed', 'seed', 0],
    ['sede', 'seed', 1],
    ['trian', 'train', 1],
    ['kitten', 'sitting', 3],
  ])('of %s and %s', (from, to, distance) => expect(editDistance(from, to)).toBe(distance));

  it('is symmetric, zero only for the same, and at most the longer length', () => {
    const word = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(word, word, (from, to) => {
        const distance = editDistance(from, to);
        expect(distance).toBe(editDistance(to, from));
        expect(distance === 0).toBe(from === to);
        expect(distance).toBeLessThanOrEqual(Math.max(from.length, to.length));
      }),
    );
  });
});

describe('the nearest key', () => {
  const keys = ['trainer', 'params', 'seed', 'threads', 'pool', 'timeoutSeconds', 'scheduleToStartSeconds'];
  it.each([
    ['treads', 'threads'],
    ['timeout_seconds', 'timeoutSeconds'],
    ['Pool', 'pool'],
    ['scheduleToStart', 'scheduleToStartSeconds'],
    ['banana', undefined],
    ['x'.repeat(10_000), undefined],
  ])('to %s', (word, expected) => expect(nearestKey(word, keys)).toBe(expected));

  it('is the key itself for a key, and always a candidate', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string({ minLength: 1 }), { minLength: 1 }), (word, candidates) => {
        const nearest = nearestKey(word, candidates);
        expect(nearest === undefined || candidates.includes(nearest)).toBe(true);
      }),
    );
    for (const key of keys) expect(nearestKey(key, keys)).toBe(key);
  });
});

describe('canonical JSON', () => {
  it('does not depend on the order of keys, and keeps the value', () => {
    const shuffled = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shuffled);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(Object.entries(value).reverse().map(([key, inner]) => [key, shuffled(inner)]));
    };
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(shuffled(value))).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('UUIDv7', () => {
  it('has its version and variant, sorts by time and is unique', () => {
    const early = uuidv7(1_700_000_000_000);
    expect(early).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(early < uuidv7(1_700_000_000_001)).toBe(true);
    expect(new Set(Array.from({ length: 1_000 }, () => uuidv7(1))).size).toBe(1_000);
  });
});

describe('API keys', () => {
  it('have the form that is promised, and are read from the header', () => {
    const key = newApiKey();
    expect(key).toMatch(/^perennial_[A-Za-z0-9_-]{43}$/);
    expect(keyOfHeader(`Bearer ${key}`)).toBe(key);
    expect(keyOfHeader(`bearer  ${key}`)).toBe(key);
    expect(keyOfHeader(`Basic ${Buffer.from(`any name:${key}`).toString('base64')}`)).toBe(key);
  });
  it.each([undefined, '', 'Bearer', 'Bearer perennial_short', `Basic ${newApiKey()}`, `Basic ${Buffer.from(newApiKey()).toString('base64')}`, `Basic ${Buffer.from('user:password').toString('base64')}`, `Bearer ${newApiKey()}x`, `Bearer ${newApiKey()} ${newApiKey()}`, 'x'.repeat(100_000)])('are not read from %s', (header) =>
    expect(keyOfHeader(header)).toBeUndefined(),
  );
});
