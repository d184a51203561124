/**
 * One served model version: a queue of requests in front of a host process that may die.
 *
 * While the host works, requests gather; the next batch takes what has gathered, as far as it fits the time that a batch may take.
 * A batch that fails is tried again request by request, so that one bad row fails only its own request. A host that dies or is late is
 * replaced; requests that were with it are tried once more, alone, unless their sender prefers to be told at once.
 */
import type { Logger } from 'pino';
import { PerennialFailure } from '../domain/failure.ts';
import type { ColumnData } from '../domain/tensor-columns.ts';
import { joinRows, sliceRows, type Rows } from './batch.ts';
import { HOST_LIMITS, HostProcess, type HostedModel, type HostLimits } from './host-process.ts';
import { newDurations, observe } from './scraped-histogram.ts';
import { stayAwake } from './stay-awake.ts';

export const MAX_QUEUE_REQUESTS = 1_024;
const MAX_QUEUE_ROWS = 50_000;
const MOST_BATCH_ROWS = 512;
const FEWEST_BATCH_ROWS = 8;
/** Batches get smaller while they take longer than this, because requests behind them wait, and larger while they take less. */
const BATCH_MS = 50;
/** What a row may add to the limit on a batch's time. */
const RUN_LIMIT_PER_ROW_MS = 5;
/** How long no request may come until it is no longer waited for another, and how long that may go on. */
const GAP_MS = 0.05;
const GATHER_MS = 1;
/** Longest time from arrival to answer: a request that waits for a host to come back is refused then. */
const WAIT_MS = 20_000;
const SWEEP_MS = 500;
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 10_000;
const HEALTHY_AFTER_MS = 30_000;
/** After this many deaths in a row nobody waits for the host: requests are refused at once until it is back. */
const DEATHS_UNTIL_REFUSAL = 3;

type Job = Rows & {
  resolve: (outputs: ColumnData[]) => void;
  reject: (error: Error) => void;
  arrivedAt: number;
  /** Refused at once when the host is lost, because its sender has another version to ask. */
  failFast: boolean;
  /** Runs in a batch of its own, because it was in one that failed. */
  alone: boolean;
  losses: number;
  isAbandoned: boolean;
};

export type Inference = { outputs: Promise<ColumnData[]>; abandon(): void };

export type VersionHostOptions = { name: string; log: Logger; limits?: HostLimits };

const unavailable = (message: string): PerennialFailure => new PerennialFailure('ModelUnavailable', message);

export class VersionHost {
  /** A batch that runs longer than this, and a little for each row, has hung: its host is killed. */
  runLimitMs = 10_000;
  /** How many requests of the deployment are under way: what a batch may hope for. */
  concurrency = 1;
  restarts = 0;
  batches = 0;
  busySeconds = 0;
  readonly queueDurations = newDurations();
  readonly model: HostedModel;
  readonly #options: VersionHostOptions;
  readonly #limits: HostLimits;
  #process: HostProcess | undefined;
  #queue: Job[] = [];
  #queuedRows = 0;
  #running: Job[] | undefined;
  #runningSince = 0;
  #batchRows = 64;
  #isScheduled = false;
  #isClosed = false;
  #deaths = 0;
  #startedAt = 0;
  #restart: NodeJS.Timeout | undefined;
  readonly #sweep: NodeJS.Timeout;

  constructor(model: HostedModel, options: VersionHostOptions) {
    this.model = model;
    this.#options = options;
    this.#limits = options.limits ?? HOST_LIMITS;
    this.#sweep = setInterval(() => this.#dropOverdue(), SWEEP_MS);
    this.#sweep.unref();
  }

  get name(): string { return this.#options.name; }

  get queueLength(): number { return this.#queue.length; }

  /** Process id of the host while it is alive. */
  get pid(): number | undefined { return this.#process?.pid; }

  /** True when an answer now can be expected: the host is there and has not been with one batch for longer than `ms`. */
  isPrompt(ms: number): boolean {
    return this.#process !== undefined && (this.#running === undefined || performance.now() - this.#runningSince <= ms);
  }

  /**
   * Starts the first host process.
   * @throws PerennialFailure when the model is refused or its process dies; nothing is left running then
   */
  async start(): Promise<void> {
    try {
      this.#adopt(await HostProcess.start(this.model, this.#limits));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Queues rows for the model.
   * @throws PerennialFailure Overloaded at once when the queue is full, ModelUnavailable when no host can take them
   */
  infer(rows: Rows, { failFast }: { failFast: boolean }): Inference {
    if (this.#isClosed) throw unavailable('the version is no longer served here');
    if (this.#process === undefined && (failFast || this.#deaths >= DEATHS_UNTIL_REFUSAL)) throw unavailable('the model host is being started again');
    if (this.#queue.length >= MAX_QUEUE_REQUESTS || this.#queuedRows + rows.rows > MAX_QUEUE_ROWS) {
      throw new PerennialFailure('Overloaded', `${this.#queue.length} requests wait for ${this.#options.name}`);
    }
    let job: Job | undefined;
    const outputs = new Promise<ColumnData[]>((resolve, reject) => {
      job = { rows: rows.rows, tensors: rows.tensors, resolve, reject, arrivedAt: performance.now(), failFast, alone: false, losses: 0, isAbandoned: false };
      this.#queue.push(job);
      this.#queuedRows += rows.rows;
    });
    this.#schedule();
    return {
      outputs,
      abandon: () => {
        if (job !== undefined) job.isAbandoned = true;
      },
    };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#restart);
    clearInterval(this.#sweep);
    this.#process?.kill('is not needed any more');
    this.#rejectQueue(unavailable('the version is no longer served here'));
  }

  #schedule(): void {
    if (this.#isScheduled || this.#running !== undefined || this.#process === undefined) return;
    this.#isScheduled = true;
    const now = performance.now();
    this.#gather({ begunAt: now, grownAt: now, seen: 0 });
  }

  /**
   * Waits while further requests come in, bounded: a batch costs two wake-ups and later a commit of the log, whatever its size, so that one
   * batch of many is far cheaper than many of few. Half of the requests that are under way are enough: while they are scored and logged, the
   * other half is read. Where requests come one by one nothing is waited for.
   */
  #gather(progress: { begunAt: number; grownAt: number; seen: number }): void {
    setImmediate(() => {
      const now = performance.now();
      if (this.#queue.length > progress.seen) Object.assign(progress, { grownAt: now, seen: this.#queue.length });
      const isWorthIt = this.#queue.length < this.concurrency / 2 && this.#queuedRows < this.#batchRows;
      if (isWorthIt && now - progress.grownAt < GAP_MS && now - progress.begunAt < GATHER_MS) return this.#gather(progress);
      this.#isScheduled = false;
      void this.#runBatch();
    });
  }

  async #runBatch(): Promise<void> {
    const host = this.#process;
    if (host === undefined || this.#running !== undefined) return;
    const jobs = this.#takeBatch();
    if (jobs.length === 0) return;
    this.#running = jobs;
    this.batches += 1;
    this.#runningSince = performance.now();
    const batch = joinRows(this.model.signature, jobs);
    let isHung = false;
    const limitMs = this.runLimitMs + batch.rows * RUN_LIMIT_PER_ROW_MS;
    const timer = setTimeout(() => {
      isHung = true;
      host.kill(`did not answer within ${limitMs} ms`);
    }, limitMs);
    stayAwake(() => this.#running !== jobs);
    try {
      const outputs = await host.run(batch.rows, batch.tensors);
      this.#adapt(batch.rows);
      this.#deliver(jobs, outputs);
    } catch (error) {
      this.#retryOrReject(jobs, error as Error, isHung);
    } finally {
      clearTimeout(timer);
      this.busySeconds += (performance.now() - this.#runningSince) / 1_000;
      this.#running = undefined;
      this.#schedule();
    }
  }

  #takeBatch(): Job[] {
    const jobs: Job[] = [];
    let rows = 0;
    let taken = 0;
    for (const job of this.#queue) {
      const fits = jobs.length === 0 || (rows + job.rows <= this.#batchRows && !job.alone && jobs[0]?.alone !== true);
      if (!job.isAbandoned && !fits) break;
      taken += 1;
      this.#queuedRows -= job.rows;
      if (job.isAbandoned) continue;
      jobs.push(job);
      rows += job.rows;
    }
    this.#queue.splice(0, taken);
    const now = performance.now();
    for (const job of jobs) observe(this.queueDurations, (now - job.arrivedAt) / 1_000);
    return jobs;
  }

  #adapt(rows: number): void {
    const isSlow = performance.now() - this.#runningSince > BATCH_MS;
    if (isSlow && rows <= this.#batchRows) this.#batchRows = Math.max(FEWEST_BATCH_ROWS, this.#batchRows >> 1);
    else if (!isSlow && rows >= this.#batchRows) this.#batchRows = Math.min(MOST_BATCH_ROWS, this.#batchRows << 1);
  }

  #deliver(jobs: readonly Job[], outputs: ColumnData[]): void {
    let from = 0;
    for (const job of jobs) {
      job.resolve(jobs.length === 1 ? outputs : sliceRows(this.model.signature, outputs, { from, count: job.rows }));
      from += job.rows;
    }
  }

  #retryOrReject(jobs: readonly Job[], error: Error, isHung: boolean): void {
    const isModelError = error instanceof PerennialFailure && error.code === 'ModelFailed';
    const again: Job[] = [];
    for (const job of jobs) {
      if (job.isAbandoned) continue;
      if (!isModelError) job.losses += 1;
      // One that hung or erred alone is the cause itself; one whose host died alone may have met somebody's kill.
      const isCause = jobs.length === 1 && (isModelError || isHung);
      const mayRetry = !isCause && !this.#isClosed && job.losses <= 1 && (isModelError || !job.failFast);
      if (mayRetry) again.push(Object.assign(job, { alone: true }));
      else job.reject(error);
    }
    this.#queue.unshift(...again);
    for (const job of again) this.#queuedRows += job.rows;
  }

  #adopt(host: HostProcess): void {
    if (this.#isClosed) return host.kill('is not needed any more');
    this.#process = host;
    this.#startedAt = performance.now();
    host.onLost((reason) => this.#replace(host, reason));
    this.#schedule();
  }

  #replace(host: HostProcess, reason: PerennialFailure): void {
    this.#process = undefined;
    if (this.#isClosed) return;
    if (performance.now() - this.#startedAt > HEALTHY_AFTER_MS) this.#deaths = 0;
    this.restarts += 1;
    this.#options.log.warn({ version: this.#options.name, pid: host.pid, stderr: host.stderrTail }, reason.message);
    this.#rejectQueue(reason, (job) => job.failFast);
    this.#restartAfter(this.#deaths === 0 ? 0 : FIRST_BACKOFF_MS * 2 ** Math.min(this.#deaths, 10));
    this.#deaths += 1;
  }

  #restartAfter(ms: number): void {
    if (this.#deaths >= DEATHS_UNTIL_REFUSAL) this.#rejectQueue(unavailable('the model host keeps dying'));
    this.#restart = setTimeout(() => {
      HostProcess.start(this.model, this.#limits).then(
        (host) => this.#adopt(host),
        (error: Error) => {
          if (this.#isClosed) return;
          this.#deaths += 1;
          this.#options.log.warn({ version: this.#options.name }, `the model host could not be started again: ${error.message}`);
          this.#restartAfter(Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(this.#deaths, 10)));
        },
      );
    }, Math.min(ms, LONGEST_BACKOFF_MS));
  }

  #dropOverdue(): void {
    const limit = performance.now() - WAIT_MS;
    if (this.#queue.some((job) => job.arrivedAt < limit)) {
      this.#rejectQueue(unavailable(`no answer came within ${WAIT_MS} ms`), (job) => job.arrivedAt < limit);
    }
  }

  #rejectQueue(error: Error, isMeant: (job: Job) => boolean = () => true): void {
    const meant = this.#queue.filter(isMeant);
    this.#queue = this.#queue.filter((job) => !isMeant(job));
    for (const job of meant) {
      this.#queuedRows -= job.rows;
      job.reject(error);
    }
  }
}
