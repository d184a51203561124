/** Resident memory of the DuckDB processes that this process started, as the kernel counts it. */
import { readdirSync, readFileSync } from 'node:fs';

const statusOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
};

const fieldOf = (status: string, name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);

/** Bytes of all children now. */
const childrenBytes = (): number =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(statusOf)
    .filter((status) => fieldOf(status, 'PPid') === process.pid)
    .reduce((sum, status) => sum + fieldOf(status, 'VmRSS') * 1_024, 0);

/** Does the work and tells the most that its processes had at one moment, looked at 20 times a second. */
export const withHighestMemory = async <T>(work: () => Promise<T>): Promise<{ result: T; bytes: number }> => {
  let bytes = 0;
  const watch = setInterval(() => (bytes = Math.max(bytes, childrenBytes())), 50);
  try {
    const result = await work();
    return { result, bytes };
  } finally {
    clearInterval(watch);
  }
};
