import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ModelSignature } from '../../../contracts/features.ts';
import { parseCsv } from '../../../domain/csv.ts';
import { fromCsv } from '../../../domain/csv-requests.ts';
import { PerennialFailure } from '../../../domain/failure.ts';
import { createInferenceReader, readEnvelope } from '../../../domain/inference.ts';

const mixed = ModelSignature.parse({
  task: 'regression',
  inputs: [
    { name: 'delay', datatype: 'FP32', shape: [-1, 1], missing: 'allowed' },
    { name: 'carrier', datatype: 'BYTES', shape: [-1, 1], missing: 'allowed' },
    { name: 'holiday', datatype: 'BOOL', shape: [-1, 1] },
    { name: 'seats', datatype: 'UINT16', shape: [-1, 1] },
  ],
  outputs: [{ name: 'score', datatype: 'FP32', shape: [-1, 1] }],
});
const matrix = ModelSignature.parse({ task: 'regression', inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }], outputs: mixed.outputs });

const read = (text: string, signature: ModelSignature, hasHeader = true) => createInferenceReader(signature)(readEnvelope(fromCsv(text, signature, { hasHeader })).inputs);

const refusal = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(PerennialFailure);
    return (error as PerennialFailure).message;
  }
  throw new Error('it was not refused');
};

describe('CSV becomes the tensors of the signature', () => {
  test('by the names of its columns', () => {
    const text = 'carrier,holiday,delay,seats\r\n"Delta, Inc. ""DL""",True,-1.5e1,180\n,false,,0\nUA,FALSE,NaN,65535';
    expect(read(text, mixed)).toEqual({ rows: 3, tensors: [Float32Array.of(-15, NaN, NaN), ['Delta, Inc. "DL"', '', 'UA'], Uint8Array.of(1, 0, 0), Uint16Array.of(180, 0, 65_535)] });
  });

  test('as the values of a wide input, and without a header in the order of the signature', () => {
    const grid = { rows: 2, tensors: [Float32Array.of(1, 2, 3, 4, 5, 6)] };
    expect(read('a,b,c\n1,2,3\n4,5,6\n', matrix)).toEqual(grid);
    expect(read('\uFEFF1,2,3\n4,5,6', matrix, false)).toEqual(grid);
    expect(read('5,UA,true,7', mixed, false).rows).toBe(1);
  });

  test('whatever stands in a cell is read as it was written', () => {
    const cell = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'a') }));
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 5 }), (rows) => {
        const text = rows.map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(',')).join('\r\n');
        expect(parseCsv(text, 10)).toEqual(rows);
      }),
    );
  });
});

test.each([
  ['', /csv.columns: the input "delay" is missing/],
  ['delay,carrier,holiday\n1,a,true', /csv.columns: the input "seats" is missing/],
  ['delay,carrier,holiday,seats,extra\n1,a,true,1,1', /"extra" is not an input/],
  ['delay,carrier,holiday,seats,seats\n1,a,true,1,1', /names a column twice/],
  ['delay,carrier,holiday,seats', /csv.data: has no rows/],
  ['delay,carrier,holiday,seats\n1,a,true', /csv.data\[0\]: has 3 values for 4 columns/],
  ['delay,carrier,holiday,seats\n1,a,true,1\n0x10,a,true,1', /"delay" data\[1\] \(row 1\): "0x10" is not a number/],
  ['delay,carrier,holiday,seats\n1,a,yes,1', /"yes" is not true or false/],
  ['delay,carrier,holiday,seats\n1,a,true,65536', /"65536" is not a whole number from 0 to 65535/],
  ['delay,carrier,holiday,seats\n1,a,true,', /"seats" data\[0\] \(row 0\): null is not allowed/],
  ['delay,carrier\n"1,a', /CSV, line 2: a quote is not closed/],
  ['delay,carrier\n"1"x,a', /CSV, line 2: text follows a quoted value/],
  ['delay,carrier\n1,a"b', /CSV, line 2: a quote stands within a value/],
  [`a\n${'1\n'.repeat(10_001)}`, /more than 10001 rows/],
])('what could be misread is refused: %#', (text, message) => {
  expect(refusal(() => read(text, mixed))).toMatch(message);
});
