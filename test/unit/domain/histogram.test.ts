import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ColumnDistribution, NumericDistribution } from '../../../contracts/features.ts';
import { histogramOf, histogramsOf } from '../../../domain/histogram.ts';

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
const count = fc.nat({ max: 10_000 });

const binned = (edges: number[], counts: number[], missing = 0): NumericDistribution => ({
  type: 'numeric', column: 'x', exact: false, edges, counts, gaps: counts.map(() => 0), missing, minimum: edges[0] ?? 0, maximum: edges.at(-1) ?? 0, deviation: 1,
});

/** A distribution with a live one over the same bins. */
const numeric = fc
  .uniqueArray(fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((edge) => edge + 0), { minLength: 1, maxLength: 1_100 })
  .chain((edges) => fc.record({ edges: fc.constant([...edges].sort((a, b) => a - b)), counts: fc.array(count, { minLength: edges.length + 1, maxLength: edges.length + 1 }), live: fc.array(count, { minLength: edges.length + 1, maxLength: edges.length + 1 }), missing: count, liveMissing: count }));

describe('a histogram', () => {
  it('of any numeric column has at most 20 bins and loses no row', () => {
    fc.assert(
      fc.property(numeric, ({ edges, counts, live, missing, liveMissing }) => {
        const { bins } = histogramOf(binned(edges, counts, missing), binned(edges, live, liveMissing));
        expect(bins.length).toBeLessThanOrEqual(21);
        expect(total(bins.map((bin) => bin.reference))).toBe(total(counts) + missing);
        expect(total(bins.map((bin) => bin.current))).toBe(total(live) + liveMissing);
      }),
      { numRuns: 60 },
    );
  });

  it('of few bins keeps them', () => {
    const { bins } = histogramOf(binned([1, 2.5], [3, 4, 5]), binned([1, 2.5], [1, 0, 9], 2));
    expect(bins).toEqual([
      { label: '≤ 1', reference: 3, current: 1 },
      { label: '1 – 2.5', reference: 4, current: 0 },
      { label: '> 2.5', reference: 5, current: 9 },
      { label: 'missing', reference: 0, current: 2 },
    ]);
  });

  it('of a thousand quantiles shows the shape: more rows where the column is dense', () => {
    // Quantiles of an exponential distribution, so that steps of equal width have falling counts.
    const edges = Array.from({ length: 999 }, (_, index) => -Math.log(1 - (index + 1) / 1_000));
    const counts = new Array<number>(1_000).fill(10);
    const { bins } = histogramOf(binned(edges, counts), binned(edges, counts));
    expect(bins.length).toBeGreaterThan(12);
    const inner = bins.slice(1, -1).map((bin) => bin.reference);
    expect(inner).toEqual([...inner].sort((first, second) => second - first));
  });

  it('of categories keeps the heaviest on either side and joins the others', () => {
    const categories = Array.from({ length: 40 }, (_, index) => `c${index}`);
    const reference: ColumnDistribution = { type: 'categorical', column: 'x', categories, counts: [...categories.map((_, index) => 100 - index), 3], missing: 0 };
    const { bins } = histogramOf(reference, { ...reference, counts: [...categories.map((_, index) => (index === 39 ? 1_000 : 1)), 0] });
    expect(bins.map((bin) => bin.label).sort()).toEqual([...categories.slice(0, 11), 'c39', 'other'].sort());
    expect(bins.at(-1)?.label).toBe('other');
    expect(total(bins.map((bin) => bin.reference))).toBe(total(reference.counts));
  });

  it('is only made of columns that were seen', () => {
    expect(histogramsOf([binned([], [1])], [])).toEqual([]);
  });
});
