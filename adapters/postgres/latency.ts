/** Quantiles of latencies that are known only as counts in the buckets of LATENCY_BUCKETS_MS. */
import { LATENCY_BUCKETS_MS } from '../../contracts/deployment.ts';

/**
 * The `share` quantile (0 to 1) in milliseconds, by linear interpolation inside its bucket; null without counts. The last bucket
 * has no upper bound, so what lies in it is given as its lower bound.
 */
export const latencyQuantile = (counts: readonly number[], share: number): number | null => {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const rank = share * total;
  let below = 0;
  for (const [bucket, count] of counts.entries()) {
    const lower = bucket === 0 ? 0 : (LATENCY_BUCKETS_MS[bucket - 1] ?? 0);
    const upper = LATENCY_BUCKETS_MS[bucket] ?? lower;
    if (count > 0 && below + count >= rank) return lower + (upper - lower) * ((rank - below) / count);
    below += count;
  }
  return LATENCY_BUCKETS_MS.at(-1) ?? null;
};

/** Counts of several gateways, bucket by bucket. */
export const sumOfHistograms = (histograms: readonly (readonly number[])[]): number[] => {
  const buckets = Math.max(0, ...histograms.map((histogram) => histogram.length));
  return Array.from({ length: buckets }, (_, bucket) => histograms.reduce((sum, histogram) => sum + (histogram[bucket] ?? 0), 0));
};
