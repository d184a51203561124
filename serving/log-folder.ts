/**
 * Files of the prediction log. `<name>.open` is being written by the process whose id is in its name; `<name>.log` is closed and waits to be shipped.
 */
import { open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';

const OPEN = '.open';
const CLOSED = '.log';

/** Names sort by the time at which they were begun. */
export const openFileName = (sequence: number): string =>
  `${new Date().toISOString().replace(/[-:.]/g, '')}-${process.pid}-${String(sequence).padStart(6, '0')}${OPEN}`;

export const closedPath = (openPath: string): string => `${openPath.slice(0, -OPEN.length)}${CLOSED}`;

/** Makes a new name in the folder survive a power cut. */
export const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

export const listClosed = async (folder: string): Promise<string[]> => (await readdir(folder)).filter((name) => name.endsWith(CLOSED)).sort();

const isAlive = (pid: number): boolean => {
  // Our own id in an old name is that of a dead process: we have only just begun.
  if (pid === process.pid || !Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/**
 * Closes what dead processes left open. With `force` also files of a process that seems to live, for a process id that somebody
 * else has got meanwhile. Returns the names that were left alone.
 */
export const closeLeftOver = async (folder: string, mine: string | undefined, { force }: { force: boolean }): Promise<string[]> => {
  const left: string[] = [];
  for (const name of (await readdir(folder)).filter((entry) => entry.endsWith(OPEN))) {
    const path = join(folder, name);
    if (path === mine) continue;
    if (!force && isAlive(Number(name.split('-')[1]))) left.push(name);
    else await rename(path, closedPath(path));
  }
  return left;
};
