/**
 * What the supervisor notes of its processes in the home folder: `processes.json` ({name: pid}, for people and the
 * fault suite) and, beside it, enough to recognise them again should the supervisor be killed and leave them behind.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { identityOf, isStillRunning, type ProcessIdentity } from '../tools/process-identity.ts';

const pidsFile = (home: string): string => join(home, 'processes.json');
const identitiesFile = (home: string): string => join(home, 'process-identities.json');

const replace = (path: string, content: unknown): void => {
  writeFileSync(`${path}.new`, `${JSON.stringify(content, undefined, 2)}\n`);
  renameSync(`${path}.new`, path);
};

/** Notes which processes live now. */
export const writeProcessTable = (home: string, pids: Record<string, number>): void => {
  replace(pidsFile(home), pids);
  const identities = Object.entries(pids).flatMap(([name, pid]) => {
    const identity = identityOf(pid);
    return identity === undefined ? [] : [[name, identity] as const];
  });
  replace(identitiesFile(home), Object.fromEntries(identities));
};

export const removeProcessTable = (home: string): void => {
  rmSync(pidsFile(home), { force: true });
  rmSync(identitiesFile(home), { force: true });
};

/** Processes of an earlier supervisor that are alive still, by name. */
export const leftoverProcesses = (home: string): Record<string, ProcessIdentity> => {
  let noted: Record<string, ProcessIdentity>;
  try {
    noted = JSON.parse(readFileSync(identitiesFile(home), 'utf8')) as Record<string, ProcessIdentity>;
  } catch {
    return {};
  }
  return Object.fromEntries(Object.entries(noted).filter(([, identity]) => isStillRunning(identity)));
};

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // It ended in this moment.
  }
};

/** Ends what an earlier, killed supervisor left behind: asked first, killed with its group after `graceMs`. */
export const endLeftovers = async (home: string, log: (line: string) => void, graceMs = 5_000): Promise<void> => {
  const leftovers = leftoverProcesses(home);
  for (const [name, { pid }] of Object.entries(leftovers)) {
    log(`${name} (process ${pid}) was left by an earlier supervisor: it is ended`);
    signal(pid, 'SIGCONT');
    // PostgreSQL waits for its clients on SIGTERM; SIGINT is its clean and quick end.
    signal(pid, name === 'postgres' ? 'SIGINT' : 'SIGTERM');
  }
  const deadline = Date.now() + graceMs;
  const alive = (): ProcessIdentity[] => Object.values(leftovers).filter(isStillRunning);
  while (alive().length > 0 && Date.now() < deadline) await delay(50);
  for (const { pid } of alive()) signal(-pid, 'SIGKILL');
  while (alive().length > 0) await delay(50);
};
