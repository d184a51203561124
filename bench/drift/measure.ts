/** Runs a program and watches the resident memory of it and all of its descendants. Linux only: it reads /proc. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

const EVERY_MS = 20;

export type Measured<T> = { result: T; wallSeconds: number; peakMegabytes: number };

const childrenOf = (pid: number): number[] => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
};

/** Resident kilobytes of one process; 0 when it has just ended. */
const residentOf = (pid: number): number => {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
};

const residentOfTree = (pid: number): number => residentOf(pid) + childrenOf(pid).reduce((sum, child) => sum + residentOfTree(child), 0);

/**
 * The JSON of the last line that the program prints, its time and the peak of its memory, sampled every 20 ms.
 * @throws Error with the end of its output when it fails
 */
export const measure = <T>([program = '', ...args]: readonly string[]): Promise<Measured<T>> =>
  new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, PYTHONNOUSERSITE: '1' } });
    let [output, complaint, peak] = ['', '', 0];
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString('utf8')).slice(-4_000)));
    const timer = setInterval(() => (peak = Math.max(peak, residentOfTree(child.pid ?? 0))), EVERY_MS);
    child.once('error', reject);
    child.once('close', (code) => {
      clearInterval(timer);
      if (code !== 0) return reject(new Error(`${program} ended with ${code}\n${complaint}`));
      const result = JSON.parse(output.trim().split('\n').at(-1) ?? '') as T;
      resolve({ result, wallSeconds: (performance.now() - started) / 1_000, peakMegabytes: peak / 1_024 });
    });
  });
