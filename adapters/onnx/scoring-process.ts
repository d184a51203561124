/**
 * The process in which models of unknown conduct are loaded and run: it may hang, or take all memory, and die of it.
 *
 * It gets one task, answers in parts, and ends. Errors with a name go back as they are; the process that started it judges every
 * other end (model-runtime.ts).
 */
import { readFile, writeFile } from 'node:fs/promises';
import { PerennialFailure } from '../../domain/failure.ts';
import { planInputs, scoreOutputOf, scoresOf, toTensorColumns, type FeatureBatch } from '../../domain/feature-rows.ts';
import type { ScoringReply, ScoringRequest, ScoringTask } from './scoring-messages.ts';
import { readRowBatches, readScoreBatches, readTextBatches } from './parquet-rows.ts';
import { openSession } from './session.ts';
import { startWatchdog } from './watchdog.ts';

/** Waits until the message has left, so that batches do not pile up in memory. */
const reply = (message: ScoringReply): Promise<void> =>
  new Promise((resolve, reject) => {
    process.send!(message, undefined, undefined, (error) => (error === null ? resolve() : reject(error)));
  });

const verify = async ({ modelFile, signature }: Extract<ScoringTask, { kind: 'verify' }>): Promise<void> => {
  scoreOutputOf(signature);
  const session = await openSession(await readFile(modelFile), signature);
  await session.release();
};

const score = async ({ modelFile, signature, rowsFile, rows }: Extract<ScoringTask, { kind: 'score' }>): Promise<void> => {
  const plans = planInputs(signature, rows.columns);
  const output = scoreOutputOf(signature);
  const session = await openSession(await readFile(modelFile), signature);
  for await (const batch of readRowBatches(rowsFile, rows, plans)) {
    const answer = await session.run(toTensorColumns(plans, batch), batch.rows);
    await reply({ kind: 'scored', scores: scoresOf(output, answer, batch.firstRow), labels: batch.labels, days: batch.days });
  }
  await session.release();
};

/** One row of a batch, as a batch of its own. */
const rowOf = (batch: FeatureBatch, row: number): FeatureBatch => ({ rows: 1, firstRow: batch.firstRow + row, values: new Map([...batch.values].map(([name, values]) => [name, [values[row]!]])) });

const WARM_UP = 20;

/** Single rows through the code that serves, from their values to the answer; rows begin again when there are fewer of them. */
const measureLatency = async ({ modelFile, signature, rowsFile, rows, requests }: Extract<ScoringTask, { kind: 'latency' }>): Promise<void> => {
  const plans = planInputs(signature, rows.columns);
  const session = await openSession(await readFile(modelFile), signature);
  for await (const batch of readRowBatches(rowsFile, rows, plans)) {
    const milliseconds = new Float64Array(requests);
    for (let request = -WARM_UP; request < requests; request += 1) {
      const row = rowOf(batch, (request + WARM_UP) % batch.rows);
      const began = performance.now();
      await session.run(toTensorColumns(plans, row), 1);
      if (request >= 0) milliseconds[request] = performance.now() - began;
    }
    await reply({ kind: 'latency', milliseconds });
    break;
  }
  await session.release();
};

const perform = async (task: ScoringTask): Promise<void> => {
  if (task.kind === 'verify') return verify(task);
  if (task.kind === 'score') return score(task);
  if (task.kind === 'latency') return measureLatency(task);
  if (task.kind === 'readColumns') {
    for await (const columns of readTextBatches(task.file, task.names)) await reply({ kind: 'columns', columns });
    return;
  }
  for await (const scores of readScoreBatches(task.file)) await reply({ kind: 'predictions', scores });
};

/** Where the kernel must end a process for want of memory, it shall be this one, not the worker (Linux; elsewhere nothing). */
const offerItselfToTheKernel = (): Promise<void> => writeFile('/proc/self/oom_score_adj', '1000').catch(() => undefined);

const main = async ({ task, memoryBytes }: ScoringRequest): Promise<void> => {
  startWatchdog(memoryBytes);
  await offerItselfToTheKernel();
  try {
    await perform(task);
    await reply({ kind: 'done' });
  } catch (error) {
    if (error instanceof PerennialFailure) await reply({ kind: 'failed', code: error.code, message: error.message, fix: error.fix });
    else await reply({ kind: 'unexpected', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
  process.disconnect();
};

// The worker decides when this process ends: a signal meant for the whole terminal must not look like a failing model.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.once('message', (request) => void main(request as ScoringRequest));
