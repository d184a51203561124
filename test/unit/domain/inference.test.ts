import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PerennialFailure } from '../../../domain/failure.ts';
import { InferenceRefused, MAX_ROWS, createInferenceReader, readEnvelope, stickyKeyOf } from '../../../domain/inference.ts';
import { ModelSignature } from '../../../contracts/features.ts';

const signature = ModelSignature.parse({
  task: 'binaryClassification',
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [-1, 2] },
    { name: 'gust', datatype: 'FP64', shape: [-1, 1], missing: 'allowed' },
    { name: 'carrier', datatype: 'BYTES', shape: [-1, 1], missing: 'allowed' },
    { name: 'origin', datatype: 'BYTES', shape: [-1, 1] },
    { name: 'seats', datatype: 'INT64', shape: [-1, 1] },
    { name: 'hour', datatype: 'INT32', shape: [-1, 1], missing: 'allowed' },
    { name: 'holiday', datatype: 'BOOL', shape: [-1, 1] },
  ],
  outputs: [{ name: 'score', datatype: 'FP32', shape: [-1, 1] }],
});
const read = createInferenceReader(signature);

type Entry = { name: string; shape: unknown; datatype: unknown; data: unknown; [key: string]: unknown };
const good = (): Entry[] => [
  { name: 'x', shape: [2, 2], datatype: 'FP32', data: [1, 2, 3, 4] },
  { name: 'gust', shape: [2, 1], datatype: 'FP64', data: [null, 7.5] },
  { name: 'carrier', shape: [2, 1], datatype: 'BYTES', data: ['UA', null] },
  { name: 'origin', shape: [2, 1], datatype: 'BYTES', data: ['JFK', ''] },
  { name: 'seats', shape: [2, 1], datatype: 'INT64', data: [100, -3] },
  { name: 'hour', shape: [2, 1], datatype: 'INT32', data: [5, 6] },
  { name: 'holiday', shape: [2, 1], datatype: 'BOOL', data: [true, false] },
];
/** The good request with one entry changed. */
const changed = (position: number, change: Record<string, unknown>): Entry[] => good().map((entry, index) => (index === position ? { ...entry, ...change } : entry));

const messageOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(PerennialFailure);
    expect((error as PerennialFailure).code).toBe('InferenceInvalid');
    return (error as PerennialFailure).message;
  }
  throw new Error('it was not refused');
};

describe('a good request', () => {
  test('becomes tensors in the order of the signature', () => {
    const { rows, tensors } = read(good());
    expect(rows).toBe(2);
    expect(tensors).toEqual([Float32Array.of(1, 2, 3, 4), Float64Array.of(NaN, 7.5), ['UA', ''], ['JFK', ''], BigInt64Array.of(100n, -3n), Int32Array.of(5, 6), Uint8Array.of(1, 0)]);
  });

  test('may come in another order and nested', () => {
    const entries = good().reverse().map((entry) => (entry.name === 'x' ? { ...entry, data: [[1, 2], [3, 4]] } : { ...entry, data: (entry.data as unknown[]).map((value) => [value]) }));
    expect(read(entries).tensors).toEqual(read(good()).tensors);
  });

  test('may send numbers in another datatype that are the same numbers in the model', () => {
    const entries = changed(0, { datatype: 'INT16' }).map((entry) => ({ ...entry, ...(entry.name === 'gust' ? { datatype: 'FP16' } : entry.name === 'seats' ? { datatype: 'FP64' } : entry.name === 'hour' ? { datatype: 'UINT8' } : {}) }));
    expect(read(entries).tensors).toEqual(read(good()).tensors);
  });

  test('keeps every finite number and every row of FP32 data', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.float({ noNaN: true, noDefaultInfinity: true })), { minLength: 1, maxLength: 50 }), (rows) => {
        const one = createInferenceReader({ ...signature, inputs: signature.inputs.slice(0, 1) });
        const flat = one([{ name: 'x', shape: [rows.length, 2], datatype: 'FP32', data: rows.flat() }]);
        const nested = one([{ name: 'x', shape: [rows.length, 2], datatype: 'FP32', data: rows }]);
        expect(flat.tensors[0]).toEqual(Float32Array.from(rows.flat()));
        expect(nested.tensors).toEqual(flat.tensors);
      }),
      { numRuns: 300, seed: 4 },
    );
  });
});

describe('values that are refused', () => {
  test.each([
    [0, [1, null, 3, 4], /inputs\[0\] "x" data\[1\] \(row 0\): null is not allowed/],
    [0, [1, 2, 3, 'NaN'], /data\[3\] \(row 1\): "NaN" is not a number/],
    [0, [1, 2, 3, '4'], /"4" is not a number/],
    [0, [1, 2, 3, 1e300], /is not a number that fits FP32/],
    [0, [1, 2, 3, Infinity], /is not a number that fits FP32/],
    [0, [1, 2, 3, true], /is not a number/],
    [1, ['', 1], /"" is not a finite number/],
    [3, ['JFK', null], /null is not allowed/],
    [3, ['JFK', 5], /is not a well-formed string/],
    [3, ['JFK', '\ud800'], /is not a well-formed string/],
    [4, [1.5, 2], /is not a whole number/],
    [4, [2 ** 53, 2], /is not a whole number/],
    [5, [2 ** 31, 2], /is not a whole number of 32 bits/],
    [5, [null, 2], /null has no form in INT32/],
    [6, [1, 0], /is not true or false/],
  ])('input %i with %j', (position, data, message) => {
    expect(messageOf(() => read(changed(position, { data })))).toMatch(message);
  });
});

describe('shapes and names that are refused', () => {
  test.each([
    [0, { data: [1, 2, 3] }, /inputs\[0\].data: has 3 values, shape \[2, 2\] needs 4/],
    [0, { data: [[1, 2], [3]] }, /inputs\[0\].data\[1\]: has 1 entries, shape says 2/],
    [0, { data: [[1, 2]] }, /has 1 entries, shape says 2/],
    [0, { data: [[[1], [2]], [[3], [4]]] }, /is not a number/],
    [0, { data: undefined }, /inputs\[0\].data: is missing/],
    [0, { data: 'AAAA' }, /must be a list, not a string/],
    [0, { shape: [2, 3] }, /inputs\[0\].shape: "\[2,3\]" does not fit \[-1, 2\]/],
    [0, { shape: [4] }, /does not fit/],
    [0, { shape: [0, 2], data: [] }, /does not fit/],
    [0, { shape: [-1, 2] }, /does not fit/],
    [0, { shape: ['2', 2] }, /does not fit/],
    [0, { shape: [1.5, 2] }, /does not fit/],
    [0, { shape: [1e9, 2] }, new RegExp(`more than the ${MAX_ROWS}`)],
    [1, { shape: [1, 1], data: [1] }, /inputs\[1\].shape: has 1 rows, the inputs before it have 2/],
    [0, { datatype: 'BYTES' }, /inputs\[0\].datatype: is "BYTES", input "x" is FP32/],
    [0, { datatype: 'BOOL' }, /inputs\[0\].datatype: is "BOOL", input "x" is FP32/],
    [2, { datatype: 'FP32' }, /inputs\[2\].datatype: is "FP32", input "carrier" is BYTES/],
    [6, { datatype: 'INT8' }, /inputs\[6\].datatype: is "INT8", input "holiday" is BOOL/],
    [0, { datatype: 'constructor' }, /inputs\[0\].datatype: is "constructor"/],
    [0, { datatype: 'INT8', data: [1, 2, 3, 128] }, /data\[3\] \(row 1\): "128" is not a number/],
    [0, { datatype: 'UINT8', data: [1, 2, 3, -1] }, /data\[3\] \(row 1\): "-1" is not a number/],
    [0, { datatype: 'INT64', data: [1, 2, 3, 0.5] }, /data\[3\] \(row 1\): "0.5" is not a number/],
    [0, { datatype: 'INT32', data: [1, 2, 3, 2 ** 24 + 1] }, /"16777217" is not a number that fits FP32/],
    [4, { datatype: 'FP64', data: [1, 2.5] }, /data\[1\] \(row 1\): "2.5" is not a whole number/],
    [5, { datatype: 'INT64', data: [1, 2 ** 31] }, /"2147483648" is not a whole number of 32 bits/],
    [0, { name: 'y' }, /inputs\[0\].name: "y" is not an input of the model/],
    [1, { name: 'x' }, /inputs\[1\].name: "x" is there twice/],
    [0, { extra: 1 }, /inputs\[0\]: has the unknown key "extra"/],
    [0, { parameters: { binary_data_size: 8 } }, /the header Inference-Header-Content-Length is missing/],
  ])('input %i with %j', (position, change, message) => {
    expect(messageOf(() => read(changed(position, change)))).toMatch(message);
  });

  test('a missing and an additional input', () => {
    expect(messageOf(() => read(good().slice(1)))).toMatch(/the input "x" is missing/);
    expect(messageOf(() => read([...good(), ...good()]))).toMatch(/has 14 entries, the model has 7 inputs/);
    expect(messageOf(() => read([null, ...good().slice(1)]))).toMatch(/inputs\[0\]: must be an object, not null/);
  });
});

describe('the envelope', () => {
  test('takes id, key and wanted outputs', () => {
    expect(readEnvelope({ id: 'a', parameters: { key: 'p-1', other: 2 }, inputs: [], outputs: [{ name: 'score' }] })).toEqual({ id: 'a', key: 'p-1', inputs: [], outputs: [{ name: 'score', binary: false }], binaryOutput: false });
    expect(readEnvelope({ parameters: { binary_data_output: true }, inputs: [], outputs: [{ name: 'a' }, { name: 'b', parameters: { binary_data: false } }] }).outputs).toEqual([{ name: 'a', binary: true }, { name: 'b', binary: false }]);
    expect(readEnvelope({ inputs: [], outputs: [] }).outputs).toBeUndefined();
  });

  test.each([
    [null, /body: must be an object, not null/],
    [[], /must be an object, not a list/],
    ['x', /must be an object, not a string/],
    [{}, /inputs: is missing/],
    [{ inputs: {} }, /inputs: must be a list/],
    [{ inputs: [], id: 5 }, /id: must be a string/],
    [{ inputs: [], typo: 1 }, /body: has the unknown key "typo"/],
    [{ inputs: [], parameters: [] }, /parameters: must be an object/],
    [{ inputs: [], parameters: { key: 7 } }, /parameters.key: must be a string/],
    [{ inputs: [], parameters: { binary_data_output: 1 } }, /parameters.binary_data_output: must be true or false/],
    [{ inputs: [], outputs: [{ name: 3 }] }, /outputs\[0\].name: must be a string/],
    [{ inputs: [], outputs: [{ name: 'a', parameters: { binary_data: 'yes' } }] }, /outputs\[0\].parameters.binary_data: must be true or false/],
  ])('%j is refused', (body, message) => {
    expect(messageOf(() => readEnvelope(body))).toMatch(message);
  });

  test('__proto__ and constructor are unknown keys, and nothing is polluted', () => {
    for (const text of ['{"__proto__":{"polluted":1},"inputs":[]}', '{"constructor":{"prototype":{"polluted":1}},"inputs":[]}']) messageOf(() => readEnvelope(JSON.parse(text)));
    messageOf(() => read([JSON.parse('{"name":"x","__proto__":{"polluted":1}}'), ...good().slice(1)]));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('any JSON at all is read or refused, never anything else', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        try {
          read(readEnvelope(JSON.parse(text)).inputs);
        } catch (error) {
          expect(error).toBeInstanceOf(PerennialFailure);
        }
      }),
      { numRuns: 2_000, seed: 5 },
    );
  });

  test('sticky keys are bounded', () => {
    expect(stickyKeyOf(undefined, 'header')).toBeUndefined();
    expect(messageOf(() => stickyKeyOf('', 'header'))).toMatch(/1 to 256/);
    expect(messageOf(() => stickyKeyOf('k'.repeat(257), 'header'))).toMatch(/1 to 256/);
  });
});

describe('what is counted of a refusal', () => {
  const refusalOf = (work: () => unknown): unknown => {
    try {
      work();
    } catch (error) {
      expect(error).toBeInstanceOf(InferenceRefused);
      return (error as InferenceRefused).refusal;
    }
    throw new Error('it was not refused');
  };

  test.each([
    ['a value of another type, with its place in a wide input', changed(0, { data: [1, 2, 3, 'far'] }), 'wrongType', 'x/1'],
    ['another data type', changed(1, { datatype: 'BYTES' }), 'wrongType', 'gust'],
    ['a missing value that is not allowed', changed(3, { data: ['JFK', null] }), 'missingValue', 'origin'],
    ['a missing value without a form', changed(5, { data: [null, 6] }), 'missingValue', 'hour'],
    ['another shape', changed(0, { shape: [2, 3] }), 'wrongShape', 'x'],
    ['too few values', changed(4, { data: [1] }), 'wrongShape', 'seats'],
    ['another number of rows', changed(6, { shape: [1, 1], data: [true] }), 'wrongShape', 'holiday'],
    ['a nested list of another length', changed(0, { data: [[1, 2, 3], [4, 5, 6]] }), 'wrongShape', 'x'],
    ['an input that is not there', good().slice(0, 6), 'missingInput', 'holiday'],
    ['an input that the model does not have', changed(2, { name: 'secret' }), 'unknownInput', null],
    ['more inputs than the model has', [...good(), good()[0]!], 'unknownInput', null],
    ['an input that is no object', [1, ...good().slice(1)], 'malformed', null],
  ])('%s', (_what, inputs, reason, input) => {
    expect(refusalOf(() => read(inputs))).toEqual({ reason, input });
  });

  test('a body that is none', () => {
    expect(refusalOf(() => readEnvelope({ inputs: 'secret' }))).toEqual({ reason: 'malformed', input: null });
  });
});
