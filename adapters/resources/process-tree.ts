/** What processes use, as the kernel tells it under /proc. Where there is no /proc (not Linux), nobody is seen and everything is zero. */
import { readdirSync, readFileSync } from 'node:fs';

/** The kernel's clock ticks are hundredths of a second on every architecture that Node runs on (USER_HZ). */
const TICKS_PER_SECOND = 100;

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It ended meanwhile, or there is no /proc.
    return undefined;
  }
};

/** Fields of /proc/<pid>/stat from the third on: the second, the name, may hold spaces and parentheses. See proc(5). */
const statOf = (pid: number | 'self'): string[] | undefined => {
  const text = read(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
};

const seconds = (fields: string[] | undefined, first: number): number => (Number(fields?.[first] ?? 0) + Number(fields?.[first + 1] ?? 0)) / TICKS_PER_SECOND;

/** CPU seconds of all children of this process that ended and were waited for, with theirs in turn (cutime and cstime). */
export const endedChildrenCpuSeconds = (): number => seconds(statOf('self'), 13);

/** User, system, and what ended children of its own had. */
const cpuSecondsOf = (fields: string[]): number => seconds(fields, 11) + seconds(fields, 13);

const kilobytes = (status: string | undefined, field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status ?? '')?.[1] ?? 0);

const childrenOf = (pid: number): number[] => {
  let tasks: string[];
  try {
    tasks = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  // A child is listed under the thread that made it.
  return tasks.flatMap((task) => (read(`/proc/${pid}/task/${task}/children`) ?? '').split(' ').filter(Boolean).map(Number));
};

export type TreeUse = { pids: number[]; cpuSeconds: number; memoryBytes: number; highestMemoryBytes: number };

/**
 * A process with all that came from it, now: CPU seconds, resident memory, and the highest resident memory of any one of them.
 * Empty when it has ended.
 */
export const readTree = (root: number): TreeUse => {
  const use: TreeUse = { pids: [], cpuSeconds: 0, memoryBytes: 0, highestMemoryBytes: 0 };
  const open = [root];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    const fields = statOf(pid);
    if (fields === undefined || use.pids.includes(pid)) continue;
    const status = read(`/proc/${pid}/status`);
    use.pids.push(pid);
    use.cpuSeconds += cpuSecondsOf(fields);
    use.memoryBytes += kilobytes(status, 'VmRSS') * 1_024;
    use.highestMemoryBytes = Math.max(use.highestMemoryBytes, kilobytes(status, 'VmHWM') * 1_024);
    open.push(...childrenOf(pid));
  }
  return use;
};
