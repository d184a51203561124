/**
 * The port ModelRuntime: every model is loaded and run in a process of its own that may die (scoring-process.ts).
 *
 * A process that gives no sign of life within the deadline, passes its memory, or crashes is the model's failure (ModelFailed); one that
 * was killed from outside is an outage, and is retried.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ModelSignature } from '../../contracts/features.ts';
import { valueNumbering } from '../../domain/column-codes.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { ModelRuntime } from '../../domain/ports/model-runtime.ts';
import type { ScoringReply, ScoringRequest, ScoringTask } from './scoring-messages.ts';
import { MEMORY_LIMIT_LINE } from './watchdog.ts';

export type ModelRuntimeOptions = {
  /** Makes a folder for the model's bytes while they are in use. */
  scratch: (purpose: string) => Promise<{ folder: string; dispose(): Promise<void> }>;
  /** Longest time without a finished batch of 2,048 rows (or a loaded model). */
  deadlineMs?: number;
  /** Largest resident memory of the scoring process. */
  memoryBytes?: number;
};

const DEADLINE_MS = 60_000;
const MEMORY_BYTES = 4 * 2 ** 30;
const LONGEST_LOG = 4_000;
const MILLISECONDS_PER_DAY = 86_400_000;

const ENTRY = fileURLToPath(new URL('./scoring-process.ts', import.meta.url));
/** By address, because a bare name would be looked up from the folder that the worker was started in. */
const LOADER = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

const startProcess = (): ChildProcess =>
  fork(ENTRY, [], {
    execArgv: ['--import', LOADER],
    // Models are strangers: they find no key in the environment.
    env: {},
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });

type End = { code: number | null; signal: NodeJS.Signals | null; log: string; late: boolean };
type Limits = { deadlineMs: number; memoryBytes: number };

/** What an end without an answer means. */
const failureOf = ({ code, signal, log, late }: End, { deadlineMs, memoryBytes }: Limits): PerennialFailure => {
  if (late) return new PerennialFailure('ModelFailed', `The model gave no answer within ${deadlineMs / 1_000} s and was stopped.`);
  if (log.includes(MEMORY_LIMIT_LINE)) {
    return new PerennialFailure('ModelFailed', `The model needed more than ${Math.round(memoryBytes / 2 ** 20)} MiB of memory and was stopped.`);
  }
  if (signal === 'SIGKILL' || signal === 'SIGTERM' || signal === 'SIGINT') {
    return new PerennialFailure('Internal', `The process that scores was killed from outside (${signal}).`);
  }
  const how = signal === null ? `exit code ${code}` : signal;
  return new PerennialFailure('ModelFailed', `The process that scores the model crashed (${how}): ${log.trim().slice(-500)}`);
};

/** Runs one task to its end; `onPart` gets the parts of the answer in their order. */
const runTask = (task: ScoringTask, limits: Limits, onPart: (part: ScoringReply) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = startProcess();
    let [log, late, settled] = ['', false, false];
    let problem: unknown;
    const deadline = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, limits.deadlineMs);
    child.stderr?.on('data', (text: Buffer) => (log = (log + text.toString()).slice(-LONGEST_LOG)));
    child.on('message', (part: ScoringReply) => {
      deadline.refresh();
      if (part.kind === 'done') settled = true;
      else if (part.kind === 'failed') problem = new PerennialFailure(part.code, part.message, { fix: part.fix });
      else if (part.kind === 'unexpected') problem = new Error(`The process that scores failed: ${part.message}`);
      else onPart(part);
    });
    // A process that never started has no end of its own.
    child.on('error', (error) => child.pid === undefined && reject(error));
    child.on('close', (code, signal) => {
      clearTimeout(deadline);
      if (settled) resolve();
      else reject(problem ?? failureOf({ code, signal, log, late }, limits));
    });
    const request: ScoringRequest = { task, memoryBytes: limits.memoryBytes };
    // A process that is gone before it got its task is seen by its end.
    child.send(request, () => undefined);
  });

const lengthOf = (parts: { length: number }[]): number => parts.reduce((length, part) => length + part.length, 0);

/** Copies the parts, one after the other, into an array that has room for all. */
const joinInto = <Joined extends Float64Array | Uint8Array | Uint32Array>(joined: Joined, parts: Joined[]): Joined => {
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
};

const dayOf = (day: number): string => new Date(day * MILLISECONDS_PER_DAY).toISOString().slice(0, 10);

/** Rows as they come back, day numbers turned into text once for each day. */
const collectRows = (onProgress: (rows: number) => void = () => undefined) => {
  const [scores, labels, days]: [Float64Array[], Float64Array[], string[]] = [[], [], []];
  const names = new Map<number, string>();
  return {
    add: (part: Extract<ScoringReply, { kind: 'scored' }>): void => {
      scores.push(part.scores);
      labels.push(part.labels);
      for (const day of part.days) {
        if (!names.has(day)) names.set(day, dayOf(day));
        days.push(names.get(day)!);
      }
      onProgress(days.length);
    },
    result: () => ({ scores: joinInto(new Float64Array(days.length), scores), labels: joinInto(new Float64Array(days.length), labels), days }),
  };
};

/** Creates the runtime. Nothing is kept between calls. */
export const createModelRuntime = ({ scratch, deadlineMs = DEADLINE_MS, memoryBytes = MEMORY_BYTES }: ModelRuntimeOptions): ModelRuntime => {
  const limits = { deadlineMs, memoryBytes };

  const withModelFile = async (model: Uint8Array, work: (modelFile: string) => Promise<void>): Promise<void> => {
    const { folder, dispose } = await scratch('model');
    try {
      const modelFile = join(folder, 'model.onnx');
      await writeFile(modelFile, model);
      await work(modelFile);
    } finally {
      await dispose();
    }
  };

  return {
    verify: (model: Uint8Array, signature: ModelSignature) =>
      withModelFile(model, (modelFile) => runTask({ kind: 'verify', modelFile, signature }, limits, () => undefined)),

    score: async ({ model, signature, rowsFile, features, onProgress }) => {
      const rows = { columns: features.columns, eventTime: features.eventTime, label: features.label, task: features.task };
      const collected = collectRows(onProgress);
      await withModelFile(model, (modelFile) =>
        runTask({ kind: 'score', modelFile, signature, rowsFile, rows }, limits, (part) => {
          if (part.kind === 'scored') collected.add(part);
        }),
      );
      return collected.result();
    },

    readColumns: async (file, names) => {
      const columns = names.map((name) => ({ name, numbering: valueNumbering(), parts: [] as Uint32Array[] }));
      await runTask({ kind: 'readColumns', file, names }, limits, (part) => {
        if (part.kind === 'columns') columns.forEach(({ numbering, parts }, index) => parts.push(numbering.number(part.columns[index]!)));
      });
      return Object.fromEntries(columns.map(({ name, numbering, parts }) => [name, { codes: joinInto(new Uint32Array(lengthOf(parts)), parts), values: numbering.values() }]));
    },

    measureLatency: async ({ model, signature, rowsFile, features, requests }) => {
      const rows = { columns: features.columns, eventTime: features.eventTime, label: features.label, task: features.task };
      let measured: Float64Array = new Float64Array(0);
      await withModelFile(model, (modelFile) =>
        runTask({ kind: 'latency', modelFile, signature, rowsFile, rows, requests }, limits, (part) => {
          if (part.kind === 'latency') measured = part.milliseconds;
        }),
      );
      return measured;
    },

    readPredictions: async (file) => {
      const parts: Float64Array[] = [];
      await runTask({ kind: 'readPredictions', file }, limits, (part) => {
        if (part.kind === 'predictions') parts.push(part.scores);
      });
      return joinInto(new Float64Array(lengthOf(parts)), parts);
    },
  };
};
