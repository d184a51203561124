import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { builtInTrainer, fixture, pythonPath, repositoryRoot } from './support/python.ts';

type Report = { ok: boolean; results: { name: string; verdict: string; detail: string }[] };

const check = async (options: string[], command: string[]): Promise<{ exitCode: number; report: Report }> => {
  const run = promisify(execFile)(pythonPath(), [join(repositoryRoot, 'trainers', 'conformance.py'), '--json', ...options, '--', ...command]);
  const { code, stdout } = await run.then(({ stdout }) => ({ code: 0, stdout }), (error: { code: number; stdout: string }) => error);
  return { exitCode: code, report: JSON.parse(stdout) as Report };
};
const failed = (report: Report): string[] => report.results.filter(({ verdict }) => verdict === 'FAIL').map(({ name }) => name);

it.each(['lightgbm', 'sklearn'])('the built-in trainer %s keeps the contract', { timeout: 400_000 }, async (trainer) => {
  const { exitCode, report } = await check(['--trainer', trainer], [pythonPath(), builtInTrainer]);
  expect(failed(report)).toEqual([]);
  expect(exitCode).toBe(0);
  expect(report.results.length).toBeGreaterThanOrEqual(16);
});

it.each([
  ['exits_one', 'trains'],
  ['nan_metrics', 'metrics.json'],
  ['no_model', 'model.onnx'],
  ['external_data', 'model.onnx'],
  ['custom_operator', 'model.onnx'],
  ['endless_loop', 'model.onnx'],
  ['wrong_predictions', 'predictions.parquet'],
  ['broken_progress', 'progress'],
])('finds out %s', { timeout: 400_000 }, async (name, broken) => {
  const { exitCode, report } = await check([], [pythonPath(), fixture(name)]);
  expect(failed(report)).toContain(broken);
  expect(exitCode).toBe(1);
});
