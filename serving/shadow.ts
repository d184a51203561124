/**
 * Gives copies of requests to a candidate after their answers have gone, and counts how its answers differ. Nothing waits for it: what the
 * candidate cannot keep up with is dropped and counted, and its queue is bounded in requests and in rows.
 */
import type { ShadowCounters, ShadowExample, ShadowSettings } from '../contracts/shadow.ts';
import { compareOutputs } from '../domain/shadow-comparison.ts';
import type { ColumnData } from '../domain/tensor-columns.ts';
import { bucketOf } from '../domain/traffic.ts';
import { countLatency } from './counters.ts';
import type { Variant } from './deployment-table.ts';
import { within } from './score.ts';
import type { Shadow, ShadowCopy } from './shadow-copy.ts';

/** Copies that the candidate scores at once; the others wait. */
const AT_ONCE = 8;
const MOST_WAITING = 64;
const MOST_WAITING_ROWS = 4_096;
const MOST_EXAMPLES = 10;
const EXAMPLE_CHARACTERS = 120;

const cut = (column: ColumnData | undefined): string => (column === undefined ? 'none' : `[${column.slice(0, 16).join(',')}]`.slice(0, EXAMPLE_CHARACTERS));

const exampleOf = (copy: ShadowCopy, stable: Variant, candidate: { variant: Variant; columns: readonly ColumnData[] }, output: string): ShadowExample => {
  const valuesOf = (variant: Variant, columns: readonly ColumnData[]): string => cut(columns[variant.signature.outputs.findIndex(({ name }) => name === output)]);
  return { id: copy.id, output, stable: valuesOf(stable, copy.columns), candidate: valuesOf(candidate.variant, candidate.columns) };
};

type Parts = { stable: Variant; candidate: Variant; settings: ShadowSettings; deadlineMs: number; counters: ShadowCounters };

/** Scores one copy; a candidate that errs, is late or cannot read the request has failed. */
const scoreCopy = async ({ stable, candidate, settings, deadlineMs, counters }: Parts, copy: ShadowCopy): Promise<void> => {
  const begunAt = performance.now();
  const rows = candidate.reader === stable.reader ? copy.rows : candidate.reader(copy.inputs);
  const columns = await within(candidate.host.infer(rows, { failFast: true }), deadlineMs);
  const comparison = compareOutputs({ signature: stable.signature.outputs, columns: copy.columns }, { signature: candidate.signature.outputs, columns }, settings.tolerance);
  if (comparison.kind === 'failed') throw new Error('an output is no finite number');
  countLatency(counters, performance.now() - begunAt);
  counters.maximumDifference = Math.max(counters.maximumDifference, comparison.maximumDifference);
  candidate.metrics.copies[comparison.differing === null ? 'same' : 'differing'] += 1;
  if (comparison.differing === null) return;
  counters.differing += 1;
  if (counters.examples.length < MOST_EXAMPLES) counters.examples.push(exampleOf(copy, stable, { variant: candidate, columns }, comparison.differing));
};

export const createShadow = (parts: Parts): Shadow => {
  const { candidate, counters, settings } = parts;
  const waiting: ShadowCopy[] = [];
  let waitingRows = 0;
  let underWay = 0;
  let isScheduled = false;
  let isStopped = false;

  const run = async (copy: ShadowCopy): Promise<void> => {
    let hasFailed = false;
    try {
      await scoreCopy(parts, copy);
    } catch {
      hasFailed = true;
    }
    underWay -= 1;
    if (isStopped) return;
    counters.copies += 1;
    if (hasFailed) {
      counters.failures += 1;
      candidate.metrics.copies.failed += 1;
    }
    pump();
  };

  const pump = (): void => {
    while (!isStopped && underWay < AT_ONCE) {
      const copy = waiting.shift();
      if (copy === undefined) return;
      waitingRows -= copy.rows.rows;
      underWay += 1;
      candidate.host.concurrency = underWay;
      void run(copy);
    }
  };

  return {
    offer: (copy) => {
      if (isStopped || bucketOf(`shadow/${candidate.version}`, copy.id) >= settings.percent) return;
      if (waiting.length >= MOST_WAITING || waitingRows + copy.rows.rows > MOST_WAITING_ROWS) {
        counters.dropped += 1;
        candidate.metrics.copies.dropped += 1;
        return;
      }
      waiting.push(copy);
      waitingRows += copy.rows.rows;
      if (isScheduled) return;
      isScheduled = true;
      // In a turn of its own: the answer, whose promise is settled in this one, is written first.
      setImmediate(() => {
        isScheduled = false;
        pump();
      });
    },
    stop: () => {
      isStopped = true;
      waiting.length = 0;
    },
  };
};
