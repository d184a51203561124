import { describe, expect, it } from 'vitest';
import { openSession } from '../../../adapters/onnx/session.ts';
import { matrixSignature, namedSignature, readModel, signatureOf, simpleSignature, tensor } from '../../unit/onnx/fixtures.ts';

describe('openSession', () => {
  it('scores one input per column, text and missing values among them', async () => {
    const session = await openSession(readModel('named'), namedSignature);
    const { score } = await session.run({ hour: Float32Array.of(1, 2), wind: Float32Array.of(NaN, 3), carrier: ['AA', ''] }, 2);
    const sigmoid = (margin: number): number => 1 / (1 + Math.exp(-margin));
    expect(score).toHaveLength(2);
    expect(score![0]).toBeCloseTo(sigmoid(0.1 + 0.3 + 0.25), 6);
    expect(score![1]).toBeCloseTo(sigmoid(0.2 - 0.9 + 0.125), 6);
    await session.release();
  });

  it('scores a matrix of columns and gives only the outputs of the signature', async () => {
    const session = await openSession(readModel('trees'), matrixSignature('input'));
    const outputs = await session.run({ input: new Float32Array(90).fill(0.5) }, 3);
    expect(Object.keys(outputs)).toEqual(['label', 'probabilities']);
    expect(outputs['label']).toBeInstanceOf(BigInt64Array);
    expect(outputs['probabilities']).toHaveLength(6);
    const few = await openSession(readModel('trees'), signatureOf([tensor('input', 'FP32', [-1, 30])], [tensor('probabilities', 'FP32', [-1, 2])]));
    expect(Object.keys(await few.run({ input: new Float32Array(30) }, 1))).toEqual(['probabilities']);
    await Promise.all([session.release(), few.release()]);
  });

  it('gives a row the same score alone and among others', async () => {
    const session = await openSession(readModel('trees'), matrixSignature('input'));
    const rows = Float32Array.from({ length: 30 * 64 }, (_, index) => Math.sin(index * 12.9898) * 3);
    const together = (await session.run({ input: rows }, 64))['probabilities'] as Float32Array;
    for (let row = 0; row < 64; row += 1) {
      const alone = (await session.run({ input: rows.slice(row * 30, row * 30 + 30) }, 1))['probabilities'] as Float32Array;
      expect([...alone]).toEqual([...together.subarray(row * 2, row * 2 + 2)]);
    }
    await session.release();
  });

  it('takes integers and doubles of rank 1 and 2', async () => {
    const integers = await openSession(readModel('integers'), signatureOf([tensor('n', 'INT64', [-1])], [tensor('score', 'FP32', [-1])]));
    expect((await integers.run({ n: BigInt64Array.of(1n, 2n) }, 2))['score']).toEqual(Float32Array.of(1, 2));
    const doubles = await openSession(readModel('doubles'), signatureOf([tensor('x', 'FP64')], [tensor('score', 'FP64')]));
    expect((await doubles.run({ x: Float64Array.of(0.1) }, 1))['score']).toEqual(Float64Array.of(0.1));
    await Promise.all([integers.release(), doubles.release()]);
  });

  it('refuses what the model check refuses, and what ONNX Runtime cannot load', async () => {
    await expect(openSession(readModel('loop'), simpleSignature)).rejects.toMatchObject({ code: 'ModelRefused' });
    const noVersion = readModel('identity').slice(2);
    await expect(openSession(noVersion, simpleSignature)).rejects.toMatchObject({ code: 'ModelRefused', message: expect.stringContaining('ONNX Runtime cannot load the model') });
  });

  it('refuses columns that are not those of the signature', async () => {
    const session = await openSession(readModel('identity'), simpleSignature);
    await expect(session.run({}, 1)).rejects.toMatchObject({ code: 'InferenceInvalid', message: 'The input "x" is not there.' });
    await expect(session.run({ x: new Float32Array(3) }, 2)).rejects.toMatchObject({ code: 'InferenceInvalid', message: 'The input "x" has 3 values: 2 rows need 2.' });
    await expect(session.run({ x: new Float64Array(2) }, 2)).rejects.toMatchObject({ code: 'InferenceInvalid' });
    await session.release();
  });

  it('names a model that errs on some value', async () => {
    const session = await openSession(readModel('lookup'), simpleSignature);
    expect((await session.run({ x: Float32Array.of(0, 1) }, 2))['score']).toEqual(Float32Array.of(Math.fround(0.1), Math.fround(0.9)));
    await expect(session.run({ x: Float32Array.of(7) }, 1)).rejects.toMatchObject({ code: 'ModelFailed', message: expect.stringContaining('ONNX Runtime failed while it scored') });
    await session.release();
  });
});
