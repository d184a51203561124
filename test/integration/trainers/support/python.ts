/** The interpreter with the trainers' packages, for tests that start Python. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { resolveTools } from '../../../../deploy/local/tools/resolve.ts';

export const repositoryRoot = join(import.meta.dirname, '..', '..', '..', '..');
export const builtInTrainer = join(repositoryRoot, 'trainers', 'train.py');
export const fixture = (name: string): string => join(import.meta.dirname, '..', 'fixtures', `${name}.py`);

/**
 * PERENNIAL_PYTHON, or the environment that set-up made.
 * @throws Error that says what to do when there is none; a test without Python fails, it is not skipped
 */
export const pythonPath = (): string => {
  const given = process.env['PERENNIAL_PYTHON'];
  if (given === undefined || given === '') return resolveTools().python;
  if (!existsSync(given)) throw new Error(`PERENNIAL_PYTHON is ${given}, which does not exist: unset it or run \`node deploy/local/setup.mjs\``);
  return given;
};
