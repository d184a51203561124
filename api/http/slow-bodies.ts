/** A body must arrive within a bound, so that slow senders do not hold connections; only routes that declare streams take longer ones. */
import type { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';

const BODY_MS = 30_000;

/** Must be installed before the first route. */
export const boundBodies = (app: FastifyInstance, boundMs = BODY_MS): void => {
  app.addHook('onRequest', async ({ raw, routeOptions }) => {
    if (raw.method === 'GET' || raw.method === 'HEAD' || raw.complete || routeOptions.config?.streams === true) return;
    const timer = setTimeout(() => {
      if (!raw.complete) raw.destroy();
    }, boundMs);
    raw.once('close', () => clearTimeout(timer));
  });
};

/** A body of any length, which is given up when nothing of it comes for this long. */
export async function* boundSilence(body: Readable, boundMs: number): AsyncGenerator<Uint8Array> {
  const timer = setTimeout(() => body.destroy(new Error(`nothing came for ${boundMs} ms`)), boundMs);
  try {
    for await (const chunk of body) {
      yield chunk as Uint8Array;
      timer.refresh();
    }
  } finally {
    clearTimeout(timer);
  }
}
