/** A client of the gateway: keep-alive connections, V2 JSON. */
import { Agent, request } from 'undici';

export type Answer = { status: number; headers: Record<string, string | string[] | undefined>; body: { error?: string; id?: string; model_version?: string; outputs?: { name: string; shape: number[]; datatype: string; data: (number | string | boolean | null)[] }[] } };

export type Client = {
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** One row for a model with the input `x`. */
  infer(model: string, x: readonly unknown[], headers?: Record<string, string>): Promise<Answer>;
  close(): Promise<void>;
};

/** Body of a request with the input `x`, one row or several. */
export const rowsBody = (rows: readonly (readonly unknown[])[]): object => ({ inputs: [{ name: 'x', shape: [rows.length, 3], datatype: 'FP32', data: rows.flat() }] });

export const createClient = (url: string, key: string | undefined): Client => {
  const dispatcher = new Agent({ connections: 64 });
  const authorization: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const ask = async (method: 'GET' | 'POST', path: string, options: { body?: string; headers?: Record<string, string> | undefined }): Promise<Answer> => {
    const answer = await request(`${url}${path}`, { method, dispatcher, headers: { ...authorization, ...options.headers }, ...(options.body === undefined ? {} : { body: options.body }) });
    const text = await answer.body.text();
    const isJson = String(answer.headers['content-type']).includes('json');
    return { status: answer.statusCode, headers: answer.headers, body: (isJson ? JSON.parse(text) : { error: text }) as Answer['body'] };
  };
  const post: Client['post'] = (path, body, headers) => ask('POST', path, { body: typeof body === 'string' ? body : JSON.stringify(body), headers });
  return {
    post,
    get: (path, headers) => ask('GET', path, { headers }),
    infer: (model, x, headers) => post(`/v2/models/${model}/infer`, rowsBody([x]), headers),
    close: () => dispatcher.destroy(),
  };
};
