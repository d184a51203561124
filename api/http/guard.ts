/**
 * The one guard. Every route declares a policy in its config; one without a policy stops the process at registration, and a
 * request to a route with a permission needs a key whose role has it. Nothing is let through by being forgotten.
 */
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { CHAMPION } from '../../contracts/ids.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import { isAllowed, rolesWith, type Permission } from '../../domain/permissions.ts';
import type { KeyStore, Principal } from '../keys/key-store.ts';
import { keyOfRequest } from './session-cookie.ts';

/** `open` needs no key. */
export type Policy = 'open' | Permission;

declare module 'fastify' {
  interface FastifyContextConfig {
    policy?: Policy;
    /** Its body is a stream of any length, with a bound on silence in place of one on the whole. */
    streams?: boolean;
  }
  interface FastifyRequest {
    principal: Principal | null;
  }
}

/** The documentation pages are a plugin's routes, which cannot declare a policy themselves. */
export const DOCUMENTATION_PREFIX = '/docs';

const isDocumentation = (url: string): boolean => url === DOCUMENTATION_PREFIX || url.startsWith(`${DOCUMENTATION_PREFIX}/`);

const demandPolicy = (route: RouteOptions): void => {
  if (isDocumentation(route.url)) route.config = { ...route.config, policy: 'open' };
  if (route.config?.policy === undefined) throw new Error(`the route ${String(route.method)} ${route.url} has no policy: declare config.policy`);
};

const authenticate = async (request: FastifyRequest, keys: KeyStore): Promise<Principal> => {
  const key = keyOfRequest(request);
  const principal = key === undefined ? undefined : await keys.find(key);
  if (principal === undefined) {
    const detail = request.headers.authorization === undefined ? 'the header Authorization is absent' : 'the key in the header Authorization is not valid, or was revoked';
    throw new PerennialFailure('Unauthenticated', detail);
  }
  return principal;
};

const authorize = (principal: Principal, permission: Permission): void => {
  if (isAllowed(principal.role, permission)) return;
  throw new PerennialFailure('PermissionDenied', `the role "${principal.role}" does not have the permission ${permission}`, {
    fix: `Use a key with one of the roles ${rolesWith(permission).join(', ')}.`,
  });
};

/** The alias of what is served needs more than the others. @throws PerennialFailure PermissionDenied */
export const authorizeAlias = (principal: Principal, alias: string): void => authorize(principal, alias === CHAMPION ? 'champion:write' : 'aliases:write');

/** Must be installed before the first route. */
export const installGuard = (app: FastifyInstance, keys: KeyStore): void => {
  app.decorateRequest('principal', null);
  app.addHook('onRoute', demandPolicy);
  app.addHook('onRequest', async (request) => {
    const policy = request.is404 ? undefined : request.routeOptions.config.policy;
    if (policy === 'open') return;
    request.principal = await authenticate(request, keys);
    // Whoever has a key may learn that a route is not there.
    if (request.is404) return;
    if (policy === undefined) throw new PerennialFailure('PermissionDenied', 'this route has no policy');
    authorize(request.principal, policy);
  });
};

/** Who sends this request. @throws Error on an open route, which has nobody to name */
export const principalOf = (request: FastifyRequest): Principal => {
  if (request.principal === null) throw new Error('this route is open: nobody is authenticated');
  return request.principal;
};
