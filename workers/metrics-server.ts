/** A worker's metrics over HTTP: its own at /metrics, those of Temporal's SDK at /metrics/temporal. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { createServer as createPortFinder, type AddressInfo } from 'node:net';
import type { WorkerMetrics } from './metrics.ts';

export type MetricsServer = { port: number; close: () => Promise<void> };

const SDK_MS = 3_000;

const send = (response: ServerResponse, status: number, { type, text }: { type: string; text: string }): void => {
  response.writeHead(status, { 'content-type': type, 'x-content-type-options': 'nosniff' }).end(text);
};

const PLAIN = 'text/plain; charset=utf-8';

/** What the SDK's own exporter says; it listens on loopback alone, so others see it through here. */
const sdkMetrics = async (address: string): Promise<{ type: string; text: string }> => {
  const response = await fetch(`http://${address}/metrics`, { signal: AbortSignal.timeout(SDK_MS) });
  return { type: response.headers.get('content-type') ?? PLAIN, text: await response.text() };
};

const answer = async (path: string, metrics: WorkerMetrics, sdkAddress: string): Promise<{ type: string; text: string } | undefined> => {
  if (path === '/metrics') return { type: metrics.contentType, text: await metrics.text() };
  if (path === '/metrics/temporal') return sdkMetrics(sdkAddress);
  if (path === '/healthz') return { type: PLAIN, text: 'ok\n' };
  return undefined;
};

/**
 * Serves until `close`. Port 0 takes a free one.
 * @throws Error that names the variable when the port is taken
 */
export const serveMetrics = async (metrics: WorkerMetrics, place: { bind: string; port: number; sdkAddress: string }): Promise<MetricsServer> => {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, { type: PLAIN, text: 'only GET\n' });
    answer((request.url ?? '').split('?', 1)[0] ?? '', metrics, place.sdkAddress).then(
      (found) => (found === undefined ? send(response, 404, { type: PLAIN, text: 'see /metrics, /metrics/temporal and /healthz\n' }) : send(response, 200, found)),
      (error: unknown) => send(response, 503, { type: PLAIN, text: `${error instanceof Error ? error.message : String(error)}\n` }),
    );
  });
  server.listen(place.port, place.bind);
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EADDRINUSE' ? new Error(`port ${place.port} is taken: set PERENNIAL_METRICS_PORT to a free one`) : error;
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
};

/** A free address on loopback for the SDK's exporter, which cannot tell which port it took. */
export const freeLoopbackAddress = async (): Promise<string> => {
  const finder = createPortFinder().listen(0, '127.0.0.1');
  await once(finder, 'listening');
  const { port } = finder.address() as AddressInfo;
  finder.close();
  await once(finder, 'close');
  return `127.0.0.1:${port}`;
};
