/** API keys: make, list, revoke. The key itself is told once and kept nowhere. */
import { z } from 'zod';
import { sql } from 'kysely';
import { ROLES } from '../../contracts/roles.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { audit } from '../http/audit.ts';
import { principalOf } from '../http/guard.ts';
import { invalid } from '../http/problem.ts';
import { IDEMPOTENT, Instant, iso, isoOrNull, problems } from '../http/schemas.ts';
import { hashApiKey, newApiKey } from './api-key.ts';
import type { Principal } from './key-store.ts';

const KeyView = z.object({ id: z.string(), name: z.string(), role: z.string(), createdAt: Instant, revokedAt: Instant.nullable() });
const NewKey = z.strictObject({ name: z.string().regex(/^[\p{L}\p{N} ._@-]{1,100}$/u, 'letters, digits, space, ".", "_", "@" or "-", at most 100'), role: z.enum(ROLES) });
const MadeKey = z.object({ id: z.string(), name: z.string(), role: z.string(), key: z.string().nullable().describe('Told this once; null when the request was repeated.') });

const listKeys = async ({ database }: ApiContext): Promise<z.infer<typeof KeyView>[]> => {
  const rows = await database.selectFrom('api_keys').select(['id', 'name', 'role', 'created_at', 'revoked_at']).orderBy('created_at').orderBy('id').execute();
  return rows.map((row) => ({ id: row.id, name: row.name, role: row.role, createdAt: iso(row.created_at), revokedAt: isoOrNull(row.revoked_at) }));
};

type Making = { principal: Principal; digest: string; name: string; role: string };

/** A key that was made by the same request before is not made again, and cannot be told again. */
const makeKey = ({ database }: ApiContext, { principal, digest, name, role }: Making): Promise<z.infer<typeof MadeKey>> =>
  database.transaction().execute(async (transaction) => {
    const id = `key-${digest}`;
    const key = newApiKey();
    const row = await transaction.insertInto('api_keys').values({ id, name, role, key_hash: hashApiKey(key) }).onConflict((conflict) => conflict.column('id').doNothing()).returning('id').executeTakeFirst();
    if (row === undefined) return { id, name, role, key: null };
    await audit(transaction, principal, { action: 'key.create', subject: id, detail: { name, role } });
    return { id, name, role, key };
  });

const revokeKey = ({ database }: ApiContext, { principal, id }: { principal: Principal; id: string }): Promise<void> =>
  database.transaction().execute(async (transaction) => {
    // All admins are locked, so that two who revoke each other do not leave nobody.
    const admins = await transaction.selectFrom('api_keys').select('id').where('role', '=', 'admin').where('revoked_at', 'is', null).forUpdate().execute();
    if (admins.length === 1 && admins[0]?.id === id) throw invalid('id', { message: 'is the last admin key', fix: 'Make another admin key first.' });
    const row = await transaction.updateTable('api_keys').set({ revoked_at: sql<Date>`now()` }).where('id', '=', id).where('revoked_at', 'is', null).returning('id').executeTakeFirst();
    if (row !== undefined) await audit(transaction, principal, { action: 'key.revoke', subject: id });
  });

const registerMake = (app: App, context: ApiContext): void => {
  app.route({
    method: 'POST',
    url: '/api/v1/keys',
    config: { policy: 'keys:admin' },
    schema: { tags: ['keys'], summary: 'Makes a key and tells it once', headers: IDEMPOTENT, body: NewKey, response: { 201: MadeKey, ...problems(409) } },
    handler: async (request, reply) => {
      const { intent, answer } = await context.idempotency.claim(request, { act: 'key', content: request.body });
      if (answer !== undefined) return reply.code(201).send(answer.body as z.infer<typeof MadeKey>);
      const made = await makeKey(context, { principal: principalOf(request), digest: intent.digest, ...request.body });
      await context.idempotency.settle(intent, { status: 201, body: { ...made, key: null } });
      return reply.code(201).header('cache-control', 'no-store').send(made);
    },
  });
};

export const registerKeyRoutes = (app: App, context: ApiContext): void => {
  const tags = ['keys'];
  app.route({
    method: 'GET',
    url: '/api/v1/keys',
    config: { policy: 'keys:admin' },
    schema: { tags, summary: 'All keys, without the keys themselves', response: { 200: z.object({ keys: z.array(KeyView) }), ...problems() } },
    handler: async () => ({ keys: await listKeys(context) }),
  });
  registerMake(app, context);
  app.route({
    method: 'DELETE',
    url: '/api/v1/keys/:id',
    config: { policy: 'keys:admin' },
    schema: {
      tags,
      summary: 'Revokes a key: it stops within 5 seconds. One that is not there, or is revoked, is no error',
      params: z.object({ id: z.string().regex(/^[A-Za-z0-9._-]{1,100}$/, 'the id of a key') }),
      response: { 204: z.null(), ...problems() },
    },
    handler: async (request, reply) => {
      await revokeKey(context, { principal: principalOf(request), id: request.params.id });
      context.keys.forget(request.params.id);
      return reply.code(204).send(null);
    },
  });
};
