import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { flightFeatures, writeMonths } from './support/flights.ts';
import { makeSpec, runTrainer, type Spec } from './support/run-trainer.ts';
import { openSession, parityOf, readRows, rocAuc, scoreRows } from './support/score.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

let files: (months: number[]) => string[];
const specOf = (changes: Partial<Spec> = {}): Spec =>
  makeSpec({ train: files([1, 2]), holdout: files([3]), features: flightFeatures, params: { num_iterations: 30, feature_fraction: 0.5, bagging_fraction: 0.8, bagging_freq: 1 }, ...changes });
const hashOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
const metricsOf = (spec: Spec) => JSON.parse(readFileSync(join(spec.outputFolder, 'metrics.json'), 'utf8')) as { metrics: Record<string, number>; rounds: number; rows: number; resumedFrom: string[]; importance: Record<string, number> };

beforeAll(async () => {
  files = await writeMonths(temporaryFolder(), { months: [1, 2, 3], sampled: true });
});

describe('a trial of a search', () => {
  it.each([
    ['lightgbm', { num_iterations: 4 }],
    ['sklearn', { estimator: 'histGradientBoosting', max_iter: 4 }],
  ])('%s tells the metric of the held-out rows as it goes on, and learns nothing from them', async (trainer, params) => {
    const [reporting, plain] = [specOf({ trainer, params: params as never, reportMetric: 'rocAuc' }), specOf({ trainer, params: params as never })];
    const [end] = await Promise.all([runTrainer(reporting), runTrainer(plain)]);
    expect(end.stderr).toBe('');
    const values = end.lines.filter((line) => line.type === 'progress').map((line) => line.metrics?.['validation']);
    expect(values.length).toBeGreaterThan(0);
    expect(values.every((value) => value !== undefined && value > 0.5)).toBe(true);
    const labels = (await readRows(reporting.holdout)).map((row) => Number(row['late']) === 1 || row['late'] === true);
    const scores = (await readRows([join(reporting.outputFolder, 'predictions.parquet')])).map((row) => Number(row['score']));
    expect(rocAuc(labels, scores)).toBeCloseTo(values.at(-1)!, 5);
    expect(hashOf(join(reporting.outputFolder, 'model.onnx'))).toBe(hashOf(join(plain.outputFolder, 'model.onnx')));
  });
});

describe('an uninterrupted training', () => {
  let spec: Spec;
  beforeAll(async () => {
    spec = specOf();
    const end = await runTrainer(spec);
    expect(end.stderr).toBe('');
    expect(end.exitCode).toBe(0);
    const rounds = end.lines.filter((line) => line.type === 'progress');
    expect(rounds.map((line) => line.done)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    expect(rounds.every((line) => line.total === 30 && Number.isFinite(line.metrics?.['trainLogLoss']))).toBe(true);
    expect(end.lines.filter((line) => line.type === 'checkpoint').map((line) => line.done)).toEqual([10, 20]);
  });

  it('leaves a signature of the declared features', () => {
    const signature = JSON.parse(readFileSync(join(spec.outputFolder, 'signature.json'), 'utf8'));
    expect(signature.inputs).toHaveLength(flightFeatures.length);
    expect(signature.inputs[0]).toEqual({ name: 'carrier', datatype: 'BYTES', shape: [-1, 1], missing: 'forbidden', column: 'carrier' });
    expect(signature.outputs).toEqual([{ name: 'score', datatype: 'FP32', shape: [-1, 1] }]);
  });

  it('reports metrics, rows and importance', async () => {
    const metrics = metricsOf(spec);
    expect(metrics.rounds).toBe(30);
    expect(metrics.rows).toBe((await readRows(spec.train)).length);
    expect(metrics.resumedFrom).toEqual([]);
    expect(metrics.metrics['trainRocAuc']).toBeGreaterThan(0.7);
    expect(Object.keys(metrics.importance)).toEqual(expect.arrayContaining(flightFeatures.map((feature) => feature.name)));
  });

  it('predicts in ONNX Runtime what LightGBM predicts', async () => {
    expect(await parityOf(spec)).toBeLessThan(1e-6);
  });

  it('has one named input per feature and the score alone as output', async () => {
    const session = await openSession(join(spec.outputFolder, 'model.onnx'));
    expect(session.inputNames).toEqual(flightFeatures.map((feature) => feature.name));
    expect(session.outputNames).toEqual(['score']);
  });

  it('answers a row of missing values and unseen categories', async () => {
    const session = await openSession(join(spec.outputFolder, 'model.onnx'));
    const [score] = await scoreRows(session, flightFeatures, [{ carrier: 'never seen' }]);
    expect(score).toBeGreaterThan(0);
    expect(score).toBeLessThan(1);
  });

  it('gives the same bytes again, also with one thread', async () => {
    for (const changes of [{}, { threads: 1 }]) {
      const again = specOf(changes);
      expect((await runTrainer(again)).exitCode).toBe(0);
      for (const name of ['model.onnx', 'predictions.parquet']) expect(hashOf(join(again.outputFolder, name))).toBe(hashOf(join(spec.outputFolder, name)));
    }
  });
});

describe('a training that is stopped', () => {
  it('writes a checkpoint on SIGTERM, exits 75 and goes on from there', async () => {
    const spec = specOf({ params: { num_iterations: 3_000, checkpointEvery: 1_000 } });
    const stopped = await runTrainer(spec, { onLine: (line, trainer) => (line.done === 12 ? trainer.kill('SIGTERM') : undefined) });
    expect(stopped.exitCode).toBe(75);
    const checkpoint = stopped.lines.at(-1);
    expect(checkpoint?.type).toBe('checkpoint');
    expect(checkpoint?.done).toBeGreaterThanOrEqual(12);

    const resumeFrom = checkpoint?.path ?? '';
    const hash = hashOf(resumeFrom);
    const again = await runTrainer({ ...spec, resumeFrom }, { onLine: (line, trainer) => (line.done === (checkpoint?.done ?? 0) + 5 ? trainer.kill('SIGTERM') : undefined) });
    expect(again.exitCode).toBe(75);
    expect(again.lines.find((line) => line.type === 'progress')?.done).toBe((checkpoint?.done ?? 0) + 1);
    const second = JSON.parse(readFileSync(again.lines.at(-1)?.path ?? '', 'utf8')) as { resumedFrom: string[] };
    expect(second.resumedFrom).toEqual([hash]);
  });

  it('records every checkpoint that it went on from', async () => {
    const spec = specOf();
    const first = await runTrainer(spec);
    const resumeFrom = first.lines.find((line) => line.type === 'checkpoint' && line.done === 20)?.path ?? '';
    const resumed = specOf({ resumeFrom });
    expect((await runTrainer(resumed)).exitCode).toBe(0);
    expect(metricsOf(resumed).resumedFrom).toEqual([hashOf(resumeFrom)]);
    expect(metricsOf(resumed).rounds).toBe(30);
    expect(await parityOf(resumed)).toBeLessThan(1e-6);
  });

  it('refuses the checkpoint of another training', async () => {
    const spec = specOf();
    const first = await runTrainer(spec);
    const resumeFrom = first.lines.find((line) => line.type === 'checkpoint')?.path ?? '';
    const end = await runTrainer(specOf({ seed: 8, resumeFrom }));
    expect(end.exitCode).toBe(65);
    expect(end.stderr).toContain('is of another training');
  });

  it('stops when nobody reads its progress any more', async () => {
    const spec = specOf({ params: { num_iterations: 100_000 } });
    const end = await runTrainer(spec, { onLine: (_line, trainer) => trainer.closeProgress() });
    expect(end.exitCode).toBe(75);
  });
});
