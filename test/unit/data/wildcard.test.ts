/** Globs of one path segment. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesWildcard } from '../../../domain/wildcard.ts';

describe('a wildcard', () => {
  it.each([
    ['*.parquet', 'a.parquet', true],
    ['*.parquet', '.parquet', false],
    ['*.parquet', 'a.parquet.tmp', false],
    ['2013-??.csv', '2013-01.csv', true],
    ['2013-??.csv', '2013-1.csv', false],
    ['*', '.hidden', false],
    ['.*', '.hidden', true],
    ['a*b*c', 'axxbxxbc', true],
    ['a*b*c', 'axxbxx', false],
    ['part[1].parquet', 'part[1].parquet', true],
    ['part[1].parquet', 'part1.parquet', false],
    ['a.b', 'axb', false],
    ['**', 'anything', true],
    ['', '', true],
    ['*', '', true],
  ])('%s on %s: %s', (pattern, name, matches) => {
    expect(matchesWildcard(pattern, name)).toBe(matches);
  });

  it('means what the regular expression means', () => {
    const text = (characters: string) => fc.string({ unit: fc.constantFrom(...characters), maxLength: 8 });
    fc.assert(
      fc.property(text('ab*?'), text('ab'), (pattern, name) => {
        const expression = new RegExp(`^${pattern.replaceAll('?', '.').replaceAll(/\*+/g, '.*')}$`);
        expect(matchesWildcard(pattern, name)).toBe(expression.test(name));
      }),
      { numRuns: 500 },
    );
  });

  it('takes no long time for a pattern of many stars', () => {
    const started = performance.now();
    expect(matchesWildcard(`${'*a'.repeat(100)}b`, 'a'.repeat(255))).toBe(false);
    expect(performance.now() - started).toBeLessThan(200);
  });
});
