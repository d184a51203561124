/** The demo's client of the HTTP API: typed just as far as the demo reads the answers. */
import { setTimeout as pause } from 'node:timers/promises';

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, body: string) {
    const problem = ((): { code?: string; detail?: string } => {
      try {
        return JSON.parse(body) as { code?: string; detail?: string };
      } catch {
        return {};
      }
    })();
    super(`${status} ${problem.code ?? ''} ${problem.detail ?? body.slice(0, 300)}`);
    this.status = status;
    this.code = problem.code ?? '';
  }
}

/** True for errors that a server being restarted gives: the request is sent again. */
const isOutage = (error: unknown): boolean =>
  error instanceof ApiError ? error.status === 503 || error.status === 502 : error instanceof TypeError || (error as { name?: string }).name === 'TimeoutError';

/**
 * @param patienceMs how long one call goes on through refused connections and 503 answers; every call is idempotent
 * (reads, PUTs, and POSTs with an Idempotency-Key), so that sending it again is safe
 */
export const createApiClient = (options: { url: string; apiKey: string; patienceMs?: number }) => {
  const once = async <T>(method: string, path: string, body: unknown, headers: Record<string, string>): Promise<T> => {
    const text = typeof body === 'string' ? body : body === undefined ? undefined : JSON.stringify(body);
    const response = await fetch(`${options.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${options.apiKey}`, ...(text === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(text === undefined ? {} : { body: text }),
      signal: AbortSignal.timeout(20_000),
    });
    const answer = await response.text();
    if (!response.ok) throw new ApiError(response.status, answer);
    return (answer === '' ? undefined : JSON.parse(answer)) as T;
  };

  const call = async <T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> => {
    const until = Date.now() + (options.patienceMs ?? 60_000);
    for (;;) {
      try {
        return await once<T>(method, path, body, headers);
      } catch (error) {
        if (!isOutage(error) || Date.now() > until) throw error;
        await pause(250);
      }
    }
  };

  return {
    get: <T>(path: string) => call<T>('GET', path),
    put: <T>(path: string, body: unknown, headers?: Record<string, string>) => call<T>('PUT', path, body, headers),
    /** One CloudEvent in structured mode; its source and id make it safe to send again. */
    event: <T>(event: Record<string, unknown>) => call<T>('POST', '/events', event, { 'content-type': 'application/cloudevents+json' }),
    /** `key` makes the request safe to send again. */
    post: <T>(path: string, body: unknown, key?: string) => call<T>('POST', path, body, key === undefined ? {} : { 'idempotency-key': key }),
  };
};

export type ApiClient = ReturnType<typeof createApiClient>;
