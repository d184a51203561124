/** What a step or a served version used of a machine, and the prices that make a cost of it. */
import { z } from 'zod';

/**
 * Measured use. CPU seconds are those of the processes of the work, and its share of the worker that ran it; memory is the resident
 * memory of its own processes (their sum, over time in GiB seconds, and at its highest in bytes). A GPU second is a second in which a
 * process of the work held a GPU, whether or not it kept it busy: that is how GPUs are paid. Stored bytes are the artifacts that the work left.
 */
export const ResourceUse = z.object({
  cpuSeconds: z.number().nonnegative(),
  memoryGibSeconds: z.number().nonnegative(),
  peakMemoryBytes: z.number().int().nonnegative(),
  gpuSeconds: z.number().nonnegative(),
  gpuPeakMemoryBytes: z.number().int().nonnegative(),
  storedBytes: z.number().int().nonnegative(),
});
export type ResourceUse = z.infer<typeof ResourceUse>;

/** One attempt of a step: which, how long it waited for a worker and ran, and what it used meanwhile. */
export type AttemptUse = ResourceUse & { attempt: number; waitingSeconds: number; durationSeconds: number };

/**
 * What is paid for, in one currency (ISO 4217): a CPU second, a GiB of memory for a second, a GPU for a second, and a GiB stored, once for
 * as long as it is kept. What is left out costs nothing.
 */
export const PriceTable = z.strictObject({
  currency: z.string().regex(/^[A-Z]{3}$/, 'a currency of ISO 4217, such as EUR'),
  cpuSecond: z.number().nonnegative().default(0),
  memoryGibSecond: z.number().nonnegative().default(0),
  gpuSecond: z.number().nonnegative().default(0),
  storedGib: z.number().nonnegative().default(0),
});
export type PriceTable = z.infer<typeof PriceTable>;

/** Parts of a cost, in the currency of the prices. */
export const Cost = z.object({ cpu: z.number(), memory: z.number(), gpu: z.number(), storage: z.number(), total: z.number() });
export type Cost = z.infer<typeof Cost>;
