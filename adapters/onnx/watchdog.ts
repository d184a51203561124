/**
 * Ends this process from a thread of its own, because a model that runs holds the event loop: when its parent has died
 * (nobody waits for the answer), or when it has more memory than it may.
 */
import { Worker } from 'node:worker_threads';

/** The line on stderr by which the parent tells this end from any other. */
export const MEMORY_LIMIT_LINE = 'perennial: memory limit passed';

const INTERVAL_MS = 100;

// Plain JavaScript in a string: a TypeScript file would need a loader in the thread, which Node 20 does not give to threads.
const SOURCE = `
const { workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const end = () => process.kill(process.pid, 'SIGKILL');
setInterval(() => {
  if (process.ppid !== workerData.parent) end();
  if (process.memoryUsage.rss() > workerData.memoryBytes) {
    writeSync(2, workerData.line + '\\n');
    end();
  }
}, workerData.intervalMs);
`;

/** Watches until the process ends; it does not keep the process alive. */
export const startWatchdog = (memoryBytes: number): void => {
  const worker = new Worker(SOURCE, {
    eval: true,
    execArgv: [],
    workerData: { parent: process.ppid, memoryBytes, intervalMs: INTERVAL_MS, line: MEMORY_LIMIT_LINE },
  });
  worker.unref();
};
