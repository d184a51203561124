import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { once } from 'node:events';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { createAccess } from '../../../serving/access.ts';
import { createGuard } from '../../../serving/grpc/guard.ts';

let server: Server | undefined;
let session: ClientHttp2Session | undefined;
afterEach(() => {
  session?.destroy();
  server?.forceShutdown();
});

const PATH = '/test/Call';
const identity = (bytes: Buffer): Buffer => bytes;
const method = { path: PATH, requestStream: false, responseStream: false, requestSerialize: identity, requestDeserialize: identity, responseSerialize: identity, responseDeserialize: identity } as const;

/** Begins a call whose message never comes whole. */
const begin = async (permission: 'infer' | null | undefined, access = createAccess()): Promise<ClientHttp2Stream> => {
  const guard = createGuard({ access, permissions: new Map(permission === undefined ? [] : [[PATH, permission]]), log: pino({ level: 'silent' }), messageMs: 100 });
  server = new Server({ interceptors: [guard] });
  server.addService({ call: method }, { call: () => undefined });
  const listening = server;
  const port = await new Promise<number>((resolve, reject) => listening.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error))));
  session = connect(`http://127.0.0.1:${port}`);
  const stream = session.request({ ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc', te: 'trailers' }, { endStream: false });
  stream.write(Buffer.from([0, 0, 0, 0, 9, 1]));
  return stream;
};

const statusOf = async (stream: ClientHttp2Stream): Promise<number> => {
  const [headers] = (await once(stream, 'response')) as [Record<string, string>];
  return Number(headers['grpc-status']);
};

test('a message that does not come in time ends the call', async () => {
  expect(await statusOf(await begin(null))).toBe(status.DEADLINE_EXCEEDED);
});

test('without a key the message is not waited for', async () => {
  const access = createAccess();
  access.replace([]);
  expect(await statusOf(await begin('infer', access))).toBe(status.UNAUTHENTICATED);
});

test('a method without a permission is refused, and so is every one while the keys are not known', async () => {
  expect(await statusOf(await begin(undefined))).toBe(status.PERMISSION_DENIED);
  expect(await statusOf(await begin('infer', createAccess({ waitMs: 1 })))).toBe(status.UNAVAILABLE);
});
