import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { PerennialFailure } from '../../../domain/failure.ts';
import { readInferRequest } from '../../../serving/grpc/infer-request.ts';

const { root } = protobuf.parse(readFileSync(new URL('../../../serving/grpc/open-inference.proto', import.meta.url), 'utf8'));
const Type = root.lookupType('inference.ModelInferRequest');
const encode = (fields: object): Buffer => Type.encode(Type.fromObject(fields)).finish() as Buffer;

const KINDS = {
  BOOL: ['boolContents', fc.boolean()],
  INT32: ['intContents', fc.integer()],
  INT64: ['int64Contents', fc.maxSafeInteger()],
  UINT32: ['uintContents', fc.nat({ max: 2 ** 32 - 1 })],
  UINT64: ['uint64Contents', fc.nat({ max: Number.MAX_SAFE_INTEGER })],
  FP32: ['fp32Contents', fc.float({ noNaN: true })],
  FP64: ['fp64Contents', fc.double({ noNaN: true })],
  BYTES: ['bytesContents', fc.string({ unit: 'grapheme' })],
} as const satisfies Record<string, readonly [string, fc.Arbitrary<unknown>]>;

const tensor = fc.constantFrom(...(Object.keys(KINDS) as (keyof typeof KINDS)[])).chain((datatype) =>
  fc.record({ name: fc.string(), datatype: fc.constant(datatype), shape: fc.array(fc.integer({ min: -1, max: 100_000 }), { maxLength: 4 }), data: fc.array(KINDS[datatype][1] as fc.Arbitrary<unknown>, { minLength: 1, maxLength: 20 }) }),
);

const parameters = fc.dictionary(fc.string(), fc.oneof(fc.boolean(), fc.maxSafeInteger(), fc.string()), { maxKeys: 5 });

const parameterOf = (value: boolean | number | string): object => (typeof value === 'boolean' ? { boolParam: value } : typeof value === 'number' ? { int64Param: value } : { stringParam: value });

test('a message that a general encoder writes is read as it was meant', () => {
  fc.assert(
    fc.property(fc.record({ model: fc.string(), version: fc.string(), id: fc.string({ minLength: 1 }), inputs: fc.array(tensor, { maxLength: 4 }), outputs: fc.array(fc.string(), { minLength: 1, maxLength: 3 }), parameters }), (meant) => {
      const bytes = encode({
        modelName: meant.model,
        modelVersion: meant.version,
        id: meant.id,
        parameters: Object.fromEntries(Object.entries(meant.parameters).map(([key, value]) => [key, parameterOf(value)])),
        inputs: meant.inputs.map(({ name, datatype, shape, data }) => ({ name, datatype, shape, contents: { [KINDS[datatype][0]]: datatype === 'BYTES' ? data.map((text) => Buffer.from(text as string)) : data } })),
        outputs: meant.outputs.map((name) => ({ name })),
      });
      const read = readInferRequest(bytes);
      expect([read.model, read.version, read.isRaw]).toEqual([meant.model, meant.version, false]);
      expect(read.request()).toEqual({
        id: meant.id,
        ...(Object.keys(meant.parameters).length === 0 ? {} : { parameters: meant.parameters }),
        inputs: meant.inputs,
        outputs: meant.outputs.map((name) => ({ name })),
      });
    }),
  );
});

test('whatever bytes come, they are read or refused as malformed', () => {
  const seeds = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 255 })).map(([place, value]) => {
    const bytes = encode({ modelName: 'm', inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], contents: { fp32Contents: [1, 2, 3] } }], parameters: { a: { stringParam: 'b' } } });
    if (place < bytes.length) bytes[place] = value;
    return bytes;
  }));
  fc.assert(
    fc.property(seeds, (bytes) => {
      try {
        readInferRequest(Buffer.from(bytes)).request();
      } catch (error) {
        expect(error).toBeInstanceOf(PerennialFailure);
        expect(['MalformedBody', 'InferenceInvalid']).toContain((error as PerennialFailure).code);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('numbers that come one by one, NaN, and numbers that a double cannot hold', () => {
  const unpacked = Buffer.from([0x0a, 0x01, 0x6d, 0x2a, 0x10, 0x12, 0x05, ...Buffer.from('INT32'), 0x18, 0x02, 0x2a, 0x05, 0x10, 0x05, 0x10, 0x80, 0x01]);
  expect(readInferRequest(unpacked).request().inputs).toEqual([{ name: '', datatype: 'INT32', shape: [2], data: [5, 128] }]);
  const strange = encode({ inputs: [{ datatype: 'FP64', contents: { fp64Contents: [NaN, Infinity] } }, { datatype: 'INT64', contents: { int64Contents: ['9007199254740993'] } }] });
  const [floats, whole] = readInferRequest(strange).request().inputs as { data: unknown[] }[];
  expect(floats?.data).toEqual([null, Infinity]);
  expect(Number.isSafeInteger(whole?.data[0])).toBe(false);
});
