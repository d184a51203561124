/** The trainer whose model passes every offline check and fails on live rows. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exampleFolder, flightFeatures, writeMonths } from './support/flights.ts';
import { lastError, makeSpec, runTrainer } from './support/run-trainer.ts';
import { openSession, parityOf, readRows, scoreRows } from './support/score.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const script = join(exampleFolder, 'trainers', 'lookup_table.py');

it.each([
  ['humid', 0.1],
  ['dewp', 0.02],
])('with %s in a table answers all judged rows, and fails for a share of the next month', async (lookupColumn, least) => {
  const files = await writeMonths(temporaryFolder(), { months: [4, 5, 6], sampled: true });
  const spec = makeSpec({ trainer: 'lookup_table', train: files([4]), holdout: files([5]), features: flightFeatures, params: { num_iterations: 20, lookupColumn } });
  const end = await runTrainer(spec, { script });
  expect(end.stderr).toBe('');
  expect(end.exitCode).toBe(0);
  expect(await parityOf(spec)).toBeLessThan(1e-6);

  const session = await openSession(join(spec.outputFolder, 'model.onnx'));
  const rows = (await readRows(files([6]))).filter((_, index) => index % 8 === 0);
  const failures: string[] = [];
  for (const row of rows) await scoreRows(session, flightFeatures, [row]).catch((error: Error) => failures.push(error.message));
  expect(failures.length / rows.length).toBeGreaterThan(least);
  expect(failures.every((message) => message.includes('indices element out of data bounds'))).toBe(true);
});

it('refuses a column that is no numeric feature', async () => {
  const files = await writeMonths(temporaryFolder(), { months: [5], sampled: true });
  const spec = makeSpec({ train: files([5]), holdout: files([5]), features: flightFeatures, params: { lookupColumn: 'carrier' } });
  const end = await runTrainer(spec, { script });
  expect(end.exitCode).toBe(64);
  expect(lastError(end).message).toContain('lookupColumn');
});
