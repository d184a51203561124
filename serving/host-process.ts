/** The gateway's handle of one model host process. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ModelSignature } from '../contracts/features.ts';
import { PerennialFailure } from '../domain/failure.ts';
import type { ColumnData } from '../domain/tensor-columns.ts';
import type { Rows } from './batch.ts';
import { createFrameReader, jsonFrame, readJson, readTensors, tensorFrame, type Frame } from './host-frames.ts';
import type { HostNotice, LoadRequest } from './host-messages.ts';

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

type Pending = { resolve: (answer: Frame) => void; reject: (error: Error) => void };

export class HostProcess {
  readonly #model: HostedModel;
  readonly #child: ChildProcess;
  readonly #socket: Duplex;
  /** Who waits for an answer, in the order of the questions: that is the order in which the host answers. */
  readonly #pending: Pending[] = [];
  #lost: PerennialFailure | undefined;
  #stderr = '';
  #onLost: (reason: PerennialFailure) => void = () => undefined;

  private constructor(model: HostedModel) {
    this.#model = model;
    this.#child = spawn(process.execPath, [...LOADER_ARGUMENTS, fileURLToPath(new URL('./model-host.ts', import.meta.url))], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      env: bareEnvironment(),
    });
    this.#socket = this.#child.stdio[3] as Duplex;
    const read = createFrameReader((frame) => this.#pending.shift()?.resolve(frame));
    this.#socket.on('data', (chunk: Buffer) => {
      try {
        read(chunk);
      } catch {
        this.#end('sent what is no answer');
      }
    });
    this.#socket.on('error', () => this.#end('cannot be reached'));
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
    const host = new HostProcess(model);
    const timer = setTimeout(() => host.kill(`did not load the model and answer a warm-up within ${limits.loadMs} ms`), limits.loadMs);
    try {
      const request: LoadRequest = { ...model, threads: limits.threads, memoryLimitBytes: limits.memoryLimitBytes };
      const answer = readJson((await host.#ask(jsonFrame(request))).payload) as HostNotice;
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
   * Scores the rows of all parts as one batch. Further batches may be sent before it is done; they are scored in their order.
   * @throws PerennialFailure ModelFailed when the model errs, ModelUnavailable when the process is lost
   */
  async run(parts: readonly Rows[]): Promise<ColumnData[]> {
    const { signature } = this.#model;
    const { kind, payload } = await this.#ask(tensorFrame(signature.inputs, parts));
    if (kind === 'tensors') return readTensors(signature.outputs, payload).tensors;
    const notice = readJson(payload) as HostNotice;
    throw new PerennialFailure('ModelFailed', notice.type === 'failed' ? notice.message : 'the host gave no answer');
  }

  /** Ends the process at once; a batch that runs fails as lost, for this reason. */
  kill(why: string): void {
    this.#end(why);
  }

  #ask(frame: Buffer): Promise<Frame> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#lost);
      this.#pending.push({ resolve, reject });
      this.#socket.write(frame);
    });
  }

  #end(why: string): void {
    if (this.#lost !== undefined) return;
    const lost = new PerennialFailure('ModelUnavailable', `the model host ${why}`);
    this.#lost = lost;
    this.#child.kill('SIGKILL');
    this.#socket.destroy();
    for (const pending of this.#pending.splice(0)) pending.reject(lost);
    this.#onLost(lost);
  }
}
