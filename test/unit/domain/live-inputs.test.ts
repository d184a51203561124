import { describe, expect, it } from 'vitest';
import type { ColumnDistribution } from '../../../contracts/features.ts';
import { liveInputsOf } from '../../../domain/live-inputs.ts';

const references: ColumnDistribution[] = [
  { type: 'numeric', column: 'distance', exact: false, edges: [1], counts: [50, 40], gaps: [10, 90], missing: 10, minimum: 0, maximum: 9, deviation: 2 },
  { type: 'categorical', column: 'carrier', categories: ['AA'], counts: [100, 0], missing: 0 },
];
const unlike = {
  rows: 30,
  columns: [
    { column: 'distance', outOfRange: 20, unseen: null },
    { column: 'carrier', outOfRange: null, unseen: 10 },
  ],
};

describe('liveInputsOf', () => {
  it('gives shares of rows per column, beside the training rows', () => {
    expect(liveInputsOf(references, { rows: 200, requests: 180, unlike }, [])).toEqual({
      requests: 180, refused: 0, refusedShare: 0, refusals: [], unlikeTraining: 0.15,
      columns: [
        { column: 'distance', outOfRange: 0.1, unseen: null },
        { column: 'carrier', outOfRange: null, unseen: 0.05 },
      ],
    });
  });

  it('gives the share of refused requests, with the column behind the place in a wide input', () => {
    const refusals = [
      { reason: 'wrongType', input: 'features/1', requests: 15 },
      { reason: 'wrongShape', input: 'features', requests: 4 },
      { reason: 'malformed', input: null, requests: 1 },
    ] as const;
    const inputs = liveInputsOf(references, { rows: 200, requests: 180, unlike }, [...refusals]);
    expect(inputs).toMatchObject({ refused: 20, refusedShare: 0.1 });
    expect(inputs.refusals.map(({ input }) => input)).toEqual(['carrier', 'features', null]);
  });

  it('has no share of nothing', () => {
    expect(liveInputsOf([], { rows: 0, requests: 0, unlike: { rows: 0, columns: [] } }, [])).toMatchObject({ refusedShare: 0, unlikeTraining: 0, columns: [] });
  });
});
