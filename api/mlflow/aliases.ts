/** Routes of aliases in MLflow's form. Beyond MLflow: `expected_version` moves an alias only from there, and only some roles set `champion`. */
import { z } from 'zod';
import { moveAliases, type AliasWish } from '../../adapters/postgres/tracking/alias-moves.ts';
import { versionOfAlias } from '../../adapters/postgres/tracking/model-versions.ts';
import { invalidValue } from '../../domain/tracking/refusal.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { audit } from '../http/audit.ts';
import { authorizeAlias, principalOf } from '../http/guard.ts';
import type { FastifyRequest } from 'fastify';
import { ModelName, VersionNumber } from './registered-models.ts';
import { mlflowRoute } from './route.ts';

const LONGEST_ALIAS = 255;

/** Not `v1` or `latest`, which clients read as versions. */
const Alias = z
  .string()
  .min(1)
  .max(LONGEST_ALIAS)
  .regex(/^[\w-]+$/, 'may only contain letters, digits, underscores and dashes')
  .refine((alias) => !/^v\d+$/i.test(alias) && alias.toLowerCase() !== 'latest', 'must be neither "latest" nor a version such as "v1"');

const Expected = z.union([VersionNumber, z.literal('')]).nullish();
const Named = z.object({ name: ModelName, alias: Alias });

const expectedOf = (given: z.output<typeof Expected>): { expected?: number | null } => (given === undefined || given === null ? {} : { expected: given === '' ? null : given });

/** Moves aliases for whoever sends the request, and records who it was. */
export const moveAsked = async ({ database }: ApiContext, request: FastifyRequest, wishes: AliasWish[]): Promise<void> => {
  const principal = principalOf(request);
  for (const { alias } of wishes) authorizeAlias(principal, alias);
  await database.transaction().execute(async (transaction) => {
    await moveAliases(transaction, wishes, { requestId: request.id, reason: `set by ${principal.name}` });
    for (const { model, alias, version } of wishes) await audit(transaction, principal, { action: 'alias.move', subject: `${model}@${alias}`, detail: { version } });
  });
};

export const registerAliasRoutes = (app: App, context: ApiContext): void => {
  mlflowRoute(app, 'registry', 'GET', 'read')('registered-models/alias', { querystring: Named, summary: 'The version that an alias names' }, async ({ query }) => {
    return { model_version: await versionOfAlias(context.database, query.name, query.alias) };
  });
  const Set = Named.extend({ version: VersionNumber, expected_version: Expected });
  mlflowRoute(app, 'registry', 'POST', 'aliases:write')('registered-models/alias', { body: Set, summary: 'Points an alias at a version' }, async ({ body, request }) => {
    await moveAsked(context, request, [{ model: body.name, alias: body.alias, version: body.version, ...expectedOf(body.expected_version) }]);
    return {};
  });
  const Delete = Named.extend({ expected_version: Expected });
  mlflowRoute(app, 'registry', 'DELETE', 'aliases:write')('registered-models/alias', { body: Delete, summary: 'Deletes an alias' }, async ({ body, request }) => {
    if (body.expected_version === '') throw invalidValue('expected_version: an alias that names nothing cannot be deleted');
    await moveAsked(context, request, [{ model: body.name, alias: body.alias, version: null, ...expectedOf(body.expected_version) }]);
    return {};
  });
};
