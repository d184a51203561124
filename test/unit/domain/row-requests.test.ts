import { describe, expect, test } from 'vitest';
import { ModelSignature } from '../../../contracts/features.ts';
import { createInferenceReader, InferenceRefused, readEnvelope } from '../../../domain/inference.ts';
import { fromRowRequest, predictionsOf, type RowForm } from '../../../domain/row-requests.ts';

const mixed = ModelSignature.parse({
  task: 'binaryClassification',
  inputs: [
    { name: 'delay', datatype: 'FP32', shape: [-1, 1], missing: 'allowed' },
    { name: 'carrier', datatype: 'BYTES', shape: [-1, 1] },
  ],
  outputs: [{ name: 'score', datatype: 'FP32', shape: [-1, 1] }],
});
const matrix = ModelSignature.parse({ task: 'binaryClassification', inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }], outputs: [{ name: 'score', datatype: 'FP32', shape: [-1, 2] }] });

const read = (body: unknown, signature: ModelSignature, form: RowForm) => createInferenceReader(signature)(readEnvelope(fromRowRequest(body, signature, form)).inputs);
const two = { rows: 2, tensors: [Float32Array.of(5, NaN), ['UA', 'AA']] };
const grid = { rows: 2, tensors: [Float32Array.of(1, 2, 3, 4, 5, 6)] };

describe('rows become the tensors of the signature', () => {
  test.each<[RowForm, unknown]>([
    ['v1', { instances: [{ delay: 5, carrier: 'UA' }, { carrier: 'AA', delay: null }] }],
    ['v1', { signature_name: 'serving_default', inputs: { carrier: ['UA', 'AA'], delay: [5, null] } }],
    ['invocations', { dataframe_split: { columns: ['carrier', 'delay'], index: [0, 1], data: [['UA', 5], ['AA', null]] } }],
    ['invocations', { dataframe_records: [{ delay: 5, carrier: 'UA' }, { delay: null, carrier: 'AA' }] }],
    ['invocations', { inputs: { delay: [5, null], carrier: ['UA', 'AA'] } }],
  ])('of several inputs: %s %j', (form, body) => {
    expect(read(body, mixed, form)).toEqual(two);
  });

  test.each<[RowForm, unknown]>([
    ['v1', { instances: [[1, 2, 3], [4, 5, 6]] }],
    ['v1', { inputs: [[1, 2, 3], [4, 5, 6]] }],
    ['v1', { instances: [{ x: [1, 2, 3] }, { x: [4, 5, 6] }] }],
    ['invocations', { dataframe_records: [{ a: 1, b: 2, c: 3 }, { c: 6, b: 5, a: 4 }], params: {} }],
    ['invocations', { dataframe_split: { columns: [0, 1, 2], data: [[1, 2, 3], [4, 5, 6]] } }],
  ])('of one wide input: %s %j', (form, body) => {
    expect(read(body, matrix, form)).toEqual(grid);
  });
});

test.each<[RowForm, unknown, RegExp]>([
  ['v1', null, /body: must be an object with one of instances, inputs/],
  ['v1', {}, /exactly one of instances, inputs; it has none/],
  ['v1', { instances: [], inputs: [] }, /exactly one of/],
  ['v1', { dataframe_split: {} }, /exactly one of instances, inputs; it has dataframe_split/],
  ['invocations', { instances: [1], params: { a: 1 } }, /params: must be left out/],
  ['invocations', { instances: [1], other: {} }, /exactly one of/],
  ['invocations', { dataframe_split: { columns: ['delay', 'carrier', 'delay'], data: [[1, 'UA', 2]] } }, /columns: names a column twice/],
  ['invocations', { dataframe_records: [{ delay: 5, carrier: 'UA' }, [1]] }, /dataframe_records\[1\]: must be an object/],
  ['v1', { instances: 3 }, /instances: must be a list/],
  ['v1', { instances: [] }, /instances: has no rows/],
  ['v1', { instances: [[5, 'UA']] }, /instances\[0\]: must be an object with the inputs "delay", "carrier"/],
  ['v1', { instances: [{ delay: 5, carrier: 'UA' }, { delay: 5 }] }, /instances\[1\]: the input "carrier" is missing/],
  ['v1', { instances: [{ delay: 5, carrier: 'UA', dealy: 1 }] }, /instances\[0\]: "dealy" is not an input/],
  ['v1', { inputs: { delay: 5, carrier: ['UA'] } }, /inputs.delay: must be a list/],
  ['invocations', { dataframe_split: { columns: ['delay', 'carrier'], data: [[1]] } }, /data\[0\]: has 1 values for 2 columns/],
  ['invocations', { dataframe_split: { columns: ['delay', 'carrier'], data: [] } }, /has no rows/],
  ['invocations', { dataframe_split: { columns: ['delay'], data: [[1]] } }, /columns: the input "carrier" is missing/],
  ['invocations', { dataframe_split: [1] }, /must be an object with columns and data/],
  ['v1', { instances: [{ delay: 'late', carrier: 'UA' }] }, /inputs\[0\] "delay" data\[0\] \(row 0\): "late" is not a number/],
  ['v1', { instances: JSON.parse('[{"__proto__": 1, "delay": 5, "carrier": "UA"}]') as unknown }, /"__proto__" is not an input/],
])('what could be misread is refused: %s %j', (form, body, message) => {
  expect(() => read(body, mixed, form)).toThrow(InferenceRefused);
  expect(() => read(body, mixed, form)).toThrow(message);
});

test('predictions are rows: values, lists, or objects where there are several outputs', () => {
  const output = (name: string, shape: number[]) => ({ name, datatype: 'FP32' as const, shape, missing: 'forbidden' as const });
  expect(predictionsOf({ outputs: [output('score', [-1, 1])] }, [[0.5, 0.25]])).toEqual({ predictions: [0.5, 0.25] });
  expect(predictionsOf({ outputs: [output('score', [-1])] }, [[0.5, 0.25]])).toEqual({ predictions: [0.5, 0.25] });
  expect(predictionsOf({ outputs: [output('score', [-1, 2, 2])] }, [[1, 2, 3, 4, 5, 6, 7, 8]])).toEqual({ predictions: [[[1, 2], [3, 4]], [[5, 6], [7, 8]]] });
  expect(predictionsOf({ outputs: [output('a', [-1, 1]), output('b', [-1, 2])] }, [[1, 2], [3, 4, 5, 6]])).toEqual({ predictions: [{ a: 1, b: [3, 4] }, { a: 2, b: [5, 6] }] });
});
