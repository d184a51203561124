/**
 * What was read from the API, kept by address: a page shows what is there at once and asks again in the background, so nothing jumps. During an outage
 * the last answer stays, with a note, and the asking goes on.
 */
import { signal, type Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { isOutage, pathOf, problemFrom, send, type Problem } from '../api/client.ts';
import type { Answer, Query, ReadPath } from '../api/types.ts';
import { session } from './session.ts';

export type Read<T> = { data: T | undefined; problem: Problem | undefined };

type Question = { path: string; body?: unknown };
type Entry = { question: Question; read: Signal<Read<unknown>>; readers: number; asking: AbortController | undefined; askedAt: number };

const entries = new Map<string, Entry>();
const MOST_KEPT = 200;

/** When the API last failed to answer; null while it does. */
export const outageSince = signal<number | null>(null);

/** A question with a body is a search: it changes nothing, and is kept by what it asks. */
const keyOf = ({ path, body }: Question): string => (body === undefined ? path : `${path}\n${JSON.stringify(body)}`);

const entryOf = (question: Question): Entry => {
  const url = keyOf(question);
  const known = entries.get(url);
  if (known !== undefined) return known;
  if (entries.size >= MOST_KEPT) for (const [key, { readers }] of entries) if (readers === 0) entries.delete(key);
  const entry: Entry = { question, read: signal<Read<unknown>>({ data: undefined, problem: undefined }), readers: 0, asking: undefined, askedAt: 0 };
  entries.set(url, entry);
  return entry;
};

const settle = (entry: Entry, read: Read<unknown>): void => {
  const before = entry.read.peek();
  // The same answer again changes nothing, so nothing is drawn again.
  if (read.problem === before.problem && JSON.stringify(read.data) === JSON.stringify(before.data)) return;
  entry.read.value = read;
};

/** Asks now; a question that is under way is awaited instead. */
export const refresh = (path: string): Promise<void> => ask(entryOf({ path }));

const ask = async (entry: Entry): Promise<void> => {
  const { path, body } = entry.question;
  if (entry.asking !== undefined) return;
  const asking = new AbortController();
  entry.asking = asking;
  entry.askedAt = Date.now();
  try {
    const data = await send<unknown>(path, { signal: asking.signal, ...(body === undefined ? {} : { method: 'POST', body }) });
    outageSince.value = null;
    settle(entry, { data, problem: undefined });
  } catch (error) {
    if (asking.signal.aborted) return;
    const problem = problemFrom(error);
    if (problem.status === 401) session.value = null;
    if (isOutage(problem)) outageSince.value ??= Date.now();
    else outageSince.value = null;
    settle(entry, { data: entry.read.peek().data, problem });
  } finally {
    entry.asking = undefined;
  }
};

/** Asks again whatever is shown: after an act. */
export const refreshAll = (): Promise<unknown> => Promise.all([...entries.values()].filter(({ readers }) => readers > 0).map(ask));

const OUTAGE_POLL_MS = 1_000;

const startAsking = (entry: Entry, pollMs: number): (() => void) => {
  entry.readers += 1;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  const again = async (): Promise<void> => {
    if (!document.hidden || entry.read.peek().data === undefined) await ask(entry);
    if (!isOver) timer = setTimeout(() => void again(), outageSince.peek() === null ? pollMs : OUTAGE_POLL_MS);
  };
  const onVisible = (): void => {
    if (!document.hidden) void ask(entry);
  };
  document.addEventListener('visibilitychange', onVisible);
  void again();
  return () => {
    isOver = true;
    entry.readers -= 1;
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', onVisible);
  };
};

type Asked<P extends ReadPath> = { params?: Record<string, string | number>; query?: Query<P>; pollMs?: number };

export const urlOf = <P extends ReadPath>(path: P, { params, query }: Pick<Asked<P>, 'params' | 'query'> = {}): string => pathOf(path, params, query as Record<string, unknown> | undefined);

const POLL_MS = 4_000;

const useQuestion = (question: Question, pollMs: number): Read<unknown> => {
  const entry = entryOf(question);
  useEffect(() => startAsking(entry, pollMs), [entry, pollMs]);
  return entry.read.value;
};

/** What a path answers, asked again every `pollMs` while the page is seen. */
export const useRead = <P extends ReadPath>(path: P, { params, query, pollMs = POLL_MS }: Asked<P> = {}): Read<Answer<P>> => {
  const url = urlOf(path, { ...(params === undefined ? {} : { params }), ...(query === undefined ? {} : { query }) });
  return useQuestion({ path: url }, pollMs) as Read<Answer<P>>;
};

/** What a search answers, or a path whose answer the OpenAPI document does not describe. */
export const useSearch = <T>(path: string, { body, pollMs = POLL_MS }: { body?: unknown; pollMs?: number } = {}): Read<T> =>
  useQuestion({ path, ...(body === undefined ? {} : { body }) }, pollMs) as Read<T>;
