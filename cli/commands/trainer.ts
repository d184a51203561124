/** `trainer check`: the conformance test of the trainer contract. */
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { EXIT, usageFailure } from '../exit-codes.ts';
import type { Config } from '../../workers/config.ts';
import { openSession } from '../session.ts';

const CONFORMANCE = fileURLToPath(new URL('../../trainers/conformance.py', import.meta.url));

/** @returns its exit code; 1 when it was ended by a signal */
const runConformance = (python: string, args: string[]): Promise<number> =>
  new Promise((done, fail) => {
    const child = spawn(python, [CONFORMANCE, ...args], { stdio: 'inherit' });
    child.once('error', (error) => fail(usageFailure(`${python} cannot be started: ${error.message}`, 'Run `node deploy/local/setup.mjs`, or set PERENNIAL_PYTHON.')));
    child.once('exit', (code) => done(code ?? EXIT.failed));
  });

/** The interpreter with the trainers' packages: the configured one, or that which set-up brought. */
const pythonOf = async ({ python }: Config): Promise<string> => {
  if (existsSync(python)) return python;
  const { python: part } = await import('../../deploy/local/tools/python.ts');
  return part.find() ?? python;
};

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** A Python file that is no executable itself is run by the interpreter of the trainers. */
const commandOf = (path: string, python: string): string[] => (path.endsWith('.py') && !isExecutable(path) ? [python, path] : [path]);

export const registerTrainerCommands = (program: Command): void => {
  program
    .command('trainer')
    .description('trainers')
    .command('check <file> [arguments...]')
    .description('check that a trainer keeps the contract of trainers/CONTRACT.md')
    .option('--params <json>', 'params of the training, as JSON', '{}')
    .action(async (file: string, rest: string[], { params }: { params: string }, command: Command) => {
      const { config, output } = openSession(command);
      if (!existsSync(file)) throw usageFailure(`there is no file ${file}`, 'Give the path of the trainer.');
      const python = await pythonOf(config);
      const options = [...(output.json ? ['--json'] : []), '--params', params];
      process.exitCode = await runConformance(python, [...options, '--', ...commandOf(resolve(file), python), ...rest]);
    });
};
