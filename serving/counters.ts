/**
 * The counters that a rollout is judged by, of answers and of shadow copies. They only grow while this process lives, so that writing them again after an outage
 * changes nothing and nothing is lost but what a killed process had not written yet.
 */
import { LATENCY_BUCKETS_MS, type ServingCounters, type ServingRole } from '../contracts/deployment.ts';
import type { ShadowCounters } from '../contracts/shadow.ts';

/** Counters of generations that are no longer served stay this long, for answers that were still under way. */
const KEEP_MS = 60_000;

type Place = { model: string; version: number; generation: number };

type Entry<Counters> = { counters: Counters; written: string; changedAt: number };

type Book<Here extends Place, Counters> = {
  /** The counters of one version in one generation, made on first use. */
  of(place: Here): Counters;
  /** Hands what changed since the last success to `write`; on its failure all of it is handed over again next time. */
  flush(write: (changed: Counters[]) => Promise<void>, isServed: (model: string, generation: number) => boolean): Promise<void>;
};

export type CounterBook = Book<Place & { role: ServingRole }, ServingCounters>;
export type ShadowBook = Book<Place & { against: number }, ShadowCounters>;

/** Counts one latency in its bucket. */
export const countLatency = (counters: { latency: number[] }, milliseconds: number): void => {
  let bucket = 0;
  while (bucket < LATENCY_BUCKETS_MS.length && milliseconds > (LATENCY_BUCKETS_MS[bucket] as number)) bucket += 1;
  counters.latency[bucket] = (counters.latency[bucket] ?? 0) + 1;
};

const noLatencies = (): number[] => new Array<number>(LATENCY_BUCKETS_MS.length + 1).fill(0);

const createBook = <Here extends Place, Counters extends Place>(begin: (place: Here) => Counters): Book<Here, Counters> => {
  const entries = new Map<string, Entry<Counters>>();
  return {
    of: (place) => {
      const key = `${place.model}/${place.version}/${place.generation}`;
      let entry = entries.get(key);
      if (entry === undefined) {
        entry = { counters: begin(place), written: '', changedAt: Date.now() };
        entries.set(key, entry);
      }
      return entry.counters;
    },
    flush: async (write, isServed) => {
      const changed: { entry: Entry<Counters>; text: string }[] = [];
      for (const [key, entry] of entries) {
        const text = JSON.stringify(entry.counters);
        if (text !== entry.written) changed.push({ entry, text });
        else if (!isServed(entry.counters.model, entry.counters.generation) && Date.now() - entry.changedAt > KEEP_MS) entries.delete(key);
      }
      if (changed.length === 0) return;
      await write(changed.map(({ text }) => JSON.parse(text) as Counters));
      for (const { entry, text } of changed) Object.assign(entry, { written: text, changedAt: Date.now() });
    },
  };
};

export const createCounterBook = (): CounterBook => createBook((place) => ({ ...place, requests: 0, failures: 0, fallbacks: 0, unlogged: 0, latency: noLatencies() }));

export const createShadowBook = (): ShadowBook =>
  createBook((place) => ({ ...place, copies: 0, dropped: 0, failures: 0, differing: 0, maximumDifference: 0, latency: noLatencies(), examples: [] }));
