import { describe, expect, it } from 'vitest';
import { SignatureTensor } from '../../../contracts/features.ts';
import { compareOutputs, type Outputs } from '../../../domain/shadow-comparison.ts';
import type { ColumnData } from '../../../domain/tensor-columns.ts';

const outputs = (columns: Record<string, ColumnData>, missing?: 'allowed'): Outputs => ({
  signature: Object.entries(columns).map(([name, column]) => SignatureTensor.parse({ name, datatype: Array.isArray(column) ? 'BYTES' : 'FP32', shape: [-1, 1], ...(missing === undefined ? {} : { missing }) })),
  columns: Object.values(columns),
});
type Case = { name: string; stable: Record<string, ColumnData>; candidate: Record<string, ColumnData>; said: object };

const floats = (...values: number[]): Float32Array => Float32Array.from(values);

describe('compareOutputs', () => {
  it.each([
    ['the same numbers', { a: floats(1, 2) }, { a: floats(1, 2) }, null, 0],
    ['numbers within the tolerance', { a: floats(1, 2) }, { a: floats(1, 2.25) }, null, 0.25],
    ['numbers beyond it', { a: floats(1, 2) }, { a: floats(1, 3) }, 'a', 1],
    ['the same words', { a: ['x', 'y'] }, { a: ['x', 'y'] }, null, 0],
    ['other words', { a: ['x', 'y'] }, { a: ['x', 'z'] }, 'a', 0],
    ['words for numbers', { a: floats(1) }, { a: ['1'] }, 'a', 0],
    ['whole numbers', { a: BigInt64Array.of(5n) }, { a: BigInt64Array.of(7n) }, 'a', 2],
    ['fewer rows', { a: floats(1, 2) }, { a: floats(1) }, 'a', 0],
    ['another order of outputs', { a: floats(1), b: floats(2) }, { b: floats(2), a: floats(1) }, null, 0],
    ['an output that is not there', { a: floats(1), b: floats(2) }, { a: floats(1) }, 'b', 0],
    ['one output more', { a: floats(1) }, { a: floats(1), b: floats(2) }, null, 0],
  ].map(([name, stable, candidate, differing, maximumDifference]) => ({ name, stable, candidate, said: { kind: 'compared', differing, maximumDifference } }) as Case))('$name', ({ stable, candidate, said }) => {
    expect(compareOutputs(outputs(stable), outputs(candidate), 0.5)).toEqual(said);
  });

  it('a number that is none is no answer, unless values may be missing', () => {
    expect(compareOutputs(outputs({ a: floats(1) }), outputs({ a: floats(Number.NaN) }), 0)).toEqual({ kind: 'failed' });
    expect(compareOutputs(outputs({ a: floats(1) }), outputs({ a: floats(Infinity) }, 'allowed'), 0)).toEqual({ kind: 'failed' });
    expect(compareOutputs(outputs({ a: floats(Number.NaN) }, 'allowed'), outputs({ a: floats(Number.NaN) }, 'allowed'), 0)).toMatchObject({ differing: null });
    expect(compareOutputs(outputs({ a: floats(1) }, 'allowed'), outputs({ a: floats(Number.NaN) }, 'allowed'), 0)).toMatchObject({ differing: 'a' });
  });
});
