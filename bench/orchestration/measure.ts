/** Measures contenders in turn, so that whatever else the machine does meets them alike. */
import type { Contender } from './contenders.ts';

const LATENCY_POLL_MS = 5;
/** Fifty pollers: often enough for seconds, and few enough not to be the load themselves. */
const THROUGHPUT_POLL_MS = 200;

export type Samples = Record<Contender['name'], number[]>;

const emptySamples = (): Samples => ({ perennial: [], 'bare SDK': [] });

/** Each round begins with the other contender than the one before. */
const inTurn = (contenders: readonly Contender[], round: number): Contender[] => (round % 2 === 0 ? [...contenders] : [...contenders].reverse());

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
};

/** Milliseconds of single runs, one at a time. */
export const measureLatency = async (contenders: readonly Contender[], rounds: number): Promise<Samples> => {
  const samples = emptySamples();
  for (let round = 0; round < rounds; round += 1) {
    for (const contender of inTurn(contenders, round)) samples[contender.name].push(await timed(() => contender.run(LATENCY_POLL_MS)));
  }
  return samples;
};

/** Runs per second of `concurrency` runs started at once. */
export const measureThroughput = async (contenders: readonly Contender[], { rounds, concurrency }: { rounds: number; concurrency: number }): Promise<Samples> => {
  const samples = emptySamples();
  for (let round = 0; round < rounds; round += 1) {
    for (const contender of inTurn(contenders, round)) {
      const milliseconds = await timed(() => Promise.all(Array.from({ length: concurrency }, () => contender.run(THROUGHPUT_POLL_MS))));
      samples[contender.name].push((concurrency / milliseconds) * 1_000);
    }
  }
  return samples;
};

export const quantile = (samples: readonly number[], share: number): number => {
  const sorted = [...samples].sort((left, right) => left - right);
  const place = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(place)] ?? Number.NaN, sorted[Math.ceil(place)] ?? Number.NaN];
  return low + (high - low) * (place - Math.floor(place));
};

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

/**
 * Median over rounds of `of` divided by `by` in the same round: the two stand beside each other in time, so a machine that is busier in
 * one round than in another does not decide.
 */
export const pairedRatio = (of: readonly number[], by: readonly number[]): number => Number(median(of.map((sample, round) => sample / (by[round] ?? Number.NaN))).toFixed(3));
