/** A lock file that names its holder, so that one left by a dead process is seen through and taken over. */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { identityOf, isStillRunning, type ProcessIdentity } from './process-identity.ts';

export type LockHolder = ProcessIdentity & { host: string };

export type LockAttempt = { release: () => void } | { heldBy: LockHolder };

const self = (): LockHolder => ({
  ...(identityOf(process.pid) ?? { pid: process.pid, command: '', startedAt: '' }),
  host: hostname(),
});

const readHolder = (path: string): LockHolder | undefined => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as LockHolder;
  } catch {
    return undefined;
  }
};

/** A holder on another machine (a home on a network disk) cannot be looked up: it counts as alive. */
const isAlive = (holder: LockHolder): boolean => holder.host !== hostname() || isStillRunning(holder);

/** Who holds the lock at `path` now, if anybody alive does. */
export const lockHolder = (path: string): LockHolder | undefined => {
  const holder = readHolder(path);
  return holder !== undefined && isAlive(holder) ? holder : undefined;
};

/** Takes the lock at `path`, or says who holds it. A lock whose holder is dead is taken over. */
export const tryLock = (path: string): LockAttempt => {
  mkdirSync(dirname(path), { recursive: true });
  const mine = `${path}.${randomUUID()}`;
  writeFileSync(mine, JSON.stringify(self()));
  try {
    for (;;) {
      try {
        // A hard link fails when the name exists, and what it shows is complete from the first moment.
        linkSync(mine, path);
        return { release: () => rmSync(path, { force: true }) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const heldBy = lockHolder(path);
      if (heldBy !== undefined) return { heldBy };
      takeAway(path);
    }
  } finally {
    rmSync(mine, { force: true });
  }
};

/** Renames before it removes: of two that see the same dead holder one alone wins, and a live lock caught by it is put back. */
const takeAway = (path: string): void => {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
    if (lockHolder(aside) !== undefined) linkSync(aside, path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
};

/** Runs `work` under the lock at `path`; waits while a live process holds it and tells `onWait` once. */
export const withLock = async <T>(
  options: { path: string; onWait?: (holder: LockHolder) => void },
  work: () => Promise<T>,
): Promise<T> => {
  for (let waited = false; ; waited = true) {
    const attempt = tryLock(options.path);
    if ('release' in attempt) {
      try {
        return await work();
      } finally {
        attempt.release();
      }
    }
    if (!waited) options.onWait?.(attempt.heldBy);
    await delay(250);
  }
};
