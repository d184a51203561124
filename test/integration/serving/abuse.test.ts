import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient, rowsBody, type Answer, type Client } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import type { GatewayProcess } from './support/gateway-process.ts';
import { startRig, type Rig } from './support/rig.ts';

let rig: Rig;
let gateway: GatewayProcess;
let client: Client;

beforeAll(async () => {
  rig = await startRig();
  await rig.register('sum', 1, 'sum-a');
  await rig.deploy('sum', { stable: 1 });
  gateway = await rig.startGateway();
  client = createClient(gateway.url, rig.key);
  await eventually(async () => (await client.infer('sum', [1, 1, 1])).status === 200, { what: 'the gateway serves' });
});

afterAll(async () => {
  await client?.close();
  await rig?.stop();
});

const PATH = '/v2/models/sum/infer';

/** Writes raw bytes on a connection and gives all that comes back until it is closed. */
const exchange = async (...parts: string[]): Promise<string> => {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  for (const part of parts) socket.write(part);
  await once(socket, 'close');
  return text;
};

const head = (...headers: string[]): string => `POST ${PATH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${rig.key}\r\n${headers.join('\r\n')}\r\n\r\n`;

/** A body of many chunks, each written on its own. */
const postInChunks = (chunks: number, bytes: number): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const request = httpRequest(`${gateway.url}${PATH}`, { method: 'POST', headers: { authorization: `Bearer ${rig.key}`, 'transfer-encoding': 'chunked' } }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(text) as Answer['body'] }));
    });
    request.on('error', reject);
    for (let index = 0; index < chunks; index += 1) request.write(' '.repeat(bytes));
    request.end(JSON.stringify(rowsBody([[1, 2, 3]])));
  });

const expectRefused = (answer: Answer, status: number, code: string): void => {
  expect(answer.status).toBe(status);
  expect(answer.headers['x-perennial-error']).toBe(code);
  expect(answer.body.error).toEqual(expect.any(String));
  expect(answer.body.error).not.toMatch(/\/(work|root|tmp|home)|\bat \w+ \(/);
};

test('bodies that are no request', async () => {
  for (const body of ['', '{', 'null', '[]', '5', '"x"', '{"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[NaN,1,1]}]}', '[' .repeat(100_000), `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`]) {
    const answer = await client.post(PATH, body);
    expect([answer.status, answer.headers['x-perennial-error']]).toEqual([400, expect.stringMatching(/^(MalformedBody|InferenceInvalid)$/)]);
  }
  const numbers = await client.post(PATH, '{"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[1e400,1,1]}]}');
  expectRefused(numbers, 400, 'InferenceInvalid');
  for (const text of ['{"__proto__":{"a":1},"inputs":[]}', '{"constructor":{"prototype":{"a":1}},"inputs":[]}']) expectRefused(await client.post(PATH, text), 400, 'InferenceInvalid');
});

test('a billion rows cost nothing', async () => {
  const answer = await client.post(PATH, { inputs: [{ name: 'x', shape: [1_000_000_000, 3], datatype: 'FP32', data: [1, 2, 3] }] });
  expectRefused(answer, 400, 'InferenceInvalid');
});

test('a body that is no UTF-8', async () => {
  const answer = await exchange(head('content-length: 2', 'connection: close'), '\x7f\xff');
  expect(answer).toMatch(/^HTTP\/1.1 400/);
});

test('8 MB is the limit, declared or not', async () => {
  const declared = await exchange(head('content-length: 9000000'));
  expect(declared).toMatch(/^HTTP\/1.1 413/);
  expect(declared).toContain('x-perennial-error: PayloadTooLarge');
  const chunked = await postInChunks(200, 65_536).catch((error: NodeJS.ErrnoException) => error.code);
  // The server may close while the client still writes.
  if (typeof chunked === 'string') expect(['EPIPE', 'ECONNRESET']).toContain(chunked);
  else expectRefused(chunked as Answer, 413, 'PayloadTooLarge');
  expect((await client.infer('sum', [1, 1, 1])).status).toBe(200);
});

test('very many tiny chunks are just a body', async () => {
  expect((await postInChunks(50_000, 6)).body.outputs?.[0]?.data).toEqual([7]);
});

test('paths that are no route, and names that are no name', async () => {
  for (const path of ['/', '/v2/models/sum/explain', '/v2/models/sum/versions', '/v2/repository/list', '/v2/models/sum/versions/1/infer/more']) expectRefused(await client.get(path), 404, 'RouteNotFound');
  for (const name of ['..', '%2e%2e', '..%2f..%2fetc', 'a%00', '__proto__', `${'a'.repeat(129)}`, '.hidden', 'a b'.replace(' ', '%20')]) {
    const answer = await client.post(`/v2/models/${name}/infer`, rowsBody([[1, 1, 1]]));
    expect([answer.status, answer.headers['x-perennial-error']]).toEqual([404, expect.stringMatching(/^(ModelNotFound|RouteNotFound)$/)]);
  }
  for (const version of ['0', '-1', '1.0', 'latest', '99999999999']) expectRefused(await client.post(`/v2/models/sum/versions/${version}/infer`, rowsBody([[1, 1, 1]])), 404, 'ModelVersionNotFound');
  expect((await client.get(PATH)).status).toBe(405);
});

test('ids and keys that are unfit', async () => {
  const odd = await client.infer('sum', [1, 1, 1], { 'x-request-id': 'a b' });
  expect(odd.body.id).toMatch(/^[0-9a-f-]{36}$/);
  expectRefused(await client.infer('sum', [1, 1, 1], { 'x-perennial-key': 'k'.repeat(257) }), 400, 'InferenceInvalid');
  expectRefused(await client.post(PATH, { ...rowsBody([[1, 1, 1]]), id: 5 }), 400, 'InferenceInvalid');
  expectRefused(await client.post(PATH, { ...rowsBody([[1, 1, 1]]), outputs: [{ name: 'other' }] }), 400, 'InferenceInvalid');
});

test('a binary part that is not what the JSON says', async () => {
  const json = JSON.stringify(rowsBody([[1, 1, 1]]));
  for (const length of ['10', String(json.length + 1), '-1', 'x']) expectRefused(await client.post(PATH, json, { 'inference-header-content-length': length }), 400, 'MalformedBody');
  expectRefused(await client.post(PATH, `${json}12`, { 'inference-header-content-length': String(json.length) }), 400, 'InferenceInvalid');
});

test('headers that are too long', async () => {
  expect(await exchange(head(`x-long: ${'x'.repeat(40_000)}`))).toMatch(/^HTTP\/1.1 431/);
});

test('a client that never ends its headers loses its connection', async () => {
  const begun = Date.now();
  expect(await exchange(`POST ${PATH} HTTP/1.1\r\nhost: x\r\n`)).toMatch(/^HTTP\/1.1 408/);
  expect(Date.now() - begun).toBeLessThan(20_000);
});
