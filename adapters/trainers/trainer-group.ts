/** One training as a process group: started, followed, stopped, and gone at the end with everything that it forked. */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { StopReason, TrainerEnd } from './ending.ts';

const WATCH = fileURLToPath(new URL('watch.mjs', import.meta.url));
/** What is still in the pipes is read for this long; a process that left the group may hold them open for ever. */
const DRAIN_MS = 2_000;

export type TrainerGroup = {
  command: string[];
  environment: NodeJS.ProcessEnv;
  graceMs: number;
  deadlineMs: number;
  signal: AbortSignal;
  onOutput: (chunk: Buffer, stream: 'stdout' | 'stderr') => void;
  onProgress: (chunk: Buffer) => void;
};

const isAlive = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;

/** The leader is alive or has just ended and was not waited for by others: so its number is still that of its group. */
const signalGroup = (child: ChildProcess, signal: NodeJS.Signals): void => {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

/** Asks the group to end, kills it when the grace is over, and remembers why. */
const createStopper = (child: ChildProcess, graceMs: number): { stop: (reason: Exclude<StopReason, null>) => void; reason: () => StopReason; over: () => void } => {
  let reason: StopReason = null;
  let kill: NodeJS.Timeout | undefined;
  return {
    stop: (why) => {
      if (reason !== null || !isAlive(child)) return;
      reason = why;
      signalGroup(child, 'SIGTERM');
      kill = setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs);
    },
    reason: () => reason,
    over: () => clearTimeout(kill),
  };
};

const parseEnd = (text: string, child: ChildProcess): TrainerEnd => {
  try {
    return JSON.parse(text) as TrainerEnd;
  } catch {
    return { lost: child.signalCode ?? `exit code ${child.exitCode}` };
  }
};

/** Longest delay of a timer of Node; a later deadline would fire at once. */
const LONGEST_DELAY_MS = 2_147_483_647;

/** Runs the command to its end. It never throws for what the trainer does. */
export const runTrainerGroup = async (group: TrainerGroup): Promise<{ end: TrainerEnd; stopped: StopReason }> => {
  const child = spawn(process.execPath, [WATCH, String(group.graceMs), ...group.command], {
    detached: true,
    env: group.environment,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  let status = '';
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const ended = new Promise<void>((resolve, reject) => child.once('exit', () => resolve()).once('error', reject));
  child.stdin?.on('error', () => undefined);
  child.stdout?.on('data', (chunk: Buffer) => group.onOutput(chunk, 'stdout'));
  child.stderr?.on('data', (chunk: Buffer) => group.onOutput(chunk, 'stderr'));
  (child.stdio[3] as Readable).on('data', group.onProgress).on('error', () => undefined);
  (child.stdio[4] as Readable).on('data', (chunk: Buffer) => (status += chunk.toString('utf8'))).on('error', () => undefined);
  const stopper = createStopper(child, group.graceMs);
  const onAbort = (): void => stopper.stop('asked');
  group.signal.addEventListener('abort', onAbort);
  if (group.signal.aborted) onAbort();
  const deadline = setTimeout(() => stopper.stop('deadline'), Math.min(Math.max(0, group.deadlineMs - Date.now()), LONGEST_DELAY_MS));
  try {
    await ended;
  } finally {
    clearTimeout(deadline);
    stopper.over();
    group.signal.removeEventListener('abort', onAbort);
    signalGroup(child, 'SIGKILL');
  }
  await Promise.race([closed, delay(DRAIN_MS, undefined, { ref: false })]);
  for (const stream of child.stdio) stream?.destroy();
  return { end: parseEnd(status, child), stopped: stopper.reason() };
};
