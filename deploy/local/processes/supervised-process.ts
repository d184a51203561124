/**
 * One process that is kept running: started again when it dies, with a growing pause between, until it is paused or
 * stopped.
 *
 * Each process leads a process group of its own. So Ctrl-C in a terminal reaches the supervisor alone, which then
 * stops things in order, and whatever a dead process left behind in its group is ended with it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { childEnvironment } from '../tools/machine.ts';
import type { LogLines } from './log-lines.ts';
import type { Program } from './program.ts';

export type ProcessState = 'starting' | 'ready' | 'dead' | 'paused' | 'stopped';

const firstPauseMs = 200;
const longestPauseMs = 5_000;
const healthyAfterMs = 10_000;
const pollMs = 50;
/** A process that never was ready and died this often will not come up by itself. */
const earlyDeaths = 3;

/** Ends whatever is left of the group that `pid` led; the leader itself is gone already. */
const endGroup = (pid: number): void => {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left.
  }
};

export class SupervisedProcess {
  readonly program: Program;
  readonly #log: LogLines;
  readonly #onChange: () => void;
  #child: ChildProcess | undefined;
  #state: ProcessState = 'stopped';
  #pauseMs = firstPauseMs;
  #readyAt: number | undefined;
  #wasReady = false;
  #deaths = 0;
  #restart: NodeJS.Timeout | undefined;

  constructor(program: Program, log: LogLines, onChange: () => void) {
    this.program = program;
    this.#log = log;
    this.#onChange = onChange;
  }

  get state(): ProcessState {
    return this.#state;
  }

  /** Process id while it is alive. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it and keeps it running; returns at once. */
  start(): void {
    if (this.#child !== undefined) return;
    clearTimeout(this.#restart);
    this.#state = 'starting';
    void this.#launch();
  }

  async #launch(): Promise<void> {
    try {
      await this.program.prepare?.();
    } catch (error) {
      this.#log.note(`could not be prepared: ${error instanceof Error ? error.message : String(error)}`);
      this.#died();
      return;
    }
    // Stopped or paused meanwhile.
    if (this.#state !== 'starting' || this.#child !== undefined) return;
    this.#spawn();
  }

  #spawn(): void {
    const { command, cwd, environment, user, ready } = this.program;
    const [file = '', ...args] = command;
    const child = spawn(file, args, { cwd, env: childEnvironment(environment), stdio: ['ignore', 'pipe', 'pipe'], detached: true, ...user });
    child.once('error', (error) => {
      this.#log.note(`could not be started: ${error.message}`);
      if (child.pid === undefined) this.#ended(child);
    });
    if (child.pid === undefined) return;
    this.#child = child;
    child.once('exit', (code, signal) => {
      this.#log.note(`ended with ${signal ?? `exit code ${code}`}`);
      this.#ended(child);
    });
    if ('line' in ready) this.#watchForLine(child, ready.line);
    else void this.#probe(child, ready.probe);
    this.#log.follow(child.stdout);
    this.#log.follow(child.stderr);
    this.#onChange();
  }

  #watchForLine(child: ChildProcess, isReady: (text: string) => boolean): void {
    let text = '';
    const watch = (chunk: Buffer): void => {
      text = (text + chunk.toString('utf8')).slice(-65_536);
      if (text.split('\n').some(isReady)) {
        child.stdout?.off('data', watch);
        this.#markReady(child);
      }
    };
    child.stdout?.on('data', watch);
  }

  async #probe(child: ChildProcess, isReady: () => Promise<boolean>): Promise<void> {
    while (this.#child === child && this.#state === 'starting') {
      if (await isReady().catch(() => false)) this.#markReady(child);
      else await delay(100);
    }
  }

  #markReady(child: ChildProcess): void {
    if (this.#child !== child || this.#state !== 'starting') return;
    this.#state = 'ready';
    this.#readyAt = Date.now();
    this.#wasReady = true;
    this.#onChange();
  }

  #ended(child: ChildProcess): void {
    if (child.pid !== undefined) endGroup(child.pid);
    if (this.#child !== undefined && this.#child !== child) return;
    this.#child = undefined;
    if (this.#state === 'starting' || this.#state === 'ready') this.#died();
    this.#onChange();
  }

  #died(): void {
    const wasHealthy = this.#readyAt !== undefined && Date.now() - this.#readyAt >= healthyAfterMs;
    if (wasHealthy) this.#pauseMs = firstPauseMs;
    this.#readyAt = undefined;
    this.#deaths += 1;
    this.#state = 'dead';
    this.#log.note(`is started again in ${this.#pauseMs / 1000} s`);
    this.#restart = setTimeout(() => this.start(), this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
  }

  /**
   * Resolves when it is ready.
   * @throws Error with its last log lines when that takes longer than `timeoutMs`, or it cannot come up at all
   */
  async waitReady(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (this.#state !== 'ready') {
      signal?.throwIfAborted();
      if (!this.#wasReady && this.#deaths >= earlyDeaths) throw this.#failure(`died ${this.#deaths} times before it was ready`);
      if (Date.now() > deadline) throw this.#failure(`was not ready after ${Math.round(timeoutMs / 1000)} s (it is ${this.#state})`);
      await delay(pollMs);
    }
  }

  #failure(what: string): Error {
    const lines = this.#log.last().map((line) => `  ${line}`);
    return new Error(`${this.program.name} ${what}. Its last lines:\n${lines.join('\n')}`);
  }

  /** Sends a signal. @throws Error when it is not running */
  kill(signal: NodeJS.Signals): void {
    const pid = this.pid;
    if (pid === undefined) throw new Error(`${this.program.name} is not running`);
    process.kill(pid, signal);
  }

  /** Kills it (`kill -9`) and keeps it dead until `start`. */
  async pause(): Promise<void> {
    await this.#end('paused', 'SIGKILL', 0);
  }

  /** Asks it to end, kills it after `graceMs` (default: its own bound), and starts it no more until `start`. */
  async stop(graceMs?: number): Promise<void> {
    await this.#end('stopped', this.program.stopSignal, graceMs ?? this.program.stopMs);
  }

  async #end(state: ProcessState, signal: NodeJS.Signals, graceMs: number): Promise<void> {
    this.#state = state;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child === undefined) return;
    child.kill(signal);
    // A process halted by SIGSTOP sees its signal only when it goes on.
    child.kill('SIGCONT');
    const deadline = Date.now() + graceMs;
    while (this.#child === child && Date.now() < deadline) await delay(pollMs);
    if (this.#child === child) child.kill('SIGKILL');
    while (this.#child === child) await delay(pollMs);
  }
}
