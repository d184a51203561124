import { describe, expect, it } from 'vitest';
import { histogramsOf } from '../../../domain/histogram.ts';
import { columnDrift } from '../../support/fakes.ts';

describe('the histogram of a column', () => {
  it('has ranges, categories, and a bin for missing values where there are any', () => {
    const distance = columnDrift('distance', 0.2, { histogram: { edges: [0, 1.23456, 8], categories: null, reference: [30, 60], current: [5, 10] }, missing: { reference: 0.1, current: 0.25, drifted: true } });
    const carrier = columnDrift('carrier', 0.2, { histogram: { edges: null, categories: ['AA', null], reference: [7, 2], current: [1, 0] } });
    expect(histogramsOf([distance, carrier])).toEqual([
      { column: 'distance', type: 'numeric', bins: [{ label: '0 – 1.235', reference: 30, current: 5 }, { label: '1.235 – 8', reference: 60, current: 10 }, { label: 'missing', reference: 10, current: 5 }] },
      { column: 'carrier', type: 'categorical', bins: [{ label: 'AA', reference: 7, current: 1 }, { label: 'other', reference: 2, current: 0 }] },
    ]);
  });

  it('is only made of columns that were drawn', () => {
    expect(histogramsOf([columnDrift('x', 0.2)])).toEqual([]);
  });
});
