/**
 * Tells whether a process id noted earlier still means the same process. Ids are reused, quickly so in containers,
 * hence the command line and the start time count too: nobody else's process is ever signalled.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export type ProcessIdentity = { pid: number; command: string; startedAt: string };

const fromProc = (pid: number): ProcessIdentity | undefined => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the name in parentheses and may hold spaces: count from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z') return undefined;
  const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
  return { pid, command, startedAt: fields[19] ?? '' };
};

const fromPs = (pid: number): ProcessIdentity | undefined => {
  const answer = spawnSync('ps', ['-o', 'stat=,lstart=,command=', '-p', String(pid)], { encoding: 'utf8' });
  const match = /^(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(.*)$/.exec((answer.stdout ?? '').trim());
  if (match === null || match[1]?.startsWith('Z') === true) return undefined;
  return { pid, command: match[3] ?? '', startedAt: match[2] ?? '' };
};

/** Identity of the live process `pid`, or undefined when there is none (a zombie counts as none). */
export const identityOf = (pid: number): ProcessIdentity | undefined => {
  try {
    return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
  } catch {
    return undefined;
  }
};

/** True when the process that was noted as `noted` is still alive. */
export const isStillRunning = (noted: ProcessIdentity): boolean => {
  const now = identityOf(noted.pid);
  return now !== undefined && now.startedAt === noted.startedAt && now.command === noted.command;
};
