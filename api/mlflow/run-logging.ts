/** Routes by which a run logs: metrics, params, tags, data sets, models. */
import { z } from 'zod';
import { deleteRunTag, logBatch, logMetric, metricHistory } from '../../adapters/postgres/tracking/log-batch.ts';
import { logInputs, logModelRecord, logOutputs } from '../../adapters/postgres/tracking/run-inputs.ts';
import { offsetOf, pageOf } from '../../domain/tracking/paging.ts';
import { isJsonObject, type JsonObject } from '../../domain/json-object.ts';
import { invalidValue } from '../../domain/tracking/refusal.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { mlflowRoute } from './route.ts';
import { heartbeatOf, Int64, lastOfEach, listAnswer, Metric, MetricFields, optional, Param, pointOf, Required, RunIdFields, runIdOf, Tag, Text } from './wire.ts';

const MOST_METRICS = 1_000;
const MOST_PAIRS = 100;
const MOST_ENTITIES = 1_000;
const MOST_POINTS = 25_000;
/** Profiles and schemas of data sets are long. */
const INPUTS_BODY_BYTES = 24 * 1024 * 1024;

const Batch = z.object({ ...RunIdFields, metrics: optional(z.array(Metric)), params: optional(z.array(Param)), tags: optional(z.array(Tag)) });

const refuseMany = (what: string, count: number, most: number): void => {
  if (count > most) throw invalidValue(`A batch logging request can contain at most ${most} ${what}. Got ${count}. Please split up ${what} across multiple requests and try again.`);
};

const heartbeat = (tags: { key: string; value: string }[]): { heartbeatSeconds?: number } => {
  const heartbeatSeconds = heartbeatOf(tags);
  return heartbeatSeconds === undefined ? {} : { heartbeatSeconds };
};

/** A param twice in a batch is a mistake, unless it says the same. */
const uniqueParams = (params: z.output<typeof Param>[]): z.output<typeof Param>[] => {
  const seen = new Map<string, string>();
  for (const { key, value } of params) {
    if (seen.has(key) && seen.get(key) !== value) throw invalidValue(`Duplicate parameter keys have been submitted: ['${key}']. Please ensure the request contains only one param value per param key.`);
    seen.set(key, value);
  }
  return lastOfEach(params);
};

const registerBatch = (app: App, { pool }: ApiContext): void => {
  mlflowRoute(app, 'runs', 'POST', 'tracking:write')('runs/log-batch', { body: Batch, summary: 'Logs metrics, params and tags, all or nothing' }, async ({ body }) => {
    const [metrics, params, tags] = [body.metrics ?? [], body.params ?? [], body.tags ?? []];
    refuseMany('metrics', metrics.length, MOST_METRICS);
    refuseMany('params', params.length, MOST_PAIRS);
    refuseMany('tags', tags.length, MOST_PAIRS);
    refuseMany('metrics, params, and tags', metrics.length + params.length + tags.length, MOST_ENTITIES);
    const unique = lastOfEach(tags);
    await logBatch(pool, runIdOf(body), { metrics: metrics.map(pointOf), params: uniqueParams(params), tags: unique, ...heartbeat(unique) });
    return {};
  });
};

const registerSingles = (app: App, { pool }: ApiContext): void => {
  const post = mlflowRoute(app, 'runs', 'POST', 'tracking:write');
  post('runs/log-metric', { body: z.object({ ...RunIdFields, ...MetricFields }), summary: 'Logs one point of a metric; the same point twice is one' }, async ({ body }) => {
    await logMetric(pool, runIdOf(body), pointOf(body));
    return {};
  });
  post('runs/log-parameter', { body: z.object({ ...RunIdFields, ...Param.shape }), summary: 'Logs a param, once' }, async ({ body }) => {
    await logBatch(pool, runIdOf(body), { metrics: [], params: [{ key: body.key, value: body.value }], tags: [] });
    return {};
  });
  post('runs/set-tag', { body: z.object({ ...RunIdFields, ...Tag.shape }), summary: 'Sets a tag of a run' }, async ({ body }) => {
    const tags = [{ key: body.key, value: body.value }];
    await logBatch(pool, runIdOf(body), { metrics: [], params: [], tags, ...heartbeat(tags) });
    return {};
  });
  post('runs/delete-tag', { body: z.object({ ...RunIdFields, key: Required }), summary: 'Deletes a tag of a run' }, async ({ body }) => {
    await deleteRunTag(pool, runIdOf(body), body.key);
    return {};
  });
};

const InputTag = z.object({ key: z.string().max(255), value: optional(z.string().max(500)).transform((value) => value ?? '') });
const Dataset = z.object({
  name: z.string().min(1).max(500),
  digest: z.string().min(1).max(36),
  source_type: optional(Text),
  source: optional(z.string().max(65_535)),
  schema: optional(z.string().max(1_048_575)),
  profile: optional(z.string().max(16_777_215)),
});
const Inputs = z.object({
  ...RunIdFields,
  datasets: optional(z.array(z.object({ tags: optional(z.array(InputTag)), dataset: Dataset })).describe('At most 1,000')),
  models: optional(z.array(z.object({ model_id: Required }))),
});
const Outputs = z.object({ ...RunIdFields, models: optional(z.array(z.object({ model_id: Required, step: optional(Int64) }))) });

const modelOf = (text: string, context: z.RefinementCtx): JsonObject => {
  try {
    const model: unknown = JSON.parse(text);
    if (isJsonObject(model)) return model;
  } catch {
    // Said below.
  }
  context.addIssue({ code: 'custom', message: 'must be a JSON object' });
  return {};
};

const registerInputs = (app: App, { database }: ApiContext): void => {
  const log = mlflowRoute(app, 'runs', 'POST', 'tracking:write');
  log('runs/log-inputs', { body: Inputs, summary: 'Records data sets and models that a run reads', bodyLimit: INPUTS_BODY_BYTES }, async ({ body }) => {
    refuseMany('datasets', body.datasets?.length ?? 0, MOST_ENTITIES);
    await logInputs(database, runIdOf(body), { datasets: body.datasets ?? [], modelIds: (body.models ?? []).map((model) => model.model_id) });
    return {};
  });
  const ModelJson = z.object({ ...RunIdFields, model_json: z.string().min(2).max(1_000_000).transform(modelOf) });
  log('runs/log-model', { body: ModelJson, summary: 'Records a model that a run logged, as MLflow 2 does' }, async ({ body }) => {
    await logModelRecord(database, runIdOf(body), body.model_json);
    return {};
  });
  log('runs/outputs', { body: Outputs, summary: 'Records models that a run makes' }, async ({ body }) => {
    await logOutputs(database, runIdOf(body), (body.models ?? []).map((model) => ({ modelId: model.model_id, step: model.step ?? 0 })));
    return {};
  });
};

const registerHistory = (app: App, { database }: ApiContext): void => {
  const History = z.object({ ...RunIdFields, metric_key: Required, max_results: optional(Int64), page_token: optional(Text) });
  mlflowRoute(app, 'runs', 'GET', 'read')('metrics/get-history', { querystring: History, summary: 'All points of a metric, a page at a time' }, async ({ query }) => {
    const [runId, key, limit] = [runIdOf(query), query.metric_key, Math.min(Math.max(query.max_results ?? MOST_POINTS, 1), MOST_POINTS)];
    const search = JSON.stringify(['history', runId, key]);
    const offset = offsetOf(query.page_token, search);
    const page = pageOf(await metricHistory(database, { runId, key, limit, offset }), { limit, offset, search });
    return listAnswer('metrics', page.entries, page.nextPageToken);
  });
};

export const registerRunLoggingRoutes = (app: App, context: ApiContext): void => {
  registerBatch(app, context);
  registerSingles(app, context);
  registerInputs(app, context);
  registerHistory(app, context);
};
