/** Test hook: the process kills itself at a named place, once per name and home folder, so that the next attempt gets through. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FaultPoints } from '../domain/ports/fault-points.ts';

/** True for the first caller of all processes on this home. */
const isFirst = (folder: string, name: string): boolean => {
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(join(folder, name), `${process.pid}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
};

const dieNow = (): never => {
  process.kill(process.pid, 'SIGKILL');
  // Not one more instruction of the activity may run until the signal arrives.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
};

/** Fault points by configuration; with none configured, `reach` does nothing. */
export const createFaultPoints = ({ home, faultPoints }: { home: string; faultPoints: readonly string[] }): FaultPoints => ({
  reach: (name) => {
    if (faultPoints.includes(name) && isFirst(join(home, 'fault-points'), name)) dieNow();
  },
});
