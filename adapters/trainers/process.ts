/** Trainer as a process of its own that keeps the trainer contract (trainers/CONTRACT.md), in any language. */
import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PerennialFailure } from '../../domain/failure.ts';
import type { Trainer, TrainerJob } from '../../domain/ports/trainer.ts';
import { createCappedLog, type CappedLog } from './capped-log.ts';
import { failureOfEnd } from './ending.ts';
import { readOutputs } from './outputs.ts';
import { createProgressReader } from './progress-lines.ts';
import { runTrainerGroup } from './trainer-group.ts';

export type TrainerProcessOptions = {
  /** Interpreter of the built-in trainers. */
  python: string;
  /** Home folder of trainers: an own one, where no key of the worker's user lies; made when it is not there. */
  home: string;
  /** Time between SIGTERM and SIGKILL, in milliseconds: within the shutdown of a worker, with room to store the checkpoint. */
  graceMs?: number;
  /** Bound on the kept log, in bytes. */
  logBytes?: number;
};

const BUILT_IN = fileURLToPath(new URL('../../trainers/train.py', import.meta.url));
const GRACE_MS = 10_000;
const LOG_BYTES = 10 * 1024 * 1024;
const STDERR_BYTES = 64 * 1024;
const SHOWN_LINES = 20;

/** What a trainer may see of the worker's environment: nothing that is a secret, and nothing that it does not need. */
const PASSED_ON = ['PATH', 'LANG', 'LC_ALL', 'TZ', 'LD_LIBRARY_PATH', 'CUDA_VISIBLE_DEVICES', 'NVIDIA_VISIBLE_DEVICES', 'NVIDIA_DRIVER_CAPABILITIES'];
const THREAD_LIMITS = ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS', 'NUMEXPR_NUM_THREADS', 'VECLIB_MAXIMUM_THREADS'];

const environmentOf = (specFile: string, threads: number, home: string): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))),
  ...Object.fromEntries(THREAD_LIMITS.map((name) => [name, String(threads)])),
  TRAIN_SPEC: specFile,
  HOME: home,
  TMPDIR: dirname(specFile),
  PYTHONUNBUFFERED: '1',
});

/** The specification of the contract: trainers/spec.schema.json. */
const specOf = (job: TrainerJob): Record<string, unknown> => ({
  contractVersion: 1,
  trainer: typeof job.train.trainer === 'string' ? job.train.trainer : 'custom',
  train: [job.trainFile],
  holdout: [job.holdoutFile],
  label: job.features.label,
  features: job.features.columns,
  identity: job.features.identity,
  task: job.features.task,
  params: job.train.params,
  seed: job.train.seed,
  threads: job.train.threads,
  outputFolder: job.outputFolder,
  checkpointFolder: job.checkpointFolder,
  resumeFrom: job.resumeFrom,
  deadline: job.deadline,
  device: job.device,
  ...(job.reportMetric === undefined ? {} : { reportMetric: job.reportMetric }),
});

/** Only files of the checkpoint folder are checkpoints: a trainer cannot have others read and stored for it. */
const checkpointInside = async (folder: string, path: string): Promise<string | undefined> => {
  const [root, file] = await Promise.all([realpath(folder), realpath(path).catch(() => undefined)]);
  return file !== undefined && file.startsWith(root + sep) ? file : undefined;
};

type Hooks = Parameters<Trainer['train']>[1];

/** Checkpoints are checked one after the other, so that they are announced in their order. */
const createCheckpointGate = (folder: string, hooks: Hooks): { take: (checkpoint: { path: string; done: number }) => void; settled: () => Promise<void> } => {
  let last = Promise.resolve();
  const announce = async (checkpoint: { path: string; done: number }): Promise<void> => {
    const path = await checkpointInside(folder, checkpoint.path);
    if (path !== undefined) hooks.onCheckpoint({ path, done: checkpoint.done });
  };
  return {
    take: (checkpoint) => {
      last = last.then(() => announce(checkpoint)).catch(() => undefined);
    },
    settled: () => last,
  };
};

/** stderr by itself, its end only: the last line may say why. */
const createTail = (limit: number): { add: (chunk: Buffer) => void; text: () => string } => {
  let kept = Buffer.alloc(0);
  return {
    add: (chunk) => {
      kept = Buffer.concat([kept, chunk]).subarray(-limit);
    },
    text: () => kept.toString('utf8'),
  };
};

const run = async (job: TrainerJob, hooks: Hooks, options: Required<TrainerProcessOptions>): Promise<{ failure: PerennialFailure | undefined; log: CappedLog }> => {
  const specFile = join(dirname(job.outputFolder), 'spec.json');
  await Promise.all([job.outputFolder, job.checkpointFolder, options.home].map((folder) => mkdir(folder, { recursive: true })));
  await writeFile(specFile, JSON.stringify(specOf(job)), { mode: 0o600 });
  const { trainer } = job.train;
  const command = typeof trainer === 'string' ? [options.python, BUILT_IN] : trainer.command;
  const log = createCappedLog(options.logBytes);
  const stderr = createTail(STDERR_BYTES);
  const checkpoints = createCheckpointGate(job.checkpointFolder, hooks);
  const startedMs = Date.now();
  const deadlineMs = Date.parse(job.deadline);
  const { end, stopped } = await runTrainerGroup({
    command,
    environment: environmentOf(specFile, job.train.threads, options.home),
    graceMs: options.graceMs,
    deadlineMs,
    signal: hooks.signal,
    onOutput: (chunk, stream) => {
      log.add(chunk);
      if (stream === 'stderr') stderr.add(chunk);
    },
    onProgress: createProgressReader({ onProgress: hooks.onProgress, onCheckpoint: checkpoints.take }),
  });
  await checkpoints.settled();
  const seconds = Math.round((deadlineMs - startedMs) / 1_000);
  return { failure: failureOfEnd(end, { stopped, command: command[0] ?? '', stderr: stderr.text(), logTail: log.lastLines(SHOWN_LINES), seconds }), log };
};

/** Adds the last lines of the log to a failure that was found after the trainer ended. */
const withLog = (error: unknown, log: CappedLog): unknown =>
  error instanceof PerennialFailure && error.logTail === undefined
    ? new PerennialFailure(error.code, error.message, { fix: error.fix, cause: error.cause, logTail: log.lastLines(SHOWN_LINES) })
    : error;

/** A trainer on this machine. The command of a pipeline starts in the working folder of the worker. */
export const createTrainerProcess = (options: TrainerProcessOptions): Trainer => ({
  train: async (job, hooks) => {
    const { failure, log } = await run(job, hooks, { graceMs: GRACE_MS, logBytes: LOG_BYTES, ...options });
    const logFile = join(dirname(job.outputFolder), 'trainer.log');
    await writeFile(logFile, log.content());
    if (failure !== undefined) throw failure;
    const outputs = await readOutputs(job.outputFolder, { predictions: typeof job.train.trainer === 'string' ? 'required' : 'optional', task: job.features.task }).catch((error: unknown) => {
      throw withLog(error, log);
    });
    return { ...outputs, logFile };
  },
});
