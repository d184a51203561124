/** Requests to the API of this server: the session's cookie goes along by itself, and the header says that the console asks. */

/** A problem document (RFC 9457), or what stands for one when nothing answered. */
export type Problem = { status: number; code: string; title: string; detail: string; fix: string };

export class ApiProblem extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

const UNREACHABLE: Problem = { status: 0, code: 'Unreachable', title: 'The API does not answer', detail: 'the API does not answer', fix: 'It is asked again by itself. If this stays, see whether "perennial up" still runs.' };

const problemOf = async (response: Response): Promise<Problem> => {
  const fallback: Problem = { status: response.status, code: `Http${response.status}`, title: `The API answered ${response.status}`, detail: `the API answered ${response.status}`, fix: 'Try again; the log of the API has the rest.' };
  try {
    const body = (await response.json()) as Partial<Problem> & { error_code?: string; message?: string };
    // MLflow's protocol has errors of its own form.
    const foreign = body.error_code === undefined ? {} : { code: body.error_code, title: 'The request was refused', detail: body.message ?? fallback.detail, fix: 'Change the request as it says.' };
    return { ...fallback, ...foreign, ...body, status: response.status };
  } catch {
    return fallback;
  }
};

/** True when the same request may well succeed a moment later. */
export const isOutage = ({ status }: Problem): boolean => status === 0 || status === 502 || status === 503 || status === 504;

type Sent = { method?: 'GET' | 'POST' | 'PUT' | 'DELETE'; body?: unknown; idempotencyKey?: string; signal?: AbortSignal };

/** One request. @throws ApiProblem, or AbortError when its signal says so */
export const send = async <T>(path: string, { method = 'GET', body, idempotencyKey, signal }: Sent = {}): Promise<T> => {
  const headers: Record<string, string> = { 'x-perennial-console': '1', accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey;
  let response: Response;
  try {
    response = await fetch(path, { method, headers, credentials: 'same-origin', ...(body === undefined ? {} : { body: JSON.stringify(body) }), ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiProblem(UNREACHABLE);
  }
  if (!response.ok) throw new ApiProblem(await problemOf(response));
  return (response.status === 204 ? undefined : await response.json()) as T;
};

export const problemFrom = (error: unknown): Problem => (error instanceof ApiProblem ? error.problem : { ...UNREACHABLE, code: 'Unexpected', title: 'Something went wrong', detail: String(error), fix: 'Load the page again.' });

/** A path with its parameters in, each encoded; a query without the undefined ones. */
export const pathOf = (template: string, params: Record<string, string | number> = {}, query: Record<string, unknown> = {}): string => {
  const path = template.replaceAll(/\{([a-zA-Z]+)\}/g, (_, name: string) => encodeURIComponent(String(params[name] ?? '')));
  const entries = Object.entries(query).filter((entry) => entry[1] !== undefined && entry[1] !== null && entry[1] !== '');
  const text = new URLSearchParams(entries.map(([name, value]) => [name, String(value)])).toString();
  return text === '' ? path : `${path}?${text}`;
};
