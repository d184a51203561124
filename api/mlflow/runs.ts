/** Routes of runs: create, read, change, search. */
import { z } from 'zod';
import * as runs from '../../adapters/postgres/tracking/runs.ts';
import { invalidValue } from '../../domain/tracking/refusal.ts';
import { inventRunName } from '../../domain/tracking/run-names.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import type { Replays } from './replays.ts';
import { mlflowRoute } from './route.ts';
import { heartbeatOf, Int64, lastOfEach, optional, RunIdFields, runIdOf, stagesOf, Tag, Text, View } from './wire.ts';

const LONGEST_NAME = 8_000;
const MOST_PER_PAGE = 50_000;
const NAME_TAG = 'mlflow.runName';

const RunId = z.object(RunIdFields);
const RunName = optional(z.string().max(LONGEST_NAME));
const Status = optional(z.enum(['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED']));

const Create = z.object({
  experiment_id: optional(Text),
  user_id: optional(Text),
  run_name: RunName,
  start_time: optional(Int64),
  tags: optional(z.array(Tag)),
});
type Create = z.output<typeof Create>;

type NewRun = { run: { info: { run_id: string; [key: string]: unknown }; data: object; inputs: object } };

/** The name stands in the run and in a tag: they agree. */
const nameOf = (given: string | undefined, tagged: string | undefined): string => {
  if (given !== undefined && given !== '' && tagged !== undefined && given !== tagged) {
    throw invalidValue(`Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='${given}', mlflow.runName='${tagged}').`);
  }
  return given || tagged || inventRunName(Math.random);
};

/** Makes the run with this id, and gives what a client reads of a new one. */
const create = async ({ pool }: ApiContext, body: Create, runId: string): Promise<NewRun> => {
  const given = lastOfEach(body.tags ?? []);
  const name = nameOf(body.run_name, given.find(({ key }) => key === NAME_TAG)?.value);
  const tags = lastOfEach([...given, { key: NAME_TAG, value: name }]);
  const run = { runId, experimentId: body.experiment_id ?? '0', name, userId: body.user_id ?? '', startMs: body.start_time ?? Date.now(), tags, heartbeatSeconds: heartbeatOf(tags) ?? null };
  const { artifactUri } = await runs.createRun(pool, run);
  const info = {
    run_id: runId,
    run_uuid: runId,
    run_name: name,
    experiment_id: run.experimentId,
    user_id: run.userId,
    status: 'RUNNING',
    start_time: run.startMs,
    artifact_uri: artifactUri,
    lifecycle_stage: 'active',
  };
  return { run: { info, data: { tags }, inputs: {} } };
};

const registerSearch = (app: App, { database }: ApiContext): void => {
  const Search = z.object({
    experiment_ids: optional(z.array(Text)),
    filter: optional(z.string()),
    run_view_type: View,
    max_results: optional(Int64),
    order_by: optional(z.array(Text)),
    page_token: optional(Text),
  });
  mlflowRoute(app, 'runs', 'POST', 'read')('runs/search', { body: Search, summary: 'Runs by a filter, a page at a time' }, async ({ body }) => {
    const limit = body.max_results ?? 1_000;
    if (limit < 1 || limit > MOST_PER_PAGE) throw invalidValue(`max_results is ${limit}: it must be from 1 to ${MOST_PER_PAGE}`);
    const request = { filter: body.filter, orderBy: body.order_by ?? [], limit, pageToken: body.page_token, stages: stagesOf(body.run_view_type), experimentIds: body.experiment_ids ?? [] };
    const { entries, nextPageToken } = await runs.searchRuns(database, request);
    const token = nextPageToken === undefined ? '' : `"next_page_token":${JSON.stringify(nextPageToken)}`;
    const list = entries.length === 0 ? '' : `"runs":[${entries.join(',')}]`;
    return `{${[list, token].filter((part) => part !== '').join(',')}}`;
  });
};

export const registerRunRoutes = (app: App, context: ApiContext, replays: Replays): void => {
  const { database } = context;
  mlflowRoute(app, 'runs', 'GET', 'read')('runs/get', { querystring: RunId, summary: 'One run with its latest metrics' }, async ({ query }) => `{"run":${await runs.readRun(database, runIdOf(query))}}`);
  registerSearch(app, context);
  const post = mlflowRoute(app, 'runs', 'POST', 'tracking:write');
  post('runs/create', { body: Create, summary: 'Starts a run' }, async ({ body, request, reply }) =>
    replays.create({ request, reply }, 'run', { make: (digest) => create(context, body, digest), isThere: ({ run }) => runs.isActiveRun(database, run.info.run_id) }),
  );
  const Update = z.object({ ...RunIdFields, status: Status, end_time: optional(Int64), run_name: RunName });
  post('runs/update', { body: Update, summary: 'Changes status, end or name of a run' }, async ({ body }) => ({
    run_info: await runs.updateRun(database, runIdOf(body), { status: body.status, endMs: body.end_time, name: body.run_name || undefined }),
  }));
  post('runs/delete', { body: RunId, summary: 'Deletes a run; it can be restored' }, async ({ body }) => {
    await runs.setRunStage(database, runIdOf(body), 'deleted');
    return {};
  });
  post('runs/restore', { body: RunId, summary: 'Restores a deleted run' }, async ({ body }) => {
    await runs.setRunStage(database, runIdOf(body), 'active');
    return {};
  });
};
