/** Routes of versions of registered models. */
import { z } from 'zod';
import * as versions from '../../adapters/postgres/tracking/model-versions.ts';
import { invalidValue } from '../../domain/tracking/refusal.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { principalOf } from '../http/guard.ts';
import { downloadUri } from './download-uri.ts';
import { Description, ModelName, VersionNumber } from './registered-models.ts';
import type { Replays } from './replays.ts';
import { mlflowRoute } from './route.ts';
import { lastOfEach, listAnswer, optional, RegistryTag, Required, Text } from './wire.ts';

const MOST_PER_PAGE = 200_000;
const STAGES = ['None', 'Staging', 'Production', 'Archived'] as const;

const Version = z.object({ name: ModelName, version: VersionNumber });

/** An address with a scheme: a path of the client's own disk is nothing that others could load. */
const Source = z.string().min(1).max(2_000).refine((source) => /^[a-z][a-z0-9+.-]*:/i.test(source) && !/^file:/i.test(source), 'must be an address such as models:/m-…, runs:/… or s3://…, not a local path');

const registerReads = (app: App, context: ApiContext): void => {
  const { database } = context;
  const get = mlflowRoute(app, 'registry', 'GET', 'read');
  get('model-versions/get', { querystring: Version, summary: 'One version' }, async ({ query }) => ({ model_version: await versions.readVersion(database, query) }));
  get('model-versions/get-download-uri', { querystring: Version, summary: 'Where the files of a version lie' }, async ({ query }) => ({ artifact_uri: await downloadUri(context, query) }));
  const Search = z.object({
    filter: optional(z.string()),
    max_results: optional(z.coerce.number().int()),
    order_by: optional(z.union([z.array(Text), Text.transform((text) => [text])])),
    page_token: optional(Text),
  });
  get('model-versions/search', { querystring: Search, summary: 'Versions by a filter, a page at a time' }, async ({ query }) => {
    const limit = Math.min(Math.max(query.max_results ?? 10_000, 1), MOST_PER_PAGE);
    const page = await versions.searchVersions(database, { filter: query.filter, orderBy: query.order_by ?? [], limit, pageToken: query.page_token });
    return listAnswer('model_versions', page.entries, page.nextPageToken);
  });
};

const stageOf = (given: string): string => {
  const stage = STAGES.find((one) => one.toLowerCase() === given.toLowerCase());
  if (stage === undefined) throw invalidValue(`Invalid Model Version stage: ${given.slice(0, 100)}. Value must be one of ${STAGES.join(', ')}.`);
  return stage;
};

const registerChanges = (app: App, { database }: ApiContext): void => {
  const change = mlflowRoute(app, 'registry', 'PATCH', 'tracking:write');
  change('model-versions/update', { body: Version.extend({ description: Description }), summary: 'Describes a version' }, async ({ body }) => {
    await versions.changeVersion(database, body, body.description === undefined ? {} : { description: body.description });
    return { model_version: await versions.readVersion(database, body) };
  });
  mlflowRoute(app, 'registry', 'POST', 'tracking:write')('model-versions/set-tag', { body: Version.extend(RegistryTag.shape), summary: 'Sets a tag of a version' }, async ({ body }) => {
    await versions.changeVersion(database, body, { tag: { key: body.key, value: body.value } });
    return {};
  });
  const remove = mlflowRoute(app, 'registry', 'DELETE', 'tracking:write');
  remove('model-versions/delete-tag', { body: Version.extend({ key: Required }), summary: 'Deletes a tag of a version' }, async ({ body }) => {
    await versions.changeVersion(database, body, { untag: body.key });
    return {};
  });
  remove('model-versions/delete', { body: Version, summary: 'Deletes a version; its number is not given again' }, async ({ body }) => {
    await versions.deleteVersion(database, body);
    return {};
  });
  const Transition = Version.extend({ stage: Required, archive_existing_versions: optional(z.boolean()) });
  mlflowRoute(app, 'registry', 'POST', 'aliases:write')('model-versions/transition-stage', { body: Transition, summary: 'Moves a version to a stage' }, async ({ body }) => {
    await versions.setStage(database, body, { stage: stageOf(body.stage), archive: body.archive_existing_versions ?? false });
    return { model_version: await versions.readVersion(database, body) };
  });
};

const Create = z.object({
  name: ModelName,
  source: Source,
  run_id: optional(Text),
  run_link: optional(Text),
  description: Description,
  model_id: optional(Text),
  tags: optional(z.array(RegistryTag)),
});

export const registerModelVersionRoutes = (app: App, context: ApiContext, replays: Replays): void => {
  registerReads(app, context);
  mlflowRoute(app, 'registry', 'POST', 'tracking:write')('model-versions/create', { body: Create, summary: 'Registers a version' }, async ({ body, request, reply }) => {
    const modelId = body.model_id ?? /^models:\/(m-[0-9a-f]{32})$/.exec(body.source)?.[1];
    const version = { name: body.name, source: body.source, runId: body.run_id, runLink: body.run_link, description: body.description, modelId, userId: principalOf(request).name };
    return replays.create({ request, reply }, 'model version', {
      make: async () => ({ model_version: await versions.createVersion(context.database, { ...version, tags: lastOfEach(body.tags ?? []) }) }),
      isThere: ({ model_version: made }) => versions.isVersionSince(context.database, made),
    });
  });
  registerChanges(app, context);
};
