/** I7: nothing is left of what died: no process outside the supervisor's tree, no scratch folder older than a minute. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stack } from '../../deploy/local/stack.ts';
import type { Violation } from './invariants.ts';

const OLD_MS = 60_000;

type ProcessRow = { pid: number; parent: number; command: string };

/** Parent process id from /proc/<pid>/stat: the second field after the command's closing parenthesis. */
const parentOf = (stat: string): number => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);

const processTable = async (): Promise<ProcessRow[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const rows = await Promise.all(
    pids.map(async (pid) => {
      try {
        const [status, command] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), readFile(`/proc/${pid}/cmdline`, 'utf8')]);
        return { pid: Number(pid), parent: parentOf(status), command: command.replaceAll('\0', ' ') };
      } catch {
        return undefined; // it ended meanwhile
      }
    }),
  );
  return rows.filter((row) => row !== undefined);
};

/** Trainers whose worker is gone: they name a folder of this home and belong to process 1. */
const orphans = async (home: string): Promise<Violation[]> =>
  (await processTable())
    .filter(({ parent, command }) => parent === 1 && command.includes(home) && !command.includes('postgres'))
    .map(({ pid, command }) => ({ invariant: 'I7', what: `process ${pid} has no parent: ${command.slice(0, 120)}` }));

const oldScratch = async (home: string): Promise<Violation[]> => {
  const folder = join(home, 'scratch');
  const names = await readdir(folder).catch(() => []);
  const ages = await Promise.all(names.map(async (name) => ({ name, mtimeMs: (await stat(join(folder, name)).catch(() => undefined))?.mtimeMs ?? Date.now() })));
  return ages.filter(({ mtimeMs }) => Date.now() - mtimeMs > OLD_MS).map(({ name }) => ({ invariant: 'I7', what: `the scratch folder ${name} was left` }));
};

export const leftovers = async (stack: Stack): Promise<Violation[]> => {
  const { home } = stack.config;
  return [...(await orphans(home)), ...(await oldScratch(home))];
};
