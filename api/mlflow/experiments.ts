/** Routes of experiments. */
import { z } from 'zod';
import * as experiments from '../../adapters/postgres/tracking/experiments.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import type { Replays } from './replays.ts';
import { mlflowRoute } from './route.ts';
import { Int64, lastOfEach, listAnswer, optional, RegistryTag, Required, stagesOf, Text, View } from './wire.ts';

const LONGEST_NAME = 500;
const MOST_PER_PAGE = 50_000;

const Id = z.object({ experiment_id: Required });
const Name = z.string().min(1).max(LONGEST_NAME);

const registerReads = (app: App, { database }: ApiContext): void => {
  const get = mlflowRoute(app, 'experiments', 'GET', 'read');
  get('experiments/get', { querystring: Id, summary: 'One experiment' }, async ({ query }) => ({ experiment: await experiments.readExperiment(database, { id: query.experiment_id }) }));
  get('experiments/get-by-name', { querystring: z.object({ experiment_name: Required }), summary: 'The experiment of a name, also when it is deleted' }, async ({ query }) => ({
    experiment: await experiments.readExperiment(database, { name: query.experiment_name }),
  }));
};

const registerSearch = (app: App, { database }: ApiContext): void => {
  const Search = z.object({ max_results: optional(Int64), page_token: optional(Text), filter: optional(z.string()), order_by: optional(z.array(Text)), view_type: View });
  mlflowRoute(app, 'experiments', 'POST', 'read')('experiments/search', { body: Search, summary: 'Experiments by a filter, a page at a time' }, async ({ body }) => {
    const limit = Math.min(Math.max(body.max_results ?? 1_000, 1), MOST_PER_PAGE);
    const page = await experiments.searchExperiments(database, { filter: body.filter, orderBy: body.order_by ?? [], limit, pageToken: body.page_token, stages: stagesOf(body.view_type) });
    return listAnswer('experiments', page.entries, page.nextPageToken);
  });
};

const registerChanges = (app: App, { database }: ApiContext): void => {
  const post = mlflowRoute(app, 'experiments', 'POST', 'tracking:write');
  post('experiments/update', { body: z.object({ experiment_id: Required, new_name: optional(Name) }), summary: 'Renames an experiment' }, async ({ body }) => {
    await experiments.changeExperiment(database, body.experiment_id, { stage: 'active', ...(body.new_name === undefined ? {} : { name: body.new_name }) });
    return {};
  });
  post('experiments/delete', { body: Id, summary: 'Deletes an experiment; it can be restored' }, async ({ body }) => {
    await experiments.changeExperiment(database, body.experiment_id, { stage: 'active', to: 'deleted' });
    return {};
  });
  post('experiments/restore', { body: Id, summary: 'Restores a deleted experiment' }, async ({ body }) => {
    await experiments.changeExperiment(database, body.experiment_id, { stage: 'deleted', to: 'active' });
    return {};
  });
  post('experiments/set-experiment-tag', { body: Id.extend(RegistryTag.shape), summary: 'Sets a tag of an experiment' }, async ({ body }) => {
    await experiments.setExperimentTag(database, body.experiment_id, { key: body.key, value: body.value });
    return {};
  });
  post('experiments/delete-experiment-tag', { body: z.object({ experiment_id: Required, key: Required }), summary: 'Deletes a tag of an experiment' }, async ({ body }) => {
    await experiments.deleteExperimentTag(database, body.experiment_id, body.key);
    return {};
  });
};

export const registerExperimentRoutes = (app: App, context: ApiContext, replays: Replays): void => {
  const { database } = context;
  registerReads(app, context);
  registerSearch(app, context);
  const Create = z.object({ name: Name, artifact_location: optional(Text), tags: optional(z.array(RegistryTag)) });
  mlflowRoute(app, 'experiments', 'POST', 'tracking:write')('experiments/create', { body: Create, summary: 'Makes an experiment' }, async ({ body, request, reply }) => {
    const location = body.artifact_location === '' ? undefined : body.artifact_location;
    return replays.create({ request, reply }, 'experiment', {
      make: async () => ({ experiment_id: await experiments.createExperiment(database, { name: body.name, location, tags: lastOfEach(body.tags ?? []) }) }),
      isThere: ({ experiment_id: id }) => experiments.isActiveExperiment(database, id, body.name),
    });
  });
  registerChanges(app, context);
};
