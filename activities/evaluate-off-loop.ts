/**
 * Computes an evaluation in a process of its own: ranking and resampling a million rows takes seconds, in which this process would
 * send no heartbeat and poll no task. A process and not a thread, because on Node 20 threads do not load TypeScript.
 */
import { fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { EvaluationInput, FullReport } from '../domain/evaluation.ts';

const ENTRY = fileURLToPath(new URL('./evaluation-process.ts', import.meta.url));
/** By address, because a bare name would be looked up from the folder that the worker was started in. */
const LOADER = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

const LONGEST_LOG = 2_000;

/**
 * @param signal ends the computation when it is aborted
 * @throws Error when the process ends without a report
 */
export const evaluateOffLoop = (input: EvaluationInput, signal: AbortSignal): Promise<FullReport> =>
  new Promise((resolve, reject) => {
    const child = fork(ENTRY, [], { execArgv: ['--import', LOADER], env: {}, serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'], signal, killSignal: 'SIGKILL' });
    let report: FullReport | undefined;
    let log = '';
    child.stderr?.on('data', (text: Buffer) => (log = (log + text.toString()).slice(-LONGEST_LOG)));
    child.on('message', (message: FullReport) => (report = message));
    child.on('error', reject);
    child.on('close', (code, endSignal) => {
      if (report === undefined) reject(new Error(`The evaluation ended with ${endSignal ?? `exit code ${code}`}: ${log.trim()}`));
      else resolve(report);
    });
    // A process that is gone before it got its input is seen by its end.
    child.send(input, () => undefined);
  });
