/** Routes of registered models. */
import { z } from 'zod';
import * as models from '../../adapters/postgres/tracking/registered-models.ts';
import { latestVersions } from '../../adapters/postgres/tracking/model-versions.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import type { Replays } from './replays.ts';
import { mlflowRoute } from './route.ts';
import { Int64, lastOfEach, listAnswer, optional, RegistryTag, Required, Text } from './wire.ts';

const MOST_PER_PAGE = 1_000;
const DESCRIPTION_CHARACTERS = 5_000;

/** Names stand in addresses such as models:/name@alias. */
export const ModelName = z.string().min(1, 'a value is required').max(256).refine((name) => !/[/:@\p{Cc}]/u.test(name), 'must not hold "/", ":" or "@"');
export const Description = optional(z.string().max(DESCRIPTION_CHARACTERS));
const Named = z.object({ name: ModelName });

const registerReads = (app: App, { database }: ApiContext): void => {
  const get = mlflowRoute(app, 'registry', 'GET', 'read');
  get('registered-models/get', { querystring: Named, summary: 'One registered model' }, async ({ query }) => ({ registered_model: await models.readModel(database, query.name) }));
  const OneOrMany = optional(z.union([z.array(Text), Text.transform((text) => [text])]));
  const Search = z.object({ filter: optional(z.string()), max_results: optional(z.coerce.number().int()), order_by: OneOrMany, page_token: optional(Text) });
  get('registered-models/search', { querystring: Search, summary: 'Registered models by a filter, a page at a time' }, async ({ query }) => {
    const limit = Math.min(Math.max(query.max_results ?? 100, 1), MOST_PER_PAGE);
    const page = await models.searchModels(database, { filter: query.filter, orderBy: query.order_by ?? [], limit, pageToken: query.page_token });
    return listAnswer('registered_models', page.entries, page.nextPageToken);
  });
  const Latest = z.object({ name: ModelName, stages: OneOrMany });
  get('registered-models/get-latest-versions', { querystring: Latest, summary: 'The newest version of each stage' }, async ({ query }) =>
    listAnswer('model_versions', await latestVersions(database, query.name, query.stages ?? []), undefined),
  );
  mlflowRoute(app, 'registry', 'POST', 'read')('registered-models/get-latest-versions', { body: Latest, summary: 'The newest version of each stage' }, async ({ body }) =>
    listAnswer('model_versions', await latestVersions(database, body.name, body.stages ?? []), undefined),
  );
};

const registerTags = (app: App, { database }: ApiContext): void => {
  mlflowRoute(app, 'registry', 'POST', 'tracking:write')('registered-models/set-tag', { body: Named.extend(RegistryTag.shape), summary: 'Sets a tag of a model' }, async ({ body }) => {
    await models.changeModel(database, body.name, { tag: { key: body.key, value: body.value } });
    return {};
  });
  mlflowRoute(app, 'registry', 'DELETE', 'tracking:write')('registered-models/delete-tag', { body: Named.extend({ key: Required }), summary: 'Deletes a tag of a model' }, async ({ body }) => {
    await models.changeModel(database, body.name, { untag: body.key });
    return {};
  });
};

const registerChanges = (app: App, { database }: ApiContext): void => {
  mlflowRoute(app, 'registry', 'PATCH', 'tracking:write')('registered-models/update', { body: Named.extend({ description: Description }), summary: 'Describes a model' }, async ({ body }) => {
    await models.changeModel(database, body.name, body.description === undefined ? {} : { description: body.description });
    return { registered_model: await models.readModel(database, body.name) };
  });
  mlflowRoute(app, 'registry', 'POST', 'tracking:write')('registered-models/rename', { body: Named.extend({ new_name: ModelName }), summary: 'Renames a model' }, async ({ body }) => ({
    registered_model: await models.renameModel(database, body.name, body.new_name),
  }));
  mlflowRoute(app, 'registry', 'DELETE', 'tracking:write')('registered-models/delete', { body: Named, summary: 'Deletes a model with its versions' }, async ({ body }) => {
    await models.deleteModel(database, body.name);
    return {};
  });
};

export const registerRegisteredModelRoutes = (app: App, context: ApiContext, replays: Replays): void => {
  const { database } = context;
  registerReads(app, context);
  const Create = Named.extend({ description: Description, tags: optional(z.array(RegistryTag)) });
  mlflowRoute(app, 'registry', 'POST', 'tracking:write')('registered-models/create', { body: Create, summary: 'Makes a registered model' }, async ({ body, request, reply }) =>
    replays.create({ request, reply }, 'registered model', {
      make: async () => ({ registered_model: await models.createModel(database, { name: body.name, description: body.description, tags: lastOfEach(body.tags ?? []) }) }),
      isThere: ({ registered_model: model }) => models.isModelSince(database, model),
    }),
  );
  registerChanges(app, context);
  registerTags(app, context);
};

/** Versions are text on the wire. */
export const VersionNumber = z.union([Int64, z.string().regex(/^[1-9]\d{0,8}$/, 'must be the number of a version')]).transform(Number);
