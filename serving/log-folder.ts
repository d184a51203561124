/**
 * Files of the prediction log. `<name>.open` is being written by the process whose id is in its name; `<name>.log` is closed and waits to be
 * shipped; `<name>.spare` was shipped and is written over by a later file: a commit into blocks that are there already costs the file
 * system no entry in its journal, which is the greater part of its time.
 */
import { open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

const OPEN = '.open';
const CLOSED = '.log';
const SPARE = '.spare';

const MOST_SPARES = 2;
const SMALLEST_SPARE_BYTES = 128 * 1024;

/** Names sort by the time at which they were begun. */
export const openFileName = (sequence: number): string =>
  `${new Date().toISOString().replace(/[-:.]/g, '')}-${process.pid}-${String(sequence).padStart(6, '0')}${OPEN}`;

export const closedPath = (openPath: string): string => `${openPath.slice(0, -OPEN.length)}${CLOSED}`;

/** Goes into the checksum of every line: what an earlier use of the same blocks left behind never matches. */
export const checksumSeed = (path: string): number => crc32(/([^/]*)\.[a-z]+$/.exec(path)?.[1] ?? '');

/** Makes a new name in the folder survive a power cut. */
export const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const list = async (folder: string, suffix: string): Promise<string[]> => (await readdir(folder)).filter((name) => name.endsWith(suffix)).sort();

export const listClosed = (folder: string): Promise<string[]> => list(folder, CLOSED);

/** A file that was shipped becomes a spare, or goes when there are enough or it is too small to be worth it. */
export const retire = async (folder: string, name: string): Promise<void> => {
  const path = join(folder, name);
  const isWanted = (await stat(path)).size >= SMALLEST_SPARE_BYTES && (await list(folder, SPARE)).length < MOST_SPARES;
  if (isWanted) await rename(path, `${path.slice(0, -CLOSED.length)}${SPARE}`);
  else await unlink(path);
};

/** Gives a spare the name of a new file; false when there is none. */
export const takeSpare = async (folder: string, path: string): Promise<boolean> => {
  const [name] = await list(folder, SPARE);
  if (name === undefined) return false;
  await rename(join(folder, name), path);
  return true;
};

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
  for (const name of await list(folder, OPEN)) {
    const path = join(folder, name);
    if (path === mine) continue;
    if (!force && isAlive(Number(name.split('-')[1]))) left.push(name);
    else await rename(path, closedPath(path));
  }
  return left;
};
