import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { atomEdges, binOf, createBinCounter, distributionOfValues, edgesOfSample, EXACT_VALUES } from '../../../../domain/drift/binning.ts';
import { seededRandom } from '../../../../domain/random.ts';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 });

describe('a bin counter', () => {
  it('puts every number in the bin that the definition names, whatever the edges', () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1, maxLength: 200 }), fc.array(finite, { maxLength: 200 }), (edges, values) => {
        const sorted = [...new Set(edges.map((edge) => edge + 0))].sort((left, right) => left - right);
        const counter = createBinCounter(sorted);
        const tried = [...values, ...sorted];
        counter.add(tried);
        const { counts, gaps } = counter.result('x');
        const byHand = counts.map((_, bin) => tried.filter((value) => value > (sorted[bin - 1] ?? -Infinity) && value <= (sorted[bin] ?? Infinity)));
        expect(counts).toEqual(byHand.map((bin) => bin.length));
        byHand.forEach((bin, index) => expect(gaps[index]).toBeCloseTo(bin.reduce((sum, value) => sum + Math.abs(value - (sorted[index] ?? sorted.at(-1)!)), 0), 5));
      }),
    );
  });

  it('finds bins that crowd in a corner of the range', () => {
    const edges = [...Array.from({ length: 600 }, (_, index) => index / 1e6), 1e6];
    const counter = createBinCounter(edges);
    counter.add(edges);
    expect(counter.result('x').counts).toEqual([...edges.map(() => 1), 0]);
  });

  it('counts what is no number as missing, and measures spread and range of the others', () => {
    const counter = createBinCounter([0, 10]);
    counter.add([NaN, Infinity, -Infinity, 2, 4, 4, 4, 5, 5, 7, 9]);
    counter.addMissing(4);
    expect(counter.result('x')).toMatchObject({ missing: 7, minimum: 2, maximum: 9, deviation: 2, counts: [0, 8, 0], exact: false });
  });

  it('counts parts of the rows to the same as the whole', () => {
    const random = seededRandom(1);
    const values = Float64Array.from({ length: 9_000 }, () => random() ** 3);
    const edges = edgesOfSample(values, { minimum: 0, maximum: 1 });
    const [whole, parts] = [createBinCounter(edges), [createBinCounter(edges), createBinCounter(edges)] as const];
    whole.add(values);
    parts[0].add(values.subarray(0, 2_000));
    parts[1].add(values.subarray(2_000));
    const [first, second] = parts.map((part) => part.result('x'));
    expect(whole.result('x').counts).toEqual(first!.counts.map((count, bin) => count + second!.counts[bin]!));
  });
});

describe('edges', () => {
  it('give each of some values a bin of its own', () => {
    const edges = atomEdges([-1, 0, 1e-300, 5]);
    for (const value of [-1, 0, 1e-300, 5]) expect(edges[binOf(edges, value)]).toBe(value);
    expect(edges).toHaveLength(8);
    expect(binOf(edges, -0.5)).not.toBe(binOf(edges, 0));
  });

  it('are dense where rows are, reach over the range, and keep a frequent value apart', () => {
    const random = seededRandom(2);
    const sample = Float64Array.from({ length: 20_000 }, () => (random() < 0.3 ? 5 : random() ** 4 * 1_000));
    const edges = edgesOfSample(sample, { minimum: 0, maximum: 1_000 });
    expect(edges).toEqual([...edges].sort((left, right) => left - right));
    expect([edges[0], edges.at(-1)]).toEqual([0, 1_000]);
    expect(edges.filter((edge) => edge < 1).length).toBeGreaterThan(50);
    expect(edges.filter((edge) => edge > 500).length).toBeGreaterThan(100);
    expect(edges[binOf(edges, 5)]! - edges[binOf(edges, 5) - 1]!).toBeLessThan(1e-12);
  });

  it('stay finite over the largest range', () => {
    const edges = edgesOfSample(Float64Array.of(-1.7e308, 1.7e308), { minimum: -1.7e308, maximum: 1.7e308 });
    expect(edges.every(Number.isFinite)).toBe(true);
    expect(edges.length).toBeGreaterThan(200);
  });
});

describe('a distribution of values', () => {
  it('keeps each of a few values, and counts many in bins', () => {
    expect(distributionOfValues('x', Float64Array.of(3, 1, NaN, 3))).toEqual({
      type: 'numeric', column: 'x', exact: true, edges: [1, 3], counts: [1, 2, 0], gaps: [0, 0, 0], missing: 1, minimum: 1, maximum: 3, deviation: Math.sqrt(8 / 9),
    });
    const many = distributionOfValues('x', Float64Array.from({ length: EXACT_VALUES + 1 }, (_, index) => index));
    expect(many).toMatchObject({ exact: false, minimum: 0, maximum: EXACT_VALUES });
    expect(many.counts.reduce((sum, count) => sum + count, 0)).toBe(EXACT_VALUES + 1);
    expect(many.edges.length).toBeLessThan(800);
  });
});
