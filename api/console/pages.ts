/** Serves the console: one page for all its addresses, and its files. Both need no key: they hold no data. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PerennialFailure } from '../../domain/failure.ts';
import type { App } from '../http/app-types.ts';
import type { ConsoleFile, ConsoleFiles } from './console-files.ts';

export const CONSOLE_PREFIX = '/console';

/** No script but the console's own files, nothing from elsewhere, in no frame. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const SECURITY = { 'content-security-policy': CONTENT_SECURITY_POLICY, 'x-content-type-options': 'nosniff', 'referrer-policy': 'same-origin', 'cross-origin-opener-policy': 'same-origin' };

/** Names of built files carry a hash of their content. */
const FOR_GOOD = 'public, max-age=31536000, immutable';

const send = (request: FastifyRequest, reply: FastifyReply, { file, cache }: { file: ConsoleFile; cache: string }): FastifyReply => {
  const isZipped = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  void reply.headers({ ...SECURITY, 'content-type': file.type, 'cache-control': cache, vary: 'accept-encoding' });
  return isZipped ? reply.header('content-encoding', 'gzip').send(file.zipped) : reply.send(file.bytes);
};

const NOT_BUILT = new PerennialFailure('RouteNotFound', 'the console was not built', { fix: 'Run npm run console:build and start the API again.' });

export const registerConsolePages = (app: App, files: ConsoleFiles): void => {
  const page = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    if (files.page === undefined) throw NOT_BUILT;
    return send(request, reply, { file: files.page, cache: 'no-cache' });
  };
  const hidden = { config: { policy: 'open' as const }, schema: { hide: true } };
  app.route({ method: 'GET', url: '/', ...hidden, handler: async (_request, reply) => reply.redirect(CONSOLE_PREFIX, 302) });
  app.route({ method: 'GET', url: CONSOLE_PREFIX, ...hidden, handler: async (request, reply) => page(request, reply) });
  app.route({ method: 'GET', url: `${CONSOLE_PREFIX}/*`, ...hidden, handler: async (request, reply) => page(request, reply) });
  app.route({
    method: 'GET',
    url: `${CONSOLE_PREFIX}/assets/*`,
    ...hidden,
    handler: async (request, reply) => {
      const path = `assets/${(request.params as { '*': string })['*']}`;
      const file = files.find(path);
      if (file === undefined) throw new PerennialFailure('RouteNotFound', 'the console has no such file');
      return send(request, reply, { file, cache: FOR_GOOD });
    },
  });
};
