import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { ModelSignature } from '../../../contracts/features.ts';
import type { ColumnData } from '../../../domain/tensor-columns.ts';
import { createShadowBook } from '../../../serving/counters.ts';
import type { Variant } from '../../../serving/deployment-table.ts';
import { createShadow } from '../../../serving/shadow.ts';

const signature = ModelSignature.parse({ task: 'binaryClassification', inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 1] }], outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }] });
const reader = () => ({ rows: 1, tensors: [] });

/** A candidate whose answers are played. */
const rig = ({ percent = 100, deadlineMs = 1_000 } = {}) => {
  const counters = createShadowBook().of({ model: 'm', version: 2, generation: 3, against: 1 });
  const asked: ((outputs: ColumnData[] | Error) => void)[] = [];
  const infer = () => ({
    outputs: new Promise<ColumnData[]>((resolve, reject) => asked.push((outputs) => (outputs instanceof Error ? reject(outputs) : resolve(outputs)))),
    abandon: () => undefined,
  });
  const stable = { version: 1, signature, reader } as unknown as Variant;
  const copies = { same: 0, differing: 0, failed: 0, dropped: 0 };
  const candidate = { version: 2, signature, reader, metrics: { copies }, host: { infer, concurrency: 1 } } as unknown as Variant;
  const shadow = createShadow({ stable, candidate, settings: { percent, tolerance: 0 }, deadlineMs, counters });
  const offer = (count: number, rows = 1): void => {
    for (let index = 0; index < count; index += 1) shadow.offer({ id: `request-${index}`, inputs: [], rows: { rows, tensors: [] }, columns: [Float32Array.of(1)] });
  };
  return { counters, copies, asked, shadow, offer };
};

it('asks the candidate in a later turn, and counts what differs with examples', async () => {
  const { counters, copies, asked, offer } = rig();
  offer(2);
  expect(asked).toHaveLength(0);
  await turn();
  asked[0]?.([Float32Array.of(1)]);
  asked[1]?.([Float32Array.of(3)]);
  await turn();
  expect(counters).toMatchObject({ copies: 2, dropped: 0, failures: 0, differing: 1, maximumDifference: 2, examples: [{ id: 'request-1', output: 'y', stable: '[1]', candidate: '[3]' }] });
  expect(copies).toEqual({ same: 1, differing: 1, failed: 0, dropped: 0 });
});

it('keeps a bounded queue before a candidate that does not answer, and drops the rest', async () => {
  const { counters, asked, offer } = rig();
  offer(500);
  await turn();
  offer(500);
  expect(asked).toHaveLength(8);
  expect(counters).toMatchObject({ copies: 0, dropped: 1_000 - 64 - 8 });
});

it('bounds the rows that wait too', async () => {
  const { counters, offer } = rig();
  offer(3, 4_000);
  expect(counters.dropped).toBe(2);
});

it('counts an answer that is late, an error and a number that is none as failures', async () => {
  const { counters, asked, offer } = rig({ deadlineMs: 5 });
  offer(3);
  await turn();
  asked[0]?.(new Error('died'));
  asked[1]?.([Float32Array.of(Number.NaN)]);
  await expect.poll(() => counters).toMatchObject({ copies: 3, failures: 3, differing: 0 });
});

it('copies the declared share', async () => {
  const { counters, offer } = rig({ percent: 10 });
  offer(5_000);
  expect(counters.dropped + 64).toBeGreaterThan(430);
  expect(counters.dropped + 64).toBeLessThan(570);
});

it('counts nothing any more once it is stopped', async () => {
  const { counters, asked, offer, shadow } = rig();
  offer(20);
  await turn();
  shadow.stop();
  asked.forEach((answer) => answer(new Error('the version is no longer served here')));
  offer(5);
  await turn();
  expect(asked).toHaveLength(8);
  expect(counters).toMatchObject({ copies: 0, failures: 0, dropped: 0 });
});
