/**
 * One served model version: a queue of requests in front of a host process that may die.
 *
 * While the host works, requests gather; the next batch takes what has gathered, as far as it fits the time that a batch may take. One more
 * batch may wait at the host while it works, so that it need not sleep between two.
 * A batch that fails is tried again request by request, so that one bad row fails only its own request. A host that dies or is late is
 * replaced; requests that were with it are tried once more, alone, unless their sender prefers to be told at once.
 */
import { constants, setPriority } from 'node:os';
import { PerennialFailure } from '../domain/failure.ts';
import type { ColumnData } from '../domain/tensor-columns.ts';
import { sliceRows, type Rows } from './batch.ts';
import type { HostProcess, HostedModel } from './host-process.ts';
import { InferenceJob, type Inference } from './inference-job.ts';
import { newDurations, observe } from './scraped-histogram.ts';
import { stayAwake } from './stay-awake.ts';
import { SupervisedHost, type SupervisedHostOptions } from './supervised-host.ts';

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
/** Batches at the host: the one that it scores and the one that comes next. */
const BATCHES_AT_HOST = 2;
/** Longest time from arrival to answer: a request that waits for a host to come back is refused then. */
const WAIT_MS = 20_000;
const SWEEP_MS = 500;

type Batch = { jobs: InferenceJob[]; rows: number; isStarted: boolean; isHung: boolean };

const unavailable = (message: string): PerennialFailure => new PerennialFailure('ModelUnavailable', message);

export class VersionHost {
  /** A batch that runs longer than this, and a little for each row, has hung: its host is killed. */
  runLimitMs = 10_000;
  /** How many requests of the deployment are under way: what a batch may hope for. */
  concurrency = 1;
  batches = 0;
  /** Rows that were scored. */
  rows = 0;
  /** When the last batch was scored, in milliseconds since the epoch; 0: none yet. */
  lastBatchAt = 0;
  busySeconds = 0;
  readonly queueDurations = newDurations();
  readonly model: HostedModel;
  readonly name: string;
  readonly #host: SupervisedHost;
  #queue: InferenceJob[] = [];
  #queuedRows = 0;
  /** At the host, the one that it scores first. */
  #batchesAtHost: Batch[] = [];
  #runningSince = 0;
  #runLimit: NodeJS.Timeout | undefined;
  #batchRows = 64;
  #isScheduled = false;
  #isClosed = false;
  readonly #sweep: NodeJS.Timeout;

  /** @param options isBackground: its processes run at the lowest priority, so that they take only the processor time that others leave */
  constructor(model: HostedModel, options: SupervisedHostOptions & { isBackground?: boolean }) {
    this.model = model;
    this.name = options.name;
    this.#host = new SupervisedHost(model, options, {
      up: () => {
        if (options.isBackground === true) this.#stepBack();
        this.#schedule();
      },
      lost: (reason) => this.#rejectQueue(reason, (job) => job.failFast),
      givenUp: () => this.#rejectQueue(unavailable('the model host keeps dying')),
    });
    this.#sweep = setInterval(() => this.#dropOverdue(), SWEEP_MS);
    this.#sweep.unref();
  }

  /** Host processes that were lost and replaced. */
  get restarts(): number { return this.#host.restarts; }

  get queueLength(): number { return this.#queue.length; }

  /** Process id of the host while it is alive. */
  get pid(): number | undefined { return this.#host.current?.pid; }

  /** True when an answer now can be expected: the host is there and has not been with one batch for longer than `ms`. */
  isPrompt(ms: number): boolean {
    return this.#host.current !== undefined && (this.#batchesAtHost.length === 0 || performance.now() - this.#runningSince <= ms);
  }

  /**
   * Starts the first host process.
   * @throws PerennialFailure when the model is refused or its process dies; nothing is left running then
   */
  async start(): Promise<void> {
    try {
      await this.#host.start();
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
    if (this.#host.current === undefined && (failFast || this.#host.isGivenUp)) throw unavailable('the model host is being started again');
    if (this.#queue.length >= MAX_QUEUE_REQUESTS || this.#queuedRows + rows.rows > MAX_QUEUE_ROWS) {
      throw new PerennialFailure('Overloaded', `${this.#queue.length} requests wait for ${this.name}`);
    }
    const job = new InferenceJob(rows, failFast);
    this.#queue.push(job);
    this.#queuedRows += rows.rows;
    this.#schedule();
    return job;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#sweep);
    this.#host.close();
    this.#rejectQueue(unavailable('the version is no longer served here'));
  }

  #stepBack(): void {
    try {
      if (this.pid !== undefined) setPriority(this.pid, constants.priority.PRIORITY_LOW);
    } catch {
      // It died in this moment: the next one gets its priority.
    }
  }

  #schedule(): void {
    if (this.#isScheduled || this.#queue.length === 0 || !this.#mayStart()) return;
    this.#isScheduled = true;
    const now = performance.now();
    this.#gather({ begunAt: now, grownAt: now, seen: 0 });
  }

  /** A request that was in a batch that failed has the host for itself, so that no other one is lost with it. */
  #mayStart(): boolean {
    const isSuspect = this.#queue[0]?.isAlone === true || this.#batchesAtHost[0]?.jobs[0]?.isAlone === true;
    return this.#host.current !== undefined && this.#batchesAtHost.length < (isSuspect ? 1 : BATCHES_AT_HOST);
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
    const host = this.#host.current;
    if (host === undefined || !this.#mayStart()) return;
    const jobs = this.#takeBatch();
    if (jobs.length === 0) return;
    const batch: Batch = { jobs, rows: jobs.reduce((sum, job) => sum + job.rows, 0), isStarted: false, isHung: false };
    this.batches += 1;
    this.#batchesAtHost.push(batch);
    const answer = host.run(jobs);
    if (this.#batchesAtHost.length === 1) this.#begin(host, batch);
    this.#schedule();
    try {
      const outputs = await answer;
      this.#adapt(batch.rows, this.#leave(host, batch));
      this.rows += batch.rows;
      this.lastBatchAt = Date.now();
      this.#deliver(jobs, outputs);
    } catch (error) {
      this.#leave(host, batch);
      this.#retryOrReject(batch, error as Error);
    }
    this.#schedule();
  }

  /** The host scores this batch from now on: its time counts. */
  #begin(host: HostProcess, batch: Batch): void {
    batch.isStarted = true;
    this.#runningSince = performance.now();
    const limitMs = this.runLimitMs + batch.rows * RUN_LIMIT_PER_ROW_MS;
    this.#runLimit = setTimeout(() => {
      batch.isHung = true;
      host.kill(`did not answer within ${limitMs} ms`);
    }, limitMs);
    stayAwake(() => this.#batchesAtHost[0] !== batch);
  }

  /** The batch is no longer at the host, which goes on with the next one. Gives how long it was scored, in milliseconds. */
  #leave(host: HostProcess, batch: Batch): number {
    this.#batchesAtHost = this.#batchesAtHost.filter((other) => other !== batch);
    if (!batch.isStarted) return 0;
    clearTimeout(this.#runLimit);
    const ms = performance.now() - this.#runningSince;
    this.busySeconds += ms / 1_000;
    const [next] = this.#batchesAtHost;
    if (next !== undefined && this.#host.current === host) this.#begin(host, next);
    return ms;
  }

  #takeBatch(): InferenceJob[] {
    const jobs: InferenceJob[] = [];
    let rows = 0;
    let taken = 0;
    for (const job of this.#queue) {
      const fits = jobs.length === 0 || (rows + job.rows <= this.#batchRows && !job.isAlone && jobs[0]?.isAlone !== true);
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

  #adapt(rows: number, ms: number): void {
    const isSlow = ms > BATCH_MS;
    if (isSlow && rows <= this.#batchRows) this.#batchRows = Math.max(FEWEST_BATCH_ROWS, this.#batchRows >> 1);
    else if (!isSlow && rows >= this.#batchRows) this.#batchRows = Math.min(MOST_BATCH_ROWS, this.#batchRows << 1);
  }

  #deliver(jobs: readonly InferenceJob[], outputs: ColumnData[]): void {
    let from = 0;
    for (const job of jobs) {
      job.resolve(jobs.length === 1 ? outputs : sliceRows(this.model.signature, outputs, { from, count: job.rows }));
      from += job.rows;
    }
  }

  #retryOrReject({ jobs, isStarted, isHung }: Batch, error: Error): void {
    const isModelError = error instanceof PerennialFailure && error.code === 'ModelFailed';
    const again: InferenceJob[] = [];
    for (const job of jobs) {
      if (job.isAbandoned) continue;
      // What only waited at a host that died is not suspected.
      if (!isModelError && isStarted) job.losses += 1;
      // One that hung or erred alone is the cause itself; one whose host died alone may have met somebody's kill.
      const isCause = jobs.length === 1 && (isModelError || isHung);
      const mayRetry = !isCause && !this.#isClosed && job.losses <= 1 && (isModelError || !job.failFast);
      if (mayRetry) again.push(Object.assign(job, { isAlone: job.isAlone || isStarted }));
      else job.reject(error);
    }
    this.#queue.unshift(...again);
    for (const job of again) this.#queuedRows += job.rows;
  }

  #dropOverdue(): void {
    const limit = performance.now() - WAIT_MS;
    if (this.#queue.some((job) => job.arrivedAt < limit)) {
      this.#rejectQueue(unavailable(`no answer came within ${WAIT_MS} ms`), (job) => job.arrivedAt < limit);
    }
  }

  #rejectQueue(error: Error, isMeant: (job: InferenceJob) => boolean = () => true): void {
    const meant = this.#queue.filter(isMeant);
    this.#queue = this.#queue.filter((job) => !isMeant(job));
    for (const job of meant) {
      this.#queuedRows -= job.rows;
      job.reject(error);
    }
  }
}
