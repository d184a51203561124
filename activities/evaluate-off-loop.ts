/**
 * Computes an evaluation in a process of its own: ranking and resampling a million rows takes seconds, in which this process would
 * send no heartbeat and poll no task. A process and not a thread, because on Node 20 threads do not load TypeScript.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Task } from '../contracts/features.ts';
import type { BootstrapPlan } from '../domain/bootstrap.ts';
import type { GateSpec } from '../contracts/gate.ts';
import { valueNumbering, type ColumnCodes } from '../domain/column-codes.ts';
import type { FullReport, RowsPart } from '../domain/evaluation.ts';

export type EvaluationMessage = { kind: 'rows'; part: RowsPart } | ({ kind: 'compute'; days: string[]; values: Record<string, (string | null)[]> } & EvaluationQuestion);

/** The rows of both models: scores, label and day of each; `champion` is null when there is none. */
export type JudgedRows = { labels: Float64Array; days: string[]; candidate: Float64Array; champion: Float64Array | null; columns: Record<string, ColumnCodes> };

export type EvaluationQuestion = { task: Task; plans: BootstrapPlan[]; gates: GateSpec[] };

const ENTRY = fileURLToPath(new URL('./evaluation-process.ts', import.meta.url));
/** By address, because a bare name would be looked up from the folder that the worker was started in. */
const LOADER = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

const LONGEST_LOG = 2_000;
/** Rows per message: copying more at once would hold the event loop too long. */
const ROWS_PER_MESSAGE = 65_536;

const startProcess = (signal: AbortSignal): ChildProcess =>
  fork(ENTRY, [], { execArgv: ['--import', LOADER], env: {}, serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'], signal, killSignal: 'SIGKILL' });

/** A process that is gone before it got a message is seen by its end. */
const send = (child: ChildProcess, message: EvaluationMessage): Promise<void> =>
  new Promise((resolve) => {
    if (child.connected) child.send(message, () => resolve());
    else resolve();
  });

const sendRows = async (child: ChildProcess, rows: JudgedRows, question: EvaluationQuestion): Promise<void> => {
  const numbering = valueNumbering();
  const columns = Object.entries(rows.columns);
  for (let from = 0; from < rows.labels.length && child.connected; from += ROWS_PER_MESSAGE) {
    const to = from + ROWS_PER_MESSAGE;
    const part: RowsPart = {
      labels: rows.labels.slice(from, to),
      groups: numbering.number(rows.days.slice(from, to)),
      candidate: rows.candidate.slice(from, to),
      champion: rows.champion?.slice(from, to) ?? null,
      codes: Object.fromEntries(columns.map(([name, { codes }]) => [name, codes.slice(from, to)])),
    };
    await send(child, { kind: 'rows', part });
    // A write that succeeds at once calls back before the event loop turns.
    await setImmediate();
  }
  const values = Object.fromEntries(columns.map(([name, column]) => [name, column.values]));
  await send(child, { kind: 'compute', days: numbering.values() as string[], values, ...question });
};

/**
 * @param signal ends the computation when it is aborted
 * @throws Error when the process ends without a report
 */
export const evaluateOffLoop = (rows: JudgedRows, question: EvaluationQuestion, signal: AbortSignal): Promise<FullReport> =>
  new Promise((resolve, reject) => {
    const child = startProcess(signal);
    let report: FullReport | undefined;
    let log = '';
    child.stderr?.on('data', (text: Buffer) => (log = (log + text.toString()).slice(-LONGEST_LOG)));
    child.on('message', (message: FullReport) => (report = message));
    child.on('error', reject);
    child.on('close', (code, endSignal) => {
      if (report === undefined) reject(new Error(`The evaluation ended with ${endSignal ?? `exit code ${code}`}: ${log.trim()}`));
      else resolve(report);
    });
    sendRows(child, rows, question).catch(reject);
  });
