/** Follows a run by server-sent events. Each event is a reason to read the run again: so nothing is lost by a stream that broke and came back. */
import { useEffect } from 'preact/hooks';
import { refresh, urlOf } from './query.ts';

const EVENTS = ['step', 'progress', 'state', 'end'];
/** Many steps may change at once; they are read together. */
const GATHER_MS = 150;
const AGAIN_MS = 1_000;

const follow = (runId: string): (() => void) => {
  const url = urlOf('/api/v1/runs/{id}', { params: { id: runId } });
  let source: EventSource | undefined;
  let reading: ReturnType<typeof setTimeout> | undefined;
  let again: ReturnType<typeof setTimeout> | undefined;
  const read = (): void => {
    reading ??= setTimeout(() => {
      reading = undefined;
      void refresh(url);
    }, GATHER_MS);
  };
  const open = (): void => {
    source = new EventSource(`${urlOf('/api/v1/runs/{id}', { params: { id: runId } })}/events`);
    for (const event of EVENTS) source.addEventListener(event, read);
    source.addEventListener('end', () => source?.close());
    source.addEventListener('error', () => {
      // The browser opens a broken stream again by itself, but not one that was refused while the API started.
      if (source?.readyState === EventSource.CLOSED) again = setTimeout(open, AGAIN_MS);
    });
  };
  open();
  return () => {
    source?.close();
    clearTimeout(reading);
    clearTimeout(again);
  };
};

/** While `isOpen`. */
export const useLiveRun = (runId: string, isOpen: boolean): void => useEffect(() => (isOpen ? follow(runId) : undefined), [runId, isOpen]);
