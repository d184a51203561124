/** Signing in to the console with an API key, and who is signed in. */
import { z } from 'zod';
import { ROLES } from '../../contracts/roles.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import { isAllowed, PERMISSIONS } from '../../domain/permissions.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { principalOf } from '../http/guard.ts';
import { problems } from '../http/schemas.ts';
import { demandOwnPage, endedSessionCookie, sessionCookie } from '../http/session-cookie.ts';
import type { Principal } from '../keys/key-store.ts';

const SignIn = z.strictObject({ key: z.string().min(1).max(200) });

const SessionView = z
  .object({
    name: z.string().describe('Of the key.'),
    role: z.enum(ROLES),
    permissions: z.array(z.enum(PERMISSIONS)).describe('What the role may do: the console offers nothing else.'),
  })
  .meta({ id: 'Session' });

const viewOf = ({ name, role }: Principal): z.infer<typeof SessionView> => ({ name, role, permissions: PERMISSIONS.filter((permission) => isAllowed(role, permission)) });

const registerSignIn = (app: App, { keys }: ApiContext): void => {
  app.route({
    method: 'POST',
    url: '/api/v1/session',
    config: { policy: 'open' },
    schema: {
      tags: ['session'],
      summary: 'Signs in with an API key: the answer sets a cookie that only this host gets, and no script can read',
      body: SignIn,
      response: { 200: SessionView, ...problems() },
    },
    handler: async (request, reply) => {
      demandOwnPage(request);
      const { key } = request.body;
      const principal = await keys.find(key.trim());
      if (principal === undefined) throw new PerennialFailure('Unauthenticated', 'there is no such key, or it was revoked', { fix: 'Send a key as it was told when it was made: perennial_ and 43 characters.' });
      if (!isAllowed(principal.role, 'read')) throw new PerennialFailure('PermissionDenied', `the role "${principal.role}" may see nothing`, { fix: 'Sign in with a key of another role.' });
      return reply.code(200).headers({ 'set-cookie': sessionCookie(request, key.trim()), 'cache-control': 'no-store' }).send(viewOf(principal));
    },
  });
};

export const registerSessionRoutes = (app: App, context: ApiContext): void => {
  registerSignIn(app, context);
  const tags = ['session'];
  app.route({
    method: 'GET',
    url: '/api/v1/session',
    config: { policy: 'read' },
    schema: { tags, summary: 'Who sends this request, and what the role may do', response: { 200: SessionView, ...problems() } },
    handler: async (request) => viewOf(principalOf(request)),
  });
  app.route({
    method: 'DELETE',
    url: '/api/v1/session',
    config: { policy: 'open' },
    schema: { tags, summary: 'Signs out: the cookie is taken back', response: { 204: z.null(), ...problems() } },
    handler: async (request, reply) => {
      demandOwnPage(request);
      return reply.code(204).header('set-cookie', endedSessionCookie(request)).send(null);
    },
  });
};
