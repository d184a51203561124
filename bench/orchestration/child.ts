/** A process that says `"ready":true` when it works, and is ended with SIGTERM. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const READY_MS = 60_000;

export const startChild = async ([file = '', ...args]: readonly string[]): Promise<{ stop: () => Promise<void> }> => {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ready = new Promise<void>((resolve) => createInterface({ input: child.stdout }).on('line', (text) => text.includes('"ready":true') && resolve()));
  const late = AbortSignal.timeout(READY_MS);
  await Promise.race([
    ready,
    ended.then(() => Promise.reject(new Error(`${args.join(' ')} ended before it was ready`))),
    new Promise((_, reject) => late.addEventListener('abort', () => reject(new Error(`${args.join(' ')} was not ready in ${READY_MS / 1_000} s`)))),
  ]);
  return {
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
};
