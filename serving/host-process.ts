/** The gateway's handle of one model host process. */
import { fork, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ModelSignature } from '../contracts/features.ts';
import { PerennialFailure } from '../domain/failure.ts';
import type { ColumnData } from '../domain/tensor-columns.ts';
import type { HostAnswer, HostRequest } from './host-messages.ts';

/** A model version as a host loads it: a file that holds exactly the bytes of this hash. */
export type HostedModel = { path: string; sha256: string; signature: ModelSignature };

export type HostLimits = {
  /** Longest time from start to ready, warm-up included. */
  loadMs: number;
  memoryLimitBytes: number;
  threads: number;
};

export const HOST_LIMITS: HostLimits = { loadMs: 60_000, memoryLimitBytes: 2 * 1024 ** 3, threads: 1 };

/** The loader by its full address: a bare name would be looked up from the working directory. */
export const LOADER_ARGUMENTS = ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href];

/** Child processes see no secret: of the environment only what Node needs. */
export const bareEnvironment = (): NodeJS.ProcessEnv => ({ PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: process.env['TMPDIR'], LANG: 'C.UTF-8' });

const LONGEST_TAIL = 2_000;

type Pending = { resolve: (answer: HostAnswer) => void; reject: (error: Error) => void };

export class HostProcess {
  readonly #child: ChildProcess;
  #pending: Pending | undefined;
  #lost: PerennialFailure | undefined;
  #stderr = '';
  #onLost: (reason: PerennialFailure) => void = () => undefined;

  private constructor() {
    this.#child = fork(fileURLToPath(new URL('./model-host.ts', import.meta.url)), [], {
      execArgv: LOADER_ARGUMENTS,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: bareEnvironment(),
    });
    this.#child.on('message', (answer: HostAnswer) => this.#settle((pending) => pending.resolve(answer)));
    this.#child.on('error', (error) => this.#end(`cannot be started: ${error.message}`));
    this.#child.on('exit', (code, signal) => this.#end(`ended with ${signal ?? `code ${code}`}`));
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(-LONGEST_TAIL);
    });
  }

  /**
   * Starts a process, loads the model and runs the warm-up.
   * @throws PerennialFailure ModelRefused, ArtifactCorrupt or GatewayLoadFailed; the process is gone then
   */
  static async start(model: HostedModel, limits: HostLimits): Promise<HostProcess> {
    const host = new HostProcess();
    const timer = setTimeout(() => host.kill(`did not load the model and answer a warm-up within ${limits.loadMs} ms`), limits.loadMs);
    try {
      const answer = await host.#ask({ type: 'load', ...model, threads: limits.threads, memoryLimitBytes: limits.memoryLimitBytes });
      if (answer.type === 'failed') throw new PerennialFailure(answer.code === 'Internal' ? 'GatewayLoadFailed' : answer.code, answer.message);
      return host;
    } catch (error) {
      host.kill('is not needed');
      const isLost = error instanceof PerennialFailure && error.code === 'ModelUnavailable';
      throw isLost ? new PerennialFailure('GatewayLoadFailed', error.message, { cause: error }) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** What the process last wrote to its error stream, for the gateway's log. */
  get stderrTail(): string {
    return this.#stderr;
  }

  /** Calls back once when the process is lost; at once when it is already. */
  onLost(callback: (reason: PerennialFailure) => void): void {
    this.#onLost = callback;
    if (this.#lost !== undefined) callback(this.#lost);
  }

  /**
   * Scores one batch; only one at a time.
   * @throws PerennialFailure ModelFailed when the model errs, ModelUnavailable when the process is lost
   */
  async run(rows: number, tensors: ColumnData[]): Promise<ColumnData[]> {
    const answer = await this.#ask({ type: 'run', rows, tensors });
    if (answer.type === 'outputs') return answer.tensors;
    throw new PerennialFailure('ModelFailed', answer.type === 'failed' ? answer.message : 'the host gave no answer');
  }

  /** Ends the process at once; a batch that runs fails as lost, for this reason. */
  kill(why: string): void {
    this.#end(why);
  }

  #ask(request: HostRequest): Promise<HostAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#lost);
      this.#pending = { resolve, reject };
      this.#child.send(request, (error) => {
        if (error !== null) this.#end('cannot be reached');
      });
    });
  }

  #settle(how: (pending: Pending) => void): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending !== undefined) how(pending);
  }

  #end(why: string): void {
    if (this.#lost !== undefined) return;
    const lost = new PerennialFailure('ModelUnavailable', `the model host ${why}`);
    this.#lost = lost;
    this.#child.kill('SIGKILL');
    this.#settle((pending) => pending.reject(lost));
    this.#onLost(lost);
  }
}
