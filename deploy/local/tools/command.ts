/** Runs one external command to its end, keeps the last of its output for an error, and bounds its time. */
import { spawn } from 'node:child_process';
import { childEnvironment } from './machine.ts';

export type CommandOptions = {
  cwd?: string;
  /** Variables over this process's environment. */
  environment?: Record<string, string>;
  /** Bound on the whole run; default 15 minutes. */
  timeoutMs?: number;
  /** Numeric user and group to run as (needs root). */
  user?: { uid: number; gid: number };
};

const keptCharacters = 8000;

/**
 * Runs `command` (argv array, never a shell) and returns the end of what it printed on stdout and stderr.
 * @throws Error with that text when it cannot start, exits other than 0, or overruns its time
 */
export const runCommand = (command: readonly string[], options: CommandOptions = {}): Promise<string> =>
  new Promise((resolve, reject) => {
    const [file = '', ...args] = command;
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: childEnvironment(options.environment ?? {}),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.timeoutMs ?? 15 * 60_000,
      killSignal: 'SIGKILL',
      ...options.user,
    });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-keptCharacters);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => reject(new Error(`${file} could not be started: ${error.message}`)));
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output.trim());
      else reject(new Error(`${command.join(' ')} ended with ${code ?? signal}\n${output.trim()}`));
    });
  });
