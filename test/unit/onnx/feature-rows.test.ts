import { describe, expect, it } from 'vitest';
import type { Datatype } from '../../../contracts/features.ts';
import { planInputs, scoreOutputOf, scoresOf, toTensorColumns, type FeatureValue } from '../../../domain/feature-rows.ts';
import { PerennialFailure } from '../../../domain/failure.ts';
import { matrixFeatures, matrixSignature, namedFeatures, namedSignature, signatureOf, tensor } from './fixtures.ts';

const failureOf = (work: () => unknown): { code: string; message: string } => {
  try {
    work();
  } catch (error) {
    if (error instanceof PerennialFailure) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('it did not fail');
};

const convert = (datatype: Datatype, values: FeatureValue[], missing: 'allowed' | 'forbidden' = 'forbidden') => {
  const column = { name: 'x', type: datatype === 'BYTES' ? ('categorical' as const) : ('numeric' as const), missing };
  const plans = planInputs(signatureOf([tensor('x', datatype, [-1, 1], missing)]), [column]);
  return toTensorColumns(plans, { rows: values.length, firstRow: 100, values: new Map([['x', values]]) })['x'];
};

describe('planInputs', () => {
  it('finds a column for each input, whatever their order', () => {
    const turned = { ...namedSignature, inputs: namedSignature.inputs.toReversed() };
    expect(planInputs(turned, namedFeatures.columns).map(({ columns }) => columns.map(({ name }) => name))).toEqual([['carrier'], ['wind'], ['hour']]);
  });

  it('lays all columns into a single wide input, in their declared order', () => {
    const [plan] = planInputs(matrixSignature('input'), matrixFeatures.columns);
    expect(plan?.columns.map(({ name }) => name)).toEqual(matrixFeatures.columns.map(({ name }) => name));
  });

  it('names the input that has no column', () => {
    expect(failureOf(() => planInputs(namedSignature, namedFeatures.columns.slice(0, 2)))).toEqual({
      code: 'FeatureMissing',
      message: 'The model needs the input "carrier" of 1 value(s) per row, and the features have no such column.',
    });
    expect(failureOf(() => planInputs(matrixSignature('input'), matrixFeatures.columns.slice(1))).code).toBe('FeatureMissing');
  });

  it('refuses text for numbers and numbers for text', () => {
    const turned = namedFeatures.columns.map((column) => ({ ...column, type: 'numeric' as const }));
    expect(failureOf(() => planInputs(namedSignature, turned))).toMatchObject({ code: 'FeatureTypeWrong', message: expect.stringContaining('"carrier" is numeric') });
  });
});

describe('toTensorColumns', () => {
  it('rounds doubles to float32 once', () => {
    expect(convert('FP32', [0.1, 1e300, 5n, true])).toEqual(Float32Array.of(0.1, Infinity, 5, 1));
    expect(convert('FP64', [0.1])).toEqual(Float64Array.of(0.1));
  });

  it('puts NaN and "" where a value may be missing', () => {
    expect(convert('FP32', [null, NaN, 1], 'allowed')).toEqual(Float32Array.of(NaN, NaN, 1));
    expect(convert('BYTES', [null, 'UA'], 'allowed')).toEqual(['', 'UA']);
  });

  it.each(['FP32', 'FP64', 'BYTES', 'INT64', 'INT32', 'BOOL'] as const)('refuses a missing %s where it may not be missing', (datatype) => {
    const good = datatype === 'BYTES' ? 'a' : 1;
    expect(failureOf(() => convert(datatype, [good, null]))).toEqual({ code: 'MissingValueForbidden', message: `The feature "x" is missing in row 101, and the model's input "x" forbids it.` });
  });

  it('refuses a missing integer even where the signature allows it: there is no such integer', () => {
    expect(failureOf(() => convert('INT64', [null], 'allowed')).code).toBe('MissingValueForbidden');
  });

  it('keeps integers whole', () => {
    expect(convert('INT64', [1, -5n, 2 ** 40])).toEqual(BigInt64Array.of(1n, -5n, 2n ** 40n));
    expect(convert('INT32', [1, -5n])).toEqual(Int32Array.of(1, -5));
    expect(convert('BOOL', [true, 0, 1n])).toEqual(Uint8Array.of(1, 0, 1));
    for (const [datatype, value] of [['INT64', 1.5], ['INT64', 2n ** 63n], ['INT32', 2 ** 31], ['BOOL', 2], ['INT64', '1']] as const) {
      expect(failureOf(() => convert(datatype, [value]))).toMatchObject({ code: 'FeatureTypeWrong', message: expect.stringContaining('row 100') });
    }
  });

  it('fills a wide input row by row', () => {
    const columns = ['a', 'b', 'c'].map((name) => ({ name, type: 'numeric' as const, missing: 'forbidden' as const }));
    const plans = planInputs(signatureOf([tensor('input', 'FP32', [-1, 3])]), columns);
    const values = new Map([['a', [1, 2]], ['b', [3, 4]], ['c', [5, 6]]]);
    expect(toTensorColumns(plans, { rows: 2, firstRow: 0, values })['input']).toEqual(Float32Array.of(1, 3, 5, 2, 4, 6));
  });
});

describe('scores', () => {
  it('are the output "score", or the probability of the second class', () => {
    expect(scoreOutputOf(namedSignature)).toEqual({ task: 'binaryClassification', name: 'score', width: 1 });
    expect(scoreOutputOf(matrixSignature('input'))).toEqual({ task: 'binaryClassification', name: 'probabilities', width: 2 });
    expect(failureOf(() => scoreOutputOf({ ...matrixSignature('input'), task: 'regression' })).code).toBe('ModelRefused');
    expect(scoresOf({ task: 'regression', name: 'p', width: 1 }, { p: Float32Array.of(-40, 7) }, 0)).toEqual(Float64Array.of(-40, 7));
    expect(failureOf(() => scoresOf({ task: 'regression', name: 'p', width: 1 }, { p: Float32Array.of(Infinity) }, 0)).message).toMatch(/a finite number/);
    expect(failureOf(() => scoreOutputOf(signatureOf([tensor('x')], [tensor('label', 'INT64', [-1])]))).code).toBe('ModelRefused');
    expect(scoresOf({ task: 'binaryClassification', name: 'p', width: 2 }, { p: Float32Array.of(0.75, 0.25, 0.5, 0.5) }, 0)).toEqual(Float64Array.of(0.25, 0.5));
  });

  it.each([NaN, -0.5, 1.5, Infinity])('cannot be %s', (score) => {
    expect(failureOf(() => scoresOf({ task: 'binaryClassification', name: 'score', width: 1 }, { score: Float32Array.of(0.5, score) }, 40))).toEqual({
      code: 'ModelFailed',
      message: `The model's score of row 41 is ${score}: a score is a probability from 0 to 1.`,
    });
  });
});
