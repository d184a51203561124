/** Keeps the host process of one model version alive: a lost one is replaced, at once at first and after longer and longer waits when it keeps dying. */
import type { Logger } from 'pino';
import type { PerennialFailure } from '../domain/failure.ts';
import { HOST_LIMITS, HostProcess, type HostedModel, type HostLimits } from './host-process.ts';

const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 10_000;
const HEALTHY_AFTER_MS = 30_000;
/** After this many deaths in a row nobody waits for the host: requests are refused at once until it is back. */
const DEATHS_UNTIL_REFUSAL = 3;

export type HostEvents = {
  /** A host is there. */
  up(): void;
  /** The host is lost; another one is being started. */
  lost(reason: PerennialFailure): void;
  /** The host keeps dying. */
  givenUp(): void;
};

export type SupervisedHostOptions = { name: string; log: Logger; limits?: HostLimits };

export class SupervisedHost {
  /** Host processes that were lost. */
  restarts = 0;
  readonly #model: HostedModel;
  readonly #options: SupervisedHostOptions;
  readonly #events: HostEvents;
  #process: HostProcess | undefined;
  #isClosed = false;
  #deaths = 0;
  #startedAt = 0;
  #restart: NodeJS.Timeout | undefined;

  constructor(model: HostedModel, options: SupervisedHostOptions, events: HostEvents) {
    this.#model = model;
    this.#options = options;
    this.#events = events;
  }

  /** The living host. */
  get current(): HostProcess | undefined { return this.#process; }

  /** True while the host is away and has died so often that nobody should wait for it. */
  get isGivenUp(): boolean { return this.#process === undefined && this.#deaths >= DEATHS_UNTIL_REFUSAL; }

  /**
   * Starts the first host process.
   * @throws PerennialFailure when the model is refused or its process dies; nothing is left running then
   */
  async start(): Promise<void> {
    this.#adopt(await this.#launch());
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#restart);
    this.#process?.kill('is not needed any more');
  }

  #launch(): Promise<HostProcess> {
    return HostProcess.start(this.#model, this.#options.limits ?? HOST_LIMITS);
  }

  #adopt(host: HostProcess): void {
    if (this.#isClosed) return host.kill('is not needed any more');
    this.#process = host;
    this.#startedAt = performance.now();
    host.onLost((reason) => this.#replace(host, reason));
    this.#events.up();
  }

  #replace(host: HostProcess, reason: PerennialFailure): void {
    this.#process = undefined;
    if (this.#isClosed) return;
    if (performance.now() - this.#startedAt > HEALTHY_AFTER_MS) this.#deaths = 0;
    this.restarts += 1;
    this.#options.log.warn({ version: this.#options.name, pid: host.pid, stderr: host.stderrTail }, reason.message);
    this.#events.lost(reason);
    this.#restartAfter(this.#deaths === 0 ? 0 : FIRST_BACKOFF_MS * 2 ** this.#deaths);
    this.#deaths += 1;
  }

  #restartAfter(ms: number): void {
    if (this.#deaths >= DEATHS_UNTIL_REFUSAL) this.#events.givenUp();
    this.#restart = setTimeout(() => {
      this.#launch().then(
        (host) => this.#adopt(host),
        (error: Error) => {
          if (this.#isClosed) return;
          this.#deaths += 1;
          this.#options.log.warn({ version: this.#options.name }, `the model host could not be started again: ${error.message}`);
          this.#restartAfter(FIRST_BACKOFF_MS * 2 ** this.#deaths);
        },
      );
    }, Math.min(ms, LONGEST_BACKOFF_MS));
  }
}
