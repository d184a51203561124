/**
 * Counts requests that no version could read, by reason and input, and never what was in them. Only a refusal costs anything. Counts are
 * kept per span of time, so that the monitor can tell to which window they belong, and only grow, so that writing them
 * again changes nothing.
 */
import { REFUSAL_SPAN_MS, type Refusal, type RefusalCount } from '../contracts/live-inputs.ts';

/** A flood of different refusals must not grow without bound: what is beyond is counted without its input. */
const MOST_KINDS_PER_SPAN = 200;
/** Spans that could not be written (an hour of them); older ones are dropped. */
const MOST_SPANS = 360;

type Place = { model: string; version: number };
type Span = { at: number; counts: Map<string, RefusalCount>; written: string };

export type RefusalBook = {
  count(place: Place, refusal: Refusal): void;
  /** Hands what changed since the last success to `write`; on its failure all of it is handed over again next time. */
  flush(write: (changed: RefusalCount[]) => Promise<void>): Promise<void>;
  /** Refusals since the process began, for metrics. */
  totals(): (Place & { reason: Refusal['reason']; requests: number })[];
};

const textOf = ({ counts }: Span): string => JSON.stringify([...counts.values()]);

/** @param now the clock, in milliseconds since the epoch */
export const createRefusalBook = (now: () => number = Date.now): RefusalBook => {
  const spans: Span[] = [];
  const totals = new Map<string, ReturnType<RefusalBook['totals']>[number]>();
  const currentSpan = (): Span => {
    const at = Math.floor(now() / REFUSAL_SPAN_MS) * REFUSAL_SPAN_MS;
    const last = spans.at(-1);
    if (last !== undefined && last.at >= at) return last;
    const span: Span = { at, counts: new Map(), written: '' };
    spans.push(span);
    if (spans.length > MOST_SPANS) spans.shift();
    return span;
  };
  const countTotal = ({ model, version }: Place, reason: Refusal['reason']): void => {
    const key = `${model}/${version}/${reason}`;
    const total = totals.get(key) ?? { model, version, reason, requests: 0 };
    total.requests += 1;
    totals.set(key, total);
  };
  return {
    count: ({ model, version }, { reason, input }) => {
      countTotal({ model, version }, reason);
      const { at, counts } = currentSpan();
      const named = `${model}/${version}/${reason}/${input ?? ''}`;
      const isKept = input === null || counts.has(named) || counts.size < MOST_KINDS_PER_SPAN;
      const key = isKept ? named : `${model}/${version}/${reason}/`;
      const entry = counts.get(key) ?? { model, version, at, reason, input: isKept ? input : null, requests: 0 };
      entry.requests += 1;
      counts.set(key, entry);
    },
    flush: async (write) => {
      const changed = spans.map((span) => ({ span, text: textOf(span) })).filter(({ span, text }) => text !== span.written);
      const counts = changed.flatMap(({ text }) => JSON.parse(text) as RefusalCount[]);
      if (counts.length > 0) await write(counts);
      for (const { span, text } of changed) span.written = text;
      // A span that is over and written has nothing more to say.
      const over = now() - REFUSAL_SPAN_MS;
      while (spans[0] !== undefined && spans[0].at < over && textOf(spans[0]) === spans[0].written) spans.shift();
    },
    totals: () => [...totals.values()],
  };
};
