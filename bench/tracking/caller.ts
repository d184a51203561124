/** One keep-alive connection to a server: the same bare client for both, so that none pays for the other's. */
import { Agent, request, type IncomingMessage } from 'node:http';

export type Caller = (method: 'GET' | 'POST', path: string, body?: object) => Promise<unknown>;

const readAll = async (response: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
};

/** @throws Error of the call when the answer is not 200 */
export const createCaller = (base: string, key: string | undefined): Caller => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) };
      const sent = request(`${base}/api/2.0/mlflow/${path}`, { method, agent, headers }, (response) => {
        readAll(response).then((answer) => {
          if (response.statusCode === 200) resolve(JSON.parse(answer));
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${answer.slice(0, 300)}`));
        }, reject);
      });
      sent.on('error', reject);
      sent.end(text);
    });
};
