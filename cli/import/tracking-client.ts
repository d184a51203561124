/** A tracking server as an import reads and writes it: MLflow's protocol over HTTP, with waiting for a server that is busy. */
import { setTimeout as delay } from 'node:timers/promises';
import { CliFailure, EXIT } from '../exit-codes.ts';

export type Json = { [key: string]: unknown };

export type TrackingClient = {
  base: string;
  get(path: string): Promise<Json>;
  post(path: string, body: Json): Promise<Json>;
  patch(path: string, body: Json): Promise<Json>;
  /** What the server answers with 404 or 400 of a code is `undefined`. */
  ask(request: Promise<Json>, codes: readonly string[]): Promise<Json | undefined>;
  /** What lies in a folder of artifacts. */
  list(folder: string): Promise<Json>;
  /** The bytes of an artifact as a stream. */
  read(path: string): Promise<ReadableStream<Uint8Array>>;
  write(path: string, body: ReadableStream<Uint8Array>): Promise<void>;
};

const TRIES = 5;
const BUSY = new Set([429, 502, 503, 504]);

/** An answer that is an error of the protocol. */
class Refused extends CliFailure {
  readonly errorCode: string;
  constructor(status: number, errorCode: string, message: string) {
    super(status === 401 || status === 403 ? EXIT.denied : EXIT.failed, { code: errorCode, message, fix: 'Correct what the message names and start the import again: it goes on where it was.' });
    this.errorCode = errorCode;
  }
}

const refusedOf = async (response: Response, what: string): Promise<Refused> => {
  const text = await response.text();
  try {
    const { error_code: code, message } = JSON.parse(text) as { error_code?: string; message?: string };
    return new Refused(response.status, code ?? `HTTP${response.status}`, `${what}: ${message ?? response.status}`);
  } catch {
    return new Refused(response.status, `HTTP${response.status}`, `${what}: the server answered ${response.status}`);
  }
};

export const createTrackingClient = (url: string, authorization: string | undefined): TrackingClient => {
  const base = url.replace(/\/+$/, '');
  const own: Record<string, string> = authorization === undefined ? {} : { authorization };

  const send = async (method: string, path: string, init: RequestInit & { duplex?: 'half' } = {}): Promise<Response> => {
    for (let attempt = 1; ; attempt += 1) {
      const response = await fetch(`${base}/api/2.0/${path}`, { ...init, method, redirect: 'error', headers: { ...own, ...(init.headers as Record<string, string>) } }).catch((error: unknown) => error as Error);
      // A stream that was sent once cannot be sent again.
      const last = attempt === TRIES || init.body instanceof ReadableStream;
      if (response instanceof Error) {
        if (last) throw new CliFailure(EXIT.unreachable, { code: 'Unreachable', message: `${base} cannot be reached (${response.message})`, fix: 'Start the import again when it can: it goes on where it was.' });
      } else if (!BUSY.has(response.status) || last) {
        if (response.ok) return response;
        throw await refusedOf(response, `${method} ${path.split('?', 1)[0]}`);
      }
      await delay(300 * 2 ** attempt);
    }
  };

  const call = async (method: string, path: string, body?: Json): Promise<Json> => {
    const init = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    return (await (await send(method, `mlflow/${path}`, init)).json()) as Json;
  };
  const artifact = (path: string): string => `mlflow-artifacts/artifacts/${path.split('/').map(encodeURIComponent).join('/')}`;

  return {
    base,
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body),
    patch: (path, body) => call('PATCH', path, body),
    ask: async (request, codes) => {
      try {
        return await request;
      } catch (error) {
        if (error instanceof Refused && codes.includes(error.errorCode)) return undefined;
        throw error;
      }
    },
    list: async (folder) => (await (await send('GET', `mlflow-artifacts/artifacts?path=${encodeURIComponent(folder)}`)).json()) as Json,
    read: async (path) => (await send('GET', artifact(path))).body ?? new Blob([]).stream(),
    write: async (path, body) => {
      await (await send('PUT', artifact(path), { body, duplex: 'half', headers: { 'content-type': 'application/octet-stream' } })).arrayBuffer();
    },
  };
};

/** All entries of a list that comes in pages. */
export const pages = async function* (ask: (token: string | undefined) => Promise<Json>, name: string): AsyncGenerator<Json> {
  let token: string | undefined;
  do {
    const page = await ask(token);
    yield* (page[name] as Json[] | undefined) ?? [];
    token = (page['next_page_token'] as string | undefined) || undefined;
  } while (token !== undefined);
};
