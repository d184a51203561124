/** Scratch folders: room for the files of one activity attempt, removed when it ends, or after a crash at the next start. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Makes a folder whose name starts with `purpose`; `dispose` removes it with everything in it and may be called again. */
export type CreateScratch = (purpose: string) => Promise<{ folder: string; dispose(): Promise<void> }>;

/** A live process other than this one: this one has only begun, and what bears its number is of an earlier one (in a container all are 1). */
const isOtherLiveProcess = (pid: number): boolean => {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to someone else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** A folder is left over when its process is gone: the worker that takes the place of a killed one finds it at its start. */
const removeLeftOvers = (root: string): void => {
  for (const name of readdirSync(root)) {
    const owner = /\.(\d+)\.[A-Za-z0-9]{6}$/.exec(name)?.[1];
    const path = join(root, name);
    if (owner !== undefined && !isOtherLiveProcess(Number(owner))) rmSync(path, { recursive: true, force: true });
  }
};

/**
 * Opens the folder of all scratch folders of a machine and removes left-over ones.
 * @throws Error of the file system when `root` cannot be made
 */
export const createScratch = (root: string): CreateScratch => {
  mkdirSync(root, { recursive: true });
  removeLeftOvers(root);
  return async (purpose) => {
    const folder = await mkdtemp(join(root, `${purpose.replace(/[^A-Za-z0-9-]/g, '-')}.${process.pid}.`));
    return { folder, dispose: () => rm(folder, { recursive: true, force: true }) };
  };
};
