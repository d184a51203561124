/** A Prometheus histogram whose counts live with their owners, so that observing one costs no lookup by labels. */
import type { Registry } from 'prom-client';

/** Upper bounds in seconds: OpenTelemetry's for request durations. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

export type Durations = { counts: number[]; sum: number };

export const newDurations = (): Durations => ({ counts: new Array<number>(BOUNDS.length + 1).fill(0), sum: 0 });

/** Counts one duration, in seconds. */
export const observe = (durations: Durations, seconds: number): void => {
  let bucket = 0;
  while (bucket < BOUNDS.length && seconds > (BOUNDS[bucket] as number)) bucket += 1;
  durations.counts[bucket] = (durations.counts[bucket] ?? 0) + 1;
  durations.sum += seconds;
};

type Labels = Record<string, string>;
type Sample = { metricName: string; labels: Labels; value: number };

const samplesOf = (name: string, labels: Labels, durations: Durations): Sample[] => {
  let total = 0;
  const buckets = durations.counts.map((count, bucket) => {
    total += count;
    return { metricName: `${name}_bucket`, labels: { ...labels, le: String(BOUNDS[bucket] ?? '+Inf') }, value: total };
  });
  return [...buckets, { metricName: `${name}_sum`, labels, value: durations.sum }, { metricName: `${name}_count`, labels, value: total }];
};

/** Registers a histogram that asks for its series when it is scraped. */
export const registerHistogram = (registry: Registry, name: string, { help, series }: { help: string; series: () => { labels: Labels; durations: Durations }[] }): void => {
  const metric = {
    name,
    help,
    type: 'histogram',
    get: async () => ({ name, help, type: 'histogram', aggregator: 'sum', values: series().flatMap(({ labels, durations }) => samplesOf(name, labels, durations)) }),
    reset: () => undefined,
  };
  // The registry needs no more of a metric than this.
  registry.registerMetric(metric as unknown as Parameters<Registry['registerMetric']>[0]);
};
