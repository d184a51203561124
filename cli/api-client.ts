/** The command line's way to the API: plain HTTP, whose errors become exit codes. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CliFailure, EXIT } from './exit-codes.ts';

export type ApiClient = {
  get<T>(path: string): Promise<T>;
  put<T>(path: string, body: unknown): Promise<T>;
  /** Safe to send again: it carries an Idempotency-Key, the given one or one of its own. */
  post<T>(path: string, body: unknown, key?: string): Promise<T>;
  delete(path: string): Promise<void>;
  /** The bytes of an answer as they come; a break in them is an error while they are read. */
  stream(path: string): Promise<AsyncIterable<Uint8Array>>;
  /** Server-sent events until the stream ends. @throws CliFailure when it cannot be opened */
  events(path: string, signal: AbortSignal): AsyncGenerator<{ event: string; data: unknown }>;
};

type Problem = { code?: string; detail?: string; title?: string; fix?: string; status?: number; requestId?: string; errors?: { path: string; message: string; fix: string; line?: number }[] };

const REQUEST_MS = 90_000;
const TRIES = 3;

const exitCodeOf = (status: number): number => {
  if (status === 401 || status === 403) return EXIT.denied;
  if (status === 502 || status === 503 || status === 504) return EXIT.unreachable;
  return status >= 500 ? EXIT.failed : EXIT.usage;
};

const problemOf = (text: string): Problem => {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
};

const failureOf = (status: number, text: string): CliFailure => {
  const problem = problemOf(text);
  const message = problem.detail ?? problem.title ?? `the server answered ${status}`;
  const lines = (problem.errors ?? []).map((error) => `${error.path === '' ? '' : `${error.path}: `}${error.message}  (${error.fix})`);
  const id = problem.code === 'Internal' && problem.requestId !== undefined ? ` (id ${problem.requestId})` : '';
  return new CliFailure(exitCodeOf(status), { code: problem.code ?? `HTTP${status}`, message: `${message}${id}`, fix: problem.fix ?? 'Is this the address of the API?', lines: lines.length > 1 ? lines : [] });
};

const unreachable = (url: string, error: unknown): CliFailure => {
  const cause = error instanceof Error && error.cause instanceof Error ? ((error.cause as NodeJS.ErrnoException).code ?? error.cause.message) : error instanceof Error ? error.message : String(error);
  return new CliFailure(EXIT.unreachable, { code: 'ApiUnreachable', message: `the API at ${url} cannot be reached (${cause})`, fix: 'Start it with `npx --no perennial up`, or give its address by --url or PERENNIAL_URL.' });
};

/** Cuts a byte stream into server-sent events. */
const readEvents = async function* (body: ReadableStream<Uint8Array>): AsyncGenerator<{ event: string; data: unknown }> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
      if (fields['event'] !== undefined && fields['data'] !== undefined) yield { event: fields['event'], data: JSON.parse(fields['data']) as unknown };
    }
  }
};

export const createApiClient = ({ url, apiKey }: { url: string; apiKey: string | undefined }): ApiClient => {
  const base = url.replace(/\/+$/, '');
  const authorization: Record<string, string> = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };

  const send = async (path: string, request: { method: string; body?: unknown; headers?: Record<string, string> }): Promise<Response> => {
    const body = request.body === undefined ? {} : { body: JSON.stringify(request.body) };
    const headers = { ...authorization, ...(request.body === undefined ? {} : { 'content-type': 'application/json' }), ...request.headers };
    // Every request here may be sent again: reads, PUT, DELETE, and POST with its key.
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await fetch(`${base}${path}`, { method: request.method, headers, ...body, redirect: 'error', signal: AbortSignal.timeout(REQUEST_MS) });
      } catch (error) {
        if (attempt === TRIES) throw unreachable(base, error);
        await delay(200 * attempt);
      }
    }
  };

  const call = async <T>(path: string, request: { method: string; body?: unknown; headers?: Record<string, string> }): Promise<T> => {
    const response = await send(path, request);
    const text = await response.text();
    if (!response.ok) throw failureOf(response.status, text);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  };

  const stream: ApiClient['stream'] = async (path) => {
    let response: Response;
    try {
      response = await fetch(`${base}${path}`, { headers: authorization, redirect: 'error' });
    } catch (error) {
      throw unreachable(base, error);
    }
    if (!response.ok) throw failureOf(response.status, await response.text());
    return (response.body ?? []) as unknown as AsyncIterable<Uint8Array>;
  };

  const events: ApiClient['events'] = async function* (path, signal) {
    let response: Response;
    try {
      response = await fetch(`${base}${path}`, { headers: authorization, redirect: 'error', signal });
    } catch (error) {
      throw unreachable(base, error);
    }
    if (!response.ok || response.body === null) throw failureOf(response.status, await response.text());
    yield* readEvents(response.body);
  };

  return {
    get: (path) => call(path, { method: 'GET' }),
    put: (path, body) => call(path, { method: 'PUT', body }),
    post: (path, body, key = randomUUID()) => call(path, { method: 'POST', body, headers: { 'idempotency-key': key } }),
    delete: (path) => call(path, { method: 'DELETE' }),
    stream,
    events,
  };
};
