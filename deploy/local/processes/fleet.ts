/** The processes of one stack by name: adds them, notes them in the home at each change, and stops them in order. */
import { join } from 'node:path';
import { createLogLines, type LogLines } from './log-lines.ts';
import { removeProcessTable, writeProcessTable } from './process-table.ts';
import type { Program } from './program.ts';
import { SupervisedProcess, type ProcessState } from './supervised-process.ts';

/** Told every line of every process; `name` is the process. */
export type Log = (name: string, line: string) => void;

/** Control of single processes, for tests that break things. Every function throws for an unknown name. */
export type Processes = {
  names: () => string[];
  /** Process id, or undefined while it is dead. */
  pid: (name: string) => number | undefined;
  state: (name: string) => ProcessState;
  /** Sends a signal (default SIGKILL); what dies of it is started again. @throws Error when it is not running */
  kill: (name: string, signal?: NodeJS.Signals) => void;
  /** Kills it with SIGKILL and keeps it dead until `resume`. */
  pause: (name: string) => Promise<void>;
  /** Starts a paused process; resolves when it is ready. */
  resume: (name: string) => Promise<void>;
  /** Stops it cleanly and starts it; resolves when it is ready. */
  restart: (name: string) => Promise<void>;
  /** Resolves when it is ready. @throws Error with its last log lines after `timeoutMs` (default 60 s) */
  waitReady: (name: string, timeoutMs?: number) => Promise<void>;
};

export type Fleet = {
  /** Starts a program and keeps it running; resolves when it is ready. */
  add: (program: Program) => Promise<void>;
  processes: Processes;
  /** Stops everything, in the order of `order`; each process has its own bound, or `graceMs`. */
  stop: (graceMs?: number) => Promise<void>;
};

export type FleetOptions = {
  home: string;
  log: Log;
  /** Bound on the way of one process to readiness. */
  readyMs: number;
  /** Aborts waiting for readiness. */
  signal?: AbortSignal;
};

/** First no new work, then the work that runs, then what it stands on. */
const order: readonly RegExp[] = [/^api$/, /^worker-/, /^gateway-/, /^temporal$/, /^postgres$/];

type Entry = { process: SupervisedProcess; log: LogLines };

const controls = (find: (name: string) => SupervisedProcess, names: () => string[], readyMs: number): Processes => {
  const begin = async (name: string): Promise<void> => {
    find(name).start();
    await find(name).waitReady(readyMs);
  };
  return {
    names,
    pid: (name) => find(name).pid,
    state: (name) => find(name).state,
    kill: (name, signal = 'SIGKILL') => find(name).kill(signal),
    pause: (name) => find(name).pause(),
    resume: begin,
    restart: async (name) => {
      await find(name).stop();
      await begin(name);
    },
    waitReady: (name, timeoutMs = readyMs) => find(name).waitReady(timeoutMs),
  };
};

/** An empty fleet that keeps its notes and logs in `home`. */
export const createFleet = ({ home, log, readyMs, signal }: FleetOptions): Fleet => {
  const entries = new Map<string, Entry>();
  const alive = (): Record<string, number> =>
    Object.fromEntries([...entries].flatMap(([name, { process }]) => (process.pid === undefined ? [] : [[name, process.pid]])));
  const find = (name: string): SupervisedProcess => {
    const entry = entries.get(name);
    if (entry === undefined) throw new Error(`there is no process "${name}": there are ${[...entries.keys()].join(', ')}`);
    return entry.process;
  };
  /** A full disk must not end the supervisor: what it watches over goes on, only the note is old. */
  const noteChange = (): void => {
    try {
      writeProcessTable(home, alive());
    } catch (error) {
      log('supervisor', `the processes could not be noted in ${home}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const add = async (program: Program): Promise<void> => {
    signal?.throwIfAborted();
    const lines = createLogLines(join(home, 'logs', `${program.name}.log`), (line) => log(program.name, line));
    const process = new SupervisedProcess(program, lines, noteChange);
    entries.set(program.name, { process, log: lines });
    process.start();
    await process.waitReady(readyMs, signal);
  };
  const stop = async (graceMs?: number): Promise<void> => {
    for (const step of order) {
      const together = [...entries].filter(([name]) => step.test(name));
      await Promise.all(together.map(([, { process }]) => process.stop(graceMs)));
    }
    for (const { log: lines } of entries.values()) lines.close();
    removeProcessTable(home);
  };
  return { add, processes: controls(find, () => [...entries.keys()], readyMs), stop };
};
