/** Shadow traffic: copies of requests that a candidate scores without anybody getting its answer. */
import { z } from 'zod';

/** Which share of the requests is copied, in percent, and by how much numbers of both answers may differ, absolutely. */
export const ShadowSettings = z.object({ percent: z.number().min(0.01).max(100), tolerance: z.number().min(0) });
export type ShadowSettings = z.infer<typeof ShadowSettings>;

/** An answer of the candidate that differs: the inference id leads to the inputs in the prediction log. The first values, as text, cut short. */
export type ShadowExample = { id: string; output: string; stable: string; candidate: string };

/**
 * What one gateway process saw of one candidate in one generation, cumulative: writing it twice changes nothing. `copies` were scored or
 * failed; `dropped` ones were not even tried, because the candidate did not keep up; `differing` is of those that were scored.
 * `latency` has LATENCY_BUCKETS_MS.length + 1 counts. `maximumDifference` is of numbers, absolute.
 */
export type ShadowCounters = {
  model: string;
  version: number;
  generation: number;
  /** The version whose answers the clients got. */
  against: number;
  copies: number;
  dropped: number;
  failures: number;
  differing: number;
  maximumDifference: number;
  latency: number[];
  examples: ShadowExample[];
};

/** The same, summed over gateways from a generation on. */
export type ShadowWindow = Pick<ShadowCounters, 'copies' | 'dropped' | 'failures' | 'differing' | 'maximumDifference'> & { latencyP50Ms: number | null; latencyP95Ms: number | null };
