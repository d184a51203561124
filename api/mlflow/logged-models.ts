/** Routes of logged models (MLflow 3). */
import { z } from 'zod';
import { listArtifacts } from '../../adapters/postgres/tracking/artifact-paths.ts';
import * as models from '../../adapters/postgres/tracking/logged-models.ts';
import { artifactPath, pathOfUri } from '../../domain/tracking/artifact-path.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import type { Replays } from './replays.ts';
import { mlflowRoute } from './route.ts';
import { Int64, lastOfEach, listAnswer, optional, Param, Required, Tag, Text } from './wire.ts';

const MOST_PER_PAGE = 1_000;

const Id = z.object({ id: z.string().min(1).max(100) });
const Create = z.object({
  experiment_id: Required,
  name: optional(Text),
  model_type: optional(Text),
  source_run_id: optional(Text),
  params: optional(z.array(Param)),
  tags: optional(z.array(Tag)),
});
const STATUSES = ['LOGGED_MODEL_PENDING', 'LOGGED_MODEL_READY', 'LOGGED_MODEL_UPLOAD_FAILED'] as const;

const registerCreate = (app: App, { database }: ApiContext, replays: Replays): void => {
  mlflowRoute(app, 'logged models', 'POST', 'tracking:write')('logged-models', { body: Create, summary: 'Makes a logged model, whose files follow' }, async ({ body, request, reply }) => {
    const make = async (digest: string) => {
      const modelId = `m-${digest}`;
      const given = { name: body.name || modelId, modelType: body.model_type, sourceRunId: body.source_run_id, params: lastOfEach(body.params ?? []), tags: lastOfEach(body.tags ?? []) };
      await models.createLoggedModel(database, { modelId, experimentId: body.experiment_id, ...given });
      return { id: modelId };
    };
    const { id } = await replays.create({ request, reply }, 'logged model', { make, isThere: (answer) => models.isLoggedModel(database, answer.id) });
    return { model: await models.readLoggedModel(database, id) };
  });
};

const registerChanges = (app: App, { database }: ApiContext): void => {
  const Finalize = z.object({ status: z.enum(STATUSES) });
  mlflowRoute(app, 'logged models', 'PATCH', 'tracking:write')('logged-models/:id', { params: Id, body: Finalize, summary: 'Says that the files are there, or failed' }, async ({ params, body }) => {
    await models.changeLoggedModel(database, params.id, { status: body.status });
    return { model: await models.readLoggedModel(database, params.id) };
  });
  mlflowRoute(app, 'logged models', 'DELETE', 'tracking:write')('logged-models/:id', { params: Id, summary: 'Deletes a logged model' }, async ({ params }) => {
    await models.changeLoggedModel(database, params.id, { deleted: true });
    return {};
  });
  mlflowRoute(app, 'logged models', 'PATCH', 'tracking:write')('logged-models/:id/tags', { params: Id, body: z.object({ tags: optional(z.array(Tag)) }), summary: 'Sets tags' }, async ({ params, body }) => {
    await models.changeLoggedModel(database, params.id, { tags: lastOfEach(body.tags ?? []) });
    return { model: await models.readLoggedModel(database, params.id) };
  });
  mlflowRoute(app, 'logged models', 'DELETE', 'tracking:write')('logged-models/:id/tags/:key', { params: Id.extend({ key: Required }), summary: 'Deletes a tag' }, async ({ params }) => {
    await models.changeLoggedModel(database, params.id, { untag: params.key });
    return {};
  });
  mlflowRoute(app, 'logged models', 'POST', 'tracking:write')('logged-models/:id/params', { params: Id, body: z.object({ params: optional(z.array(Param)) }), summary: 'Adds params' }, async ({ params, body }) => {
    await models.changeLoggedModel(database, params.id, { params: lastOfEach(body.params ?? []) });
    return {};
  });
};

const OrderClause = z.object({ field_name: Required, ascending: optional(z.boolean()), dataset_name: optional(Text), dataset_digest: optional(Text) });
const Search = z.object({
  experiment_ids: optional(z.array(Text)),
  filter: optional(z.string()),
  datasets: optional(z.array(z.object({ dataset_name: optional(Text), dataset_digest: optional(Text) }))),
  max_results: optional(Int64),
  order_by: optional(z.array(OrderClause)),
  page_token: optional(Text),
});

const registerReads = (app: App, { database }: ApiContext): void => {
  mlflowRoute(app, 'logged models', 'GET', 'read')('logged-models/:id', { params: Id, summary: 'One logged model' }, async ({ params }) => ({ model: await models.readLoggedModel(database, params.id) }));
  mlflowRoute(app, 'logged models', 'POST', 'read')('logged-models/search', { body: Search, summary: 'Logged models by a filter, a page at a time' }, async ({ body }) => {
    const orderBy = (body.order_by ?? []).map(({ field_name: field, ascending }) => `${field} ${ascending === false ? 'DESC' : 'ASC'}`);
    const limit = Math.min(Math.max(body.max_results ?? 100, 1), MOST_PER_PAGE);
    const request = { filter: body.filter, orderBy, limit, pageToken: body.page_token, experimentIds: body.experiment_ids ?? [], datasets: body.datasets ?? [] };
    const page = await models.searchLoggedModels(database, request);
    return listAnswer('models', page.entries, page.nextPageToken);
  });
  const Directory = z.object({ artifact_directory_path: optional(Text) });
  mlflowRoute(app, 'logged models', 'GET', 'read')('logged-models/:id/artifacts/directories', { params: Id, querystring: Directory, summary: 'Files of a logged model' }, async ({ params, query }) => {
    const uri = await models.loggedModelUri(database, params.id);
    const [root, inside] = [pathOfUri(uri), artifactPath(query.artifact_directory_path ?? '')];
    const entries = root === undefined ? [] : await listArtifacts(database, inside === '' ? root : `${root}/${inside}`);
    const files = entries.map(({ name, bytes }) => ({ path: inside === '' ? name : `${inside}/${name}`, is_dir: bytes === null, ...(bytes === null ? {} : { file_size: bytes }) }));
    return { root_uri: uri, ...(files.length === 0 ? {} : { files }) };
  });
};

export const registerLoggedModelRoutes = (app: App, context: ApiContext, replays: Replays): void => {
  registerCreate(app, context, replays);
  registerReads(app, context);
  registerChanges(app, context);
};
