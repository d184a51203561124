/** The lines that a trainer writes on descriptor 3. They come from code that nobody here wrote: bounded, parsed, and dropped when they are not right. */
import { z } from 'zod';
import type { TrainerProgress } from '../../domain/ports/trainer.ts';

const MAXIMUM_LINE_BYTES = 64 * 1024;
const MAXIMUM_METRICS = 20;

const Metrics = z.record(z.string().min(1).max(128), z.number()).refine((metrics) => Object.keys(metrics).length <= MAXIMUM_METRICS);

const Line = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), done: z.number().nonnegative(), total: z.number().nonnegative(), metrics: Metrics.default({}) }),
  z.object({ type: z.literal('checkpoint'), path: z.string().min(1).max(4_096), done: z.number().nonnegative() }),
]);

export type ProgressEvents = { onProgress: (progress: TrainerProgress) => void; onCheckpoint: (checkpoint: { path: string; done: number }) => void };

const parseLine = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const dispatch = (text: string, events: ProgressEvents): void => {
  const { success, data } = Line.safeParse(parseLine(text));
  // `param` and `metric` lines are part of the contract and have no reader yet; anything else is noise.
  if (!success) return;
  if (data.type === 'progress') events.onProgress({ done: data.done, total: data.total, metrics: data.metrics });
  else events.onCheckpoint({ path: data.path, done: data.done });
};

/** Takes chunks as they come and calls back for each whole, valid line; a line that is too long is dropped to its end. */
export const createProgressReader = (events: ProgressEvents): ((chunk: Buffer) => void) => {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let isTooLong = false;
  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const piece = chunk.subarray(start, end);
      if (!isTooLong && pendingBytes + piece.length <= MAXIMUM_LINE_BYTES) dispatch(Buffer.concat([...pending, piece]).toString('utf8'), events);
      [pending, pendingBytes, isTooLong] = [[], 0, false];
      start = end + 1;
    }
    const rest = chunk.subarray(start);
    if (isTooLong || rest.length === 0) return;
    pending.push(Buffer.from(rest));
    pendingBytes += rest.length;
    if (pendingBytes > MAXIMUM_LINE_BYTES) [pending, pendingBytes, isTooLong] = [[], 0, true];
  };
};
