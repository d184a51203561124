/** Server-sent events of one run: what changes in it, as it changes. */
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { PerennialFailure } from '../../domain/failure.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { principalOf } from '../http/guard.ts';
import { problems, RunParams } from '../http/schemas.ts';
import { keyOfRequest } from '../http/session-cookie.ts';
import { showRun } from './read-run.ts';
import type { RunView, StepView } from './run-schemas.ts';
import { isTerminal } from './run-view.ts';

const POLL_MS = 500;
const COMMENT_MS = 15_000;
const CHECK_KEY_MS = 5_000;
const MOST_STREAMS_PER_KEY = 20;
/** A reader that is this far behind is dropped: it comes back and gets the present state. */
const MOST_BUFFERED_BYTES = 1_048_576;

export type RunEvent = { event: 'step' | 'progress' | 'state' | 'end'; data: unknown };

const stepChange = ({ name, state, waitingFor, pool, attempts, failure, durationMs }: StepView, isOpen: boolean) => ({
  name,
  state,
  waitingFor,
  pool,
  attempts,
  failure,
  // The length of an open step changes with every look; only a finished one has one to tell.
  durationMs: isOpen ? null : durationMs,
});

const stepEvents = (before: StepView | undefined, now: StepView): RunEvent[] => {
  const change = (step: StepView) => JSON.stringify(stepChange(step, step.finishedAt === null));
  const isNew = before === undefined ? now.state !== 'notStarted' : change(before) !== change(now);
  const events: RunEvent[] = isNew ? [{ event: 'step', data: stepChange(now, now.finishedAt === null) }] : [];
  const hasProgress = now.progress !== null && JSON.stringify(before?.progress) !== JSON.stringify(now.progress);
  if (hasProgress) events.push({ event: 'progress', data: { name: now.name, ...now.progress } });
  return events;
};

const stateOf = (run: RunView) => ({ runId: run.runId, state: run.state, step: run.step, waitingFor: run.waitingFor, degraded: run.degraded });

/** What to tell after `before`; without it, everything that has happened so far. */
export const eventsBetween = (before: RunView | undefined, now: RunView): RunEvent[] => {
  const steps = now.steps.flatMap((step) => stepEvents(before?.steps.find((earlier) => earlier.name === step.name), step));
  const isChanged = before === undefined || JSON.stringify(stateOf(before)) !== JSON.stringify(stateOf(now));
  const state: RunEvent[] = isChanged ? [{ event: 'state', data: stateOf(now) }] : [];
  const end: RunEvent[] = isTerminal(now.state) ? [{ event: 'end', data: { ...stateOf(now), outcome: now.outcome, failure: now.failure } }] : [];
  return [...steps, ...state, ...end];
};

type Stream = { raw: ServerResponse; runId: string; key: string; signal: AbortSignal };

/** During an outage the stream stays open and says nothing new. */
const look = async (context: ApiContext, runId: string): Promise<RunView | undefined> => {
  try {
    return await showRun(context, runId);
  } catch (error) {
    if (context.isDatabaseOutage(error) || (error instanceof PerennialFailure && error.retryable)) return undefined;
    throw error;
  }
};

const tell = async (context: ApiContext, { raw, runId, key, signal }: Stream): Promise<void> => {
  let before: RunView | undefined;
  let id = 0;
  let commentAt = Date.now() + COMMENT_MS;
  let checkKeyAt = Date.now() + CHECK_KEY_MS;
  while (!signal.aborted && raw.writableLength < MOST_BUFFERED_BYTES) {
    const now = await look(context, runId);
    for (const { event, data } of now === undefined ? [] : eventsBetween(before, now)) {
      id += 1;
      raw.write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    }
    if (now !== undefined && isTerminal(now.state)) return;
    before = now ?? before;
    if (Date.now() > commentAt) {
      commentAt = Date.now() + COMMENT_MS;
      raw.write(': still here\n\n');
    }
    if (Date.now() > checkKeyAt) {
      checkKeyAt = Date.now() + CHECK_KEY_MS;
      if ((await context.keys.find(key).catch(() => null)) === undefined) return;
    }
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
};

/** Counts open streams per key, and ends them all when the app closes. */
const createStreams = () => {
  const open = new Map<string, Set<AbortController>>();
  return {
    enter: (keyId: string): { signal: AbortSignal; leave: () => void; abort: () => void } => {
      const streams = open.get(keyId) ?? new Set();
      if (streams.size >= MOST_STREAMS_PER_KEY) {
        throw new PerennialFailure('Overloaded', `this key has ${streams.size} open event streams, the most that it may have`, { fix: 'Close one, or use another key.' });
      }
      const controller = new AbortController();
      open.set(keyId, streams.add(controller));
      const leave = () => void (streams.delete(controller) && streams.size === 0 && open.delete(keyId));
      return { signal: controller.signal, leave, abort: () => controller.abort() };
    },
    close: () => [...open.values()].forEach((streams) => streams.forEach((controller) => controller.abort())),
  };
};

const HEADERS = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', connection: 'keep-alive', 'x-accel-buffering': 'no' };

export const registerRunEvents = (app: App, context: ApiContext): void => {
  const streams = createStreams();
  app.addHook('preClose', async () => streams.close());
  app.route({
    method: 'GET',
    url: '/api/v1/runs/:id/events',
    // A HEAD would open a stream that nobody reads.
    exposeHeadRoute: false,
    config: { policy: 'read' },
    schema: {
      tags: ['runs'],
      summary: 'What changes in a run, as server-sent events: step, progress, state, and end',
      description: 'A new stream begins with the present state, so nothing is lost by connecting again; Last-Event-ID is taken and not needed.',
      params: RunParams,
      produces: ['text/event-stream'],
      response: problems(404, 429),
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      // A run that is not there is a problem document, not a stream.
      await showRun(context, id);
      const { signal, leave, abort } = streams.enter(principalOf(request).keyId);
      const { raw } = reply.hijack();
      raw.writeHead(200, HEADERS);
      raw.on('close', abort);
      const key = keyOfRequest(request) ?? '';
      try {
        await tell(context, { raw, runId: id, key, signal });
      } catch (error) {
        request.log.error({ err: error, runId: id }, 'an event stream ended in an error');
      } finally {
        leave();
        raw.end();
      }
    },
  });
};
