/** A real S3 server (versitygw) on a temporary folder and a free port, and a proxy in front of it that breaks answers on demand. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ArtifactStoreConfig } from '../../../workers/config.ts';
import { versitygw } from '../../../deploy/local/tools/go-program.ts';

export type S3Server = { config: ArtifactStoreConfig & { kind: 's3' }; bucketFolder: string; stop(): Promise<void> };

const keys = { accessKeyId: 'perennial-test', secretAccessKey: 'canary-secret-of-the-test' };

const listen = (server: Server | ReturnType<typeof createTcpServer>): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });

const freePort = async (): Promise<number> => {
  const server = createTcpServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
};

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

export const startS3Server = async (): Promise<S3Server> => {
  const binary = versitygw.find();
  if (binary === undefined) throw new Error('the S3 server for tests is not there: run `node deploy/local/setup.mjs`');
  const folder = await mkdtemp(join(tmpdir(), 's3-server-'));
  const [root, metadata] = [join(folder, 'root'), join(folder, 'metadata')];
  await Promise.all([mkdir(join(root, 'artifacts'), { recursive: true }), mkdir(metadata, { recursive: true })]);
  const port = await freePort();
  const options = ['--access', keys.accessKeyId, '--secret', keys.secretAccessKey, '--port', `127.0.0.1:${port}`, '--quiet', '--keep-alive'];
  const child = spawn(binary, [...options, 'posix', '--sidecar', metadata, root], { stdio: 'ignore' });
  const deadline = Date.now() + 20_000;
  while (!(await answers(port))) {
    if (Date.now() > deadline || child.exitCode !== null) throw new Error('the S3 server did not come up');
    await delay(50);
  }
  return {
    config: { kind: 's3', bucket: 'artifacts', endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', ...keys },
    bucketFolder: join(root, 'artifacts'),
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/** What the proxy does to requests that `selects` picks. `failTimes` then counts down; others pass. */
export type Fault = { kind: 'status'; status: number } | { kind: 'reset' } | { kind: 'truncate' } | { kind: 'flip' } | { kind: 'hang' };
export type FaultyProxy = { endpoint: string; break(fault: Fault | null, times?: number): void; stop(): Promise<void> };

const spoil = (fault: Fault, answer: IncomingMessage, response: ServerResponse): void => {
  const chunks: Buffer[] = [];
  answer.on('data', (chunk: Buffer) => chunks.push(chunk));
  answer.on('end', () => {
    const body = Buffer.concat(chunks);
    if (fault.kind === 'flip') body[0] = (body[0] ?? 0) ^ 1;
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    if (fault.kind === 'flip') response.end(body);
    else response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
  });
};

/** Breaks GET and PUT requests of objects, never HEAD. */
export const startFaultyProxy = async (target: string): Promise<FaultyProxy> => {
  let fault: Fault | null = null;
  let left = 0;
  const server = createServer((incoming, response) => {
    const active = fault !== null && left > 0 && incoming.method !== 'HEAD' ? fault : null;
    if (active !== null) left -= 1;
    if (active?.kind === 'hang') return;
    if (active?.kind === 'reset') return void incoming.socket.resetAndDestroy();
    if (active?.kind === 'status') return void response.writeHead(active.status).end();
    const forwarded = request(`${target}${incoming.url ?? '/'}`, { method: incoming.method, headers: incoming.headers }, (answer) => {
      if (active !== null) return spoil(active, answer, response);
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    forwarded.on('error', () => response.destroy());
    incoming.pipe(forwarded);
  });
  const port = await listen(server);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    break: (next, times = 1) => {
      fault = next;
      left = times;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
