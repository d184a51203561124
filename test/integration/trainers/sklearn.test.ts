import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { flightFeatures, writeMonths } from './support/flights.ts';
import { makeSpec, runTrainer, type Spec } from './support/run-trainer.ts';
import { openSession, parityOf, scoreRows } from './support/score.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

let files: (months: number[]) => string[];
const specOf = (params: Spec['params'], changes: Partial<Spec> = {}): Spec => makeSpec({ trainer: 'sklearn', train: files([1]), holdout: files([1, 3]), features: flightFeatures, params, ...changes });
const hashOf = (spec: Spec): string => createHash('sha256').update(readFileSync(join(spec.outputFolder, 'model.onnx'))).digest('hex');

beforeAll(async () => {
  files = await writeMonths(temporaryFolder(), { months: [1, 3], sampled: true });
});

const estimators: { params: Spec['params']; steps: number }[] = [
  { params: { estimator: 'logisticRegression' }, steps: 1 },
  { params: { estimator: 'randomForest', n_estimators: 20 }, steps: 10 },
  { params: { estimator: 'histGradientBoosting', max_iter: 30 }, steps: 10 },
];

describe.each(estimators)('$params.estimator', ({ params, steps }) => {
  it('keeps the contract: progress, the same bytes again, parity, missing values', async () => {
    const [spec, again] = [specOf(params), specOf(params)];
    const end = await runTrainer(spec);
    expect(end.stderr).toBe('');
    expect(end.exitCode).toBe(0);
    expect(end.lines.filter((line) => line.type === 'progress')).toHaveLength(steps);

    expect((await runTrainer(again)).exitCode).toBe(0);
    expect(hashOf(again)).toBe(hashOf(spec));

    // The training rows are among the judged ones: theirs are the values next to the thresholds.
    expect(await parityOf(spec)).toBeLessThan(1e-5);
    const session = await openSession(join(spec.outputFolder, 'model.onnx'));
    expect(session.inputNames).toEqual(flightFeatures.map((feature) => feature.name));
    expect(session.outputNames).toEqual(['score']);
    const [score] = await scoreRows(session, flightFeatures, [{}]);
    expect(score).toBeGreaterThan(0);
    expect(score).toBeLessThan(1);
  });
});

it.each(['ridge', 'randomForest', 'histGradientBoosting'])('%s predicts minutes, with the same numbers in ONNX', async (estimator) => {
  const spec = specOf(estimator === 'randomForest' ? { estimator, n_estimators: 10 } : { estimator }, { task: 'regression', label: 'minutes_late' });
  const end = await runTrainer(spec);
  expect(end).toMatchObject({ exitCode: 0, stderr: '' });
  expect(JSON.parse(readFileSync(join(spec.outputFolder, 'signature.json'), 'utf8'))).toMatchObject({ task: 'regression' });
  // Minutes up to some hundreds, as 32-bit numbers.
  expect(await parityOf(spec)).toBeLessThan(1e-3);
});

it('ends at once on SIGTERM with 75, as it has no checkpoints', async () => {
  const spec = specOf({ estimator: 'histGradientBoosting', max_iter: 5_000 });
  const end = await runTrainer(spec, { onLine: (line, trainer) => (line.type === 'param' ? trainer.kill('SIGTERM') : undefined) });
  expect(end.exitCode).toBe(75);
});
