import { expect, test } from 'vitest';
import { PerennialFailure } from '../../../domain/failure.ts';
import { binaryValues, withBinaryInputs } from '../../../serving/binary-tensors.ts';

const bodyOf = (...inputs: { datatype: string; size: unknown; data?: unknown }[]): object => ({
  id: 'a',
  inputs: inputs.map(({ datatype, size, data }, place) => ({ name: `x${place}`, datatype, shape: [1], parameters: { binary_data_size: size, other: 1 }, ...(data === undefined ? {} : { data }) })),
});

const refusal = (body: unknown, binary: Buffer): string => {
  try {
    withBinaryInputs(body, binary);
  } catch (error) {
    expect(error).toBeInstanceOf(PerennialFailure);
    return (error as PerennialFailure).message;
  }
  throw new Error('it was not refused');
};

const dataOf = (body: unknown): unknown[] => (body as { inputs: { data?: unknown }[] }).inputs.map(({ data }) => data);

test('values of each datatype come back as JSON would bring them, wherever they begin in the body', () => {
  const columns = [Uint8Array.of(1, 0), Float32Array.of(1.5, NaN), ['é', '', 'abc'], Float64Array.of(0.1), Int32Array.of(-7), BigInt64Array.of(5n, 2n ** 60n), BigUint64Array.of(2n ** 53n - 1n), Uint32Array.of(2 ** 32 - 1), Uint16Array.of(65_535), Uint8Array.of(255), Int16Array.of(-32_768), Int8Array.of(-128)];
  const parts = columns.map(binaryValues);
  const datatypes = ['BOOL', 'FP32', 'BYTES', 'FP64', 'INT32', 'INT64', 'UINT64', 'UINT32', 'UINT16', 'UINT8', 'INT16', 'INT8'];
  const body = bodyOf(...parts.map((part, place) => ({ datatype: datatypes[place] as string, size: part.length })));
  const read = withBinaryInputs(body, Buffer.concat(parts));
  expect(dataOf(read)).toEqual([[true, false], [1.5, null], ['é', '', 'abc'], [0.1], [-7], [5, '1152921504606846976'], [2 ** 53 - 1], [2 ** 32 - 1], [65_535], [255], [-32_768], [-128]]);
  expect((read as { inputs: { parameters: object }[] }).inputs[0]?.parameters).toEqual({ other: 1 });
});

test('numbers of 16 bits are those of IEEE 754', () => {
  const bits = [0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x3555, 0x7c00, 0xfe00];
  const binary = Buffer.from(Uint16Array.from(bits).buffer);
  expect(dataOf(withBinaryInputs(bodyOf({ datatype: 'FP16', size: binary.length }), binary))).toEqual([[1, -2, 65_504, 2 ** -24, -0, 0.333251953125, Infinity, null]]);
});

test('an input may stay JSON, and a body without inputs is left to the reader', () => {
  expect(dataOf(withBinaryInputs({ inputs: [{ name: 'x', data: [1] }] }, Buffer.alloc(0)))).toEqual([[1]]);
  for (const body of [null, [], { inputs: 3 }]) expect(withBinaryInputs(body, Buffer.alloc(0))).toBe(body);
});

test.each([
  [bodyOf({ datatype: 'FP32', size: 8 }), Buffer.alloc(4), /8 bytes are more than the 4 that are left/],
  [bodyOf({ datatype: 'FP32', size: 4 }), Buffer.alloc(8), /has 4 bytes more than its inputs say/],
  [bodyOf({ datatype: 'FP32', size: 6 }), Buffer.alloc(6), /6 bytes are no whole number of values of 4 bytes/],
  [bodyOf({ datatype: 'FP32', size: -4 }), Buffer.alloc(4), /must be a whole number of bytes/],
  [bodyOf({ datatype: 'FP32', size: '4' }), Buffer.alloc(4), /must be a whole number of bytes/],
  [bodyOf({ datatype: 'BF16', size: 2 }), Buffer.alloc(2), /the datatype has no binary form here; known are BYTES/],
  [bodyOf({ datatype: 'constructor', size: 2 }), Buffer.alloc(2), /the datatype has no binary form here/],
  [bodyOf({ datatype: 'FP32', size: 4, data: [1] }), Buffer.alloc(4), /inputs\[0\].data: is there, and binary values too/],
  [bodyOf({ datatype: 'BYTES', size: 6 }), Buffer.from([9, 0, 0, 0, 65, 66]), /value 0 goes beyond the 6 bytes/],
  [bodyOf({ datatype: 'BYTES', size: 3 }), Buffer.from([1, 0, 0]), /value 0 goes beyond the 3 bytes/],
  [bodyOf({ datatype: 'BYTES', size: 5 }), Buffer.from([1, 0, 0, 0, 255]), /value 0 is not UTF-8/],
])('a binary part that is not what the JSON says is refused: %#', (body, binary, message) => {
  expect(refusal(body, binary)).toMatch(message);
});
