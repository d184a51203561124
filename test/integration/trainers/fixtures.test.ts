/** The misbehaving trainers do what their names say: other tests rest on that. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { flightFeatures, writeMonths } from './support/flights.ts';
import { fixture } from './support/python.ts';
import { makeSpec, runTrainer, type Spec } from './support/run-trainer.ts';
import { openSession, parityOf } from './support/score.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

let spec: () => Spec;
beforeAll(async () => {
  const files = await writeMonths(temporaryFolder(), { months: [1], sampled: true });
  spec = () => makeSpec({ trainer: 'fixture', train: files([1]), holdout: files([1]), features: flightFeatures });
});

it('well_behaved leaves a valid model', async () => {
  const job = spec();
  expect((await runTrainer(job, { script: fixture('well_behaved') })).exitCode).toBe(0);
  expect(await parityOf(job)).toBe(0);
});

it('exits_one ends with 1, segfaults by a signal', async () => {
  expect((await runTrainer(spec(), { script: fixture('exits_one') })).exitCode).toBe(1);
  expect((await runTrainer(spec(), { script: fixture('segfaults') })).signal).toBe('SIGSEGV');
});

it('hangs ignores SIGTERM with its children, and only the whole group can be killed', async () => {
  const job = spec();
  const note = join(job.outputFolder, 'hangs.json');
  const end = await runTrainer(job, {
    script: fixture('hangs'),
    onLine: (_line, trainer) => {
      const poll = setInterval(() => {
        if (!existsSync(note)) return;
        clearInterval(poll);
        trainer.kill('SIGTERM');
        trainer.kill('SIGKILL');
      }, 20);
    },
  });
  expect(end.signal).toBe('SIGKILL');
  const { children } = JSON.parse(readFileSync(note, 'utf8')) as { children: number[] };
  expect(children).toHaveLength(2);
  await expect.poll(() => children.some(isRunning), { timeout: 10_000 }).toBe(false);
});

/** A killed child that nobody has reaped yet still has a process id. */
const isRunning = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

it('floods prints a gigabyte and succeeds all the same', async () => {
  const job = spec();
  const end = await runTrainer(job, { script: fixture('floods'), discardLog: true });
  expect(end.exitCode).toBe(0);
  expect(existsSync(join(job.outputFolder, 'model.onnx'))).toBe(true);
});

it.each(['nan_metrics', 'no_model', 'external_data', 'custom_operator', 'endless_loop', 'wrong_predictions', 'broken_progress'])('%s says success', async (name) => {
  const job = spec();
  expect((await runTrainer(job, { script: fixture(name) })).exitCode).toBe(0);
  expect(existsSync(join(job.outputFolder, 'model.onnx'))).toBe(name !== 'no_model');
  if (name === 'nan_metrics') expect(() => JSON.parse(readFileSync(join(job.outputFolder, 'metrics.json'), 'utf8'))).toThrow();
  if (name === 'custom_operator' || name === 'external_data') await expect(openSession(join(job.outputFolder, 'model.onnx'))).rejects.toThrow();
  if (name === 'wrong_predictions') expect(await parityOf(job)).toBeGreaterThan(1e-4);
});
