import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReferenceDistribution } from '../../../contracts/features.ts';
import { driftOf, populationStabilityIndex } from '../../../domain/drift.ts';

const numeric = (counts: number[], missing = 0, column = 'x'): ReferenceDistribution => ({
  type: 'numeric',
  column,
  edges: counts.slice(1).map((_, index) => index),
  counts,
  missing,
});
const categorical = (counts: number[], missing = 0, column = 'c'): ReferenceDistribution => ({
  type: 'categorical',
  column,
  categories: counts.slice(1).map((_, index) => `value-${index}`),
  counts,
  missing,
});
const live = (counts: number[], missing = 0, column = 'x') => ({ column, counts, missing });

describe('populationStabilityIndex', () => {
  it('is nothing for the same shares', () => {
    expect(populationStabilityIndex(numeric([1_000, 2_000, 3_000]), live([100, 200, 300]))).toBeLessThan(1e-3);
  });

  it('agrees with the textbook sum over deciles', () => {
    const reference = Array.from({ length: 10 }, () => 10_000);
    const shares = [0.05, 0.05, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.15, 0.15];
    const textbook = shares.reduce((total, share) => total + (share - 0.1) * Math.log(share / 0.1), 0);
    const measured = populationStabilityIndex(numeric(reference), live(shares.map((share) => share * 100_000)));
    expect(measured).toBeCloseTo(textbook, 3);
  });

  it('joins a thousand fine bins, so that a small window of the same distribution is no drift', () => {
    const reference = Array.from({ length: 1_000 }, () => 100);
    const sparse = Array.from({ length: 1_000 }, (_, bin) => (bin % 2 === 0 ? 1 : 0));
    expect(populationStabilityIndex(numeric(reference), live(sparse))).toBeLessThan(0.05);
  });

  it('sees a feed that went silent: missing values are a group', () => {
    expect(populationStabilityIndex(numeric([500, 500], 0), live([50, 50], 900))).toBeGreaterThan(1);
  });

  it('sees values outside of the kept categories', () => {
    expect(populationStabilityIndex(categorical([600, 390, 10]), live([300, 200, 500]))).toBeGreaterThan(0.5);
  });

  it('joins rare categories instead of counting each one as drift', () => {
    const reference = categorical([10_000, ...Array.from({ length: 200 }, () => 5), 0]);
    const rows = live([1_000, ...Array.from({ length: 200 }, (_, index) => (index % 4 === 0 ? 2 : 0)), 0]);
    expect(populationStabilityIndex(reference, rows)).toBeLessThan(0.05);
  });

  it('says nothing of an empty window', () => {
    expect(populationStabilityIndex(numeric([5, 5]), live([0, 0]))).toBe(0);
  });

  it('refuses bins that do not belong together, and counts that are none', () => {
    expect(() => populationStabilityIndex(numeric([5, 5]), live([1, 2, 3]))).toThrow(RangeError);
    expect(() => populationStabilityIndex(numeric([5, 5]), live([Number.NaN, 2]))).toThrow(RangeError);
    expect(() => populationStabilityIndex(numeric([5, -5]), live([1, 2]))).toThrow(RangeError);
  });

  it('is finite and never negative, whatever the counts', () => {
    const counts = fc.array(fc.nat(1_000_000), { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(counts, counts, fc.nat(1_000), fc.boolean(), (reference, rows, missing, isNumeric) => {
        const bins = Math.min(reference.length, rows.length);
        const distribution = (isNumeric ? numeric : categorical)(reference.slice(0, bins), missing);
        const index = populationStabilityIndex(distribution, live(rows.slice(0, bins), 3));
        expect(Number.isFinite(index)).toBe(true);
        expect(index).toBeGreaterThanOrEqual(-1e-12);
      }),
    );
  });
});

describe('driftOf', () => {
  const spec = { columnThreshold: 0.2, shareThreshold: 0.5 };
  const references = [numeric([500, 500], 0, 'a'), numeric([500, 500], 0, 'b')];

  it('takes the share of drifted columns, and detects drift from the threshold on', () => {
    const result = driftOf(references, [live([50, 950], 0, 'b'), live([500, 500], 0, 'a')], spec);
    expect(result).toMatchObject({ driftScore: 0.5, drifted: true });
    expect(result.columns.map((column) => column.drifted)).toEqual([false, true]);
    expect(driftOf(references, [live([50, 950], 0, 'b'), live([500, 500], 0, 'a')], { ...spec, shareThreshold: 0.6 }).drifted).toBe(false);
  });

  it('never detects drift without a drifted column, even at the threshold 0', () => {
    const same = [live([500, 500], 0, 'a'), live([500, 500], 0, 'b')];
    expect(driftOf(references, same, { ...spec, shareThreshold: 0 })).toMatchObject({ driftScore: 0, drifted: false });
    expect(driftOf([], [], { ...spec, shareThreshold: 0 })).toEqual({ driftScore: 0, drifted: false, columns: [] });
  });

  it('refuses a window that lacks a column', () => {
    expect(() => driftOf(references, [live([5, 5], 0, 'a')], spec)).toThrow(/"b"/);
  });
});
