/** A body must arrive within a bound, so that slow senders do not hold connections; only routes that declare streams take longer ones. */
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
