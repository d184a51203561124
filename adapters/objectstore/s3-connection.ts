/** Connections to an S3 server that do not wait for ever: a socket without traffic is closed, which fails its request. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Client } from 'minio';

const IDLE_MS = 30_000;
const PART_BYTES = 16 * 1024 * 1024;
const RETRIES = 3;

/** Node only announces the time-out of a socket; without this the `minio` client would wait on. */
const closeWhenIdle = <T extends Duplex | null | undefined>(connection: T): T => {
  const socket = connection as Socket | null | undefined;
  socket?.on('timeout', () => socket.destroy(Object.assign(new Error('no traffic on the connection'), { code: 'ETIMEDOUT' })));
  return connection;
};

class IdleHttpAgent extends HttpAgent {
  override createConnection(...given: Parameters<HttpAgent['createConnection']>): ReturnType<HttpAgent['createConnection']> {
    return closeWhenIdle(super.createConnection(...given));
  }
}

class IdleHttpsAgent extends HttpsAgent {
  override createConnection(...given: Parameters<HttpsAgent['createConnection']>): ReturnType<HttpsAgent['createConnection']> {
    return closeWhenIdle(super.createConnection(...given));
  }
}

export type S3Config = { bucket: string; endpoint: string; region: string; accessKeyId: string; secretAccessKey: string };

/**
 * A client for any S3 server, by path-style addresses.
 * @throws Error when the endpoint is no http or https address
 */
export const connectS3 = (config: S3Config, idleMs = IDLE_MS): Client => {
  const url = URL.canParse(config.endpoint) ? new URL(config.endpoint) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || (url.pathname !== '/' && url.pathname !== '')) {
    throw new Error('S3_ENDPOINT must be an address such as https://s3.example.com, without a path');
  }
  const useSSL = url.protocol === 'https:';
  const options = { keepAlive: true, timeout: idleMs };
  return new Client({
    endPoint: url.hostname,
    port: url.port === '' ? (useSSL ? 443 : 80) : Number(url.port),
    useSSL,
    accessKey: config.accessKeyId,
    secretKey: config.secretAccessKey,
    region: config.region,
    pathStyle: true,
    partSize: PART_BYTES,
    retryOptions: { maximumRetryCount: RETRIES, baseDelayMs: 100, maximumDelayMs: 2_000 },
    transportAgent: useSSL ? new IdleHttpsAgent(options) : new IdleHttpAgent(options),
  });
};
