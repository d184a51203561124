import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SignatureTensor } from '../../../contracts/features.ts';
import type { ColumnData } from '../../../domain/tensor-columns.ts';
import type { Rows } from '../../../serving/batch.ts';
import { createFrameReader, HEADER_BYTES, jsonFrame, readJson, readTensors, tensorFrame, type Frame } from '../../../serving/host-frames.ts';

const SIGNATURE: SignatureTensor[] = (['BOOL', 'BYTES', 'FP32', 'FP64', 'INT32', 'INT64'] as const).map((datatype) => ({ name: datatype, datatype, shape: [-1, 2], missing: 'forbidden' }));

const parts = fc.array(
  fc.integer({ min: 1, max: 4 }).chain((rows) => {
    const values = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(value, { minLength: 2 * rows, maxLength: 2 * rows });
    return fc
      .tuple(
        values(fc.integer({ min: 0, max: 1 })).map((list) => Uint8Array.from(list)),
        values(fc.string({ unit: 'grapheme' })),
        values(fc.float()).map((list) => Float32Array.from(list)),
        values(fc.double()).map((list) => Float64Array.from(list)),
        values(fc.integer()).map((list) => Int32Array.from(list)),
        values(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })).map((list) => BigInt64Array.from(list)),
      )
      .map((tensors): Rows => ({ rows, tensors }));
  }),
  { minLength: 1, maxLength: 4 },
);

/** The frames that a reader finds when the bytes come in pieces of this size. */
const framesOf = (bytes: Buffer, piece: number): Frame[] => {
  const frames: Frame[] = [];
  const read = createFrameReader((frame) => frames.push(frame));
  for (let from = 0; from < bytes.length; from += piece) read(bytes.subarray(from, from + piece));
  return frames;
};

const valuesOf = (columns: readonly ColumnData[]): unknown[] => columns.map((column) => Array.from(column as ArrayLike<unknown>));

describe('tensors', () => {
  test('of several requests arrive as one batch, in whatever pieces', () => {
    fc.assert(
      fc.property(parts, fc.integer({ min: 1, max: 50 }), (requests, piece) => {
        const frames = framesOf(Buffer.concat([jsonFrame({ type: 'loaded' }), tensorFrame(SIGNATURE, requests)]), piece);
        expect(frames.map(({ kind }) => kind)).toEqual(['json', 'tensors']);
        expect(readJson((frames[0] as Frame).payload)).toEqual({ type: 'loaded' });
        const { rows, tensors } = readTensors(SIGNATURE, (frames[1] as Frame).payload);
        expect(rows).toBe(requests.reduce((sum, request) => sum + request.rows, 0));
        expect(valuesOf(tensors)).toEqual(SIGNATURE.map((_, place) => requests.flatMap((request) => Array.from(request.tensors[place] as ArrayLike<unknown>))));
      }),
      { numRuns: 200, seed: 3 },
    );
  });

  test('of another signature are refused', () => {
    const frame = tensorFrame(SIGNATURE.slice(2, 3), [{ rows: 1, tensors: [Float32Array.of(1, 2)] }]);
    const payload = Buffer.from(frame.subarray(HEADER_BYTES));
    const wider: SignatureTensor = { name: 'x', datatype: 'FP32', shape: [-1, 3], missing: 'forbidden' };
    for (const signature of [[wider], SIGNATURE.slice(2, 4)]) expect(() => readTensors(signature, payload)).toThrow('not those of the signature');
    expect(() => readTensors(SIGNATURE, Buffer.alloc(4))).toThrow('not those of the signature');
  });
});

test('bytes that are no frame are refused, and no memory is taken for them', () => {
  const read = createFrameReader(() => undefined);
  expect(() => read(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'))).toThrow('no frame');
});
