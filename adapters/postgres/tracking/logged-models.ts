/** Logged models of MLflow 3: models with a life of their own, beside the runs that make and judge them. */
import { sql, type Kysely } from 'kysely';
import { offsetOf, pageOf, type Page } from '../../../domain/tracking/paging.ts';
import { invalidValue, notFound, type TrackingRefusal } from '../../../domain/tracking/refusal.ts';
import { parseFilter } from '../../../domain/tracking/search-filter.ts';
import { parseOrder } from '../../../domain/tracking/search-order.ts';
import { LOGGED_MODELS } from '../../../domain/tracking/search-targets.ts';
import type { Database } from '../schema.ts';
import { experimentId } from './experiments.ts';
import { filterSql, orderSql, type SearchTables } from './filter-sql.ts';
import type { KeyValue, SearchRequest } from './tracking-types.ts';

type Db = Kysely<Database>;

export type NewLoggedModel = {
  modelId: string;
  experimentId: string;
  name: string;
  modelType: string | undefined;
  sourceRunId: string | undefined;
  params: KeyValue[];
  tags: KeyValue[];
};

const NOW_MS = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
const pairs = (table: string) => sql`(select json_agg(json_build_object('key', key, 'value', value) order by key) from ${sql.table(table)} p where p.model_id = m.model_id)`;
const MODEL = sql<unknown>`json_strip_nulls(json_build_object(
  'info', json_build_object('model_id', m.model_id, 'experiment_id', m.experiment_id::text, 'name', m.name, 'creation_timestamp_ms', m.created_ms, 'last_updated_timestamp_ms', m.updated_ms,
    'artifact_uri', m.artifact_uri, 'status', m.status, 'status_message', m.status_message, 'model_type', m.model_type, 'source_run_id', m.source_run_id, 'tags', ${pairs('logged_model_tags')}),
  'data', json_build_object('params', ${pairs('logged_model_params')},
    'metrics', (select json_agg(json_build_object('key', key, 'value', value, 'timestamp', timestamp_ms, 'step', step, 'model_id', model_id, 'run_id', run_id,
      'dataset_name', nullif(dataset_name, ''), 'dataset_digest', nullif(dataset_digest, '')) order by key, dataset_name) from logged_model_metrics x where x.model_id = m.model_id))))`;

const columnOf = (pairsGiven: KeyValue[], column: 'key' | 'value') => sql`${pairsGiven.map((pair) => pair[column])}::text[]`;
const modelNotFound = (modelId: string): TrackingRefusal => notFound(`Logged model with ID '${modelId.slice(0, 100)}' not found.`);

/** A model that is there already is not made again: its id was made from the request's key. */
export const createLoggedModel = async (database: Db, model: NewLoggedModel): Promise<void> => {
  const { rows } = await sql<{ stage: string }>`
    with experiment as (select experiment_id, artifact_location, lifecycle_stage from experiments where experiment_id = ${experimentId(model.experimentId)}),
      made as (insert into logged_models (model_id, experiment_id, name, model_type, source_run_id, status, artifact_uri, created_ms, updated_ms)
        select ${model.modelId}, experiment_id, ${model.name}, ${model.modelType ?? null}, ${model.sourceRunId ?? null}, 'LOGGED_MODEL_PENDING',
          rtrim(artifact_location, '/') || '/models/' || ${model.modelId}::text || '/artifacts', ${NOW_MS}, ${NOW_MS}
        from experiment where lifecycle_stage = 'active' on conflict do nothing returning model_id),
      params as (insert into logged_model_params select model_id, key, value from made, unnest(${columnOf(model.params, 'key')}, ${columnOf(model.params, 'value')}) as p(key, value)),
      tags as (insert into logged_model_tags select model_id, key, value from made, unnest(${columnOf(model.tags, 'key')}, ${columnOf(model.tags, 'value')}) as p(key, value))
    select lifecycle_stage as stage from experiment`.execute(database);
  if (rows[0] === undefined) throw notFound(`No Experiment with id=${model.experimentId} exists`);
  if (rows[0].stage !== 'active') throw invalidValue(`The experiment ${model.experimentId} must be in the 'active' state. Current state is ${rows[0].stage}.`);
};

export const isLoggedModel = async (database: Db, modelId: string): Promise<boolean> =>
  (await sql`select from logged_models where model_id = ${modelId} and deleted_ms is null`.execute(database)).rows.length > 0;

export const readLoggedModel = async (database: Db, modelId: string): Promise<unknown> => {
  const { rows } = await sql<{ model: unknown }>`select ${MODEL} as model from logged_models m where m.model_id = ${modelId} and m.deleted_ms is null`.execute(database);
  if (rows[0] === undefined) throw modelNotFound(modelId);
  return rows[0].model;
};

/** Where the model's files lie. */
export const loggedModelUri = async (database: Db, modelId: string): Promise<string> => {
  const { rows } = await sql<{ uri: string }>`select artifact_uri as uri from logged_models where model_id = ${modelId} and deleted_ms is null`.execute(database);
  if (rows[0] === undefined) throw modelNotFound(modelId);
  return rows[0].uri;
};

type Change = { status?: string; tags?: KeyValue[]; untag?: string; params?: KeyValue[]; deleted?: true };

/** Changes what is given. A param that is there keeps its value. */
export const changeLoggedModel = async (database: Db, modelId: string, { status, tags = [], untag, params = [], deleted }: Change): Promise<void> => {
  const { rows } = await sql<{ model_id: string }>`
    with found as (update logged_models set updated_ms = ${NOW_MS}, status = coalesce(${status ?? null}::text, status),
        deleted_ms = case when ${deleted === true} then ${NOW_MS} end where model_id = ${modelId} and deleted_ms is null returning model_id),
      tags as (insert into logged_model_tags select model_id, key, value from found, unnest(${columnOf(tags, 'key')}, ${columnOf(tags, 'value')}) as p(key, value)
        on conflict (model_id, key) do update set value = excluded.value),
      untagged as (delete from logged_model_tags t using found where t.model_id = found.model_id and t.key = ${untag ?? null}),
      params as (insert into logged_model_params select model_id, key, value from found, unnest(${columnOf(params, 'key')}, ${columnOf(params, 'value')}) as p(key, value) on conflict do nothing)
    select model_id from found`.execute(database);
  if (rows[0] === undefined) throw modelNotFound(modelId);
};

type DatasetFilter = { dataset_name?: string | undefined; dataset_digest?: string | undefined };
type LoggedModelSearch = Omit<SearchRequest, 'stages'> & { experimentIds: string[]; datasets: DatasetFilter[] };

/** Metrics of a search with data sets are those on these data sets. */
const metricTable = (datasets: DatasetFilter[]) => {
  if (datasets.length === 0) return sql`logged_model_metrics`;
  const one = ({ dataset_name: name, dataset_digest: digest }: DatasetFilter) =>
    sql`((${name ?? null}::text is null or dataset_name = ${name ?? null}) and (${digest ?? null}::text is null or dataset_digest = ${digest ?? null}))`;
  return sql`(select * from logged_model_metrics where ${sql.join(datasets.map(one), sql` or `)}) as judged`;
};

const tablesOf = (datasets: DatasetFilter[]): SearchTables => ({
  id: sql`m.model_id`,
  ownId: sql`model_id`,
  attributes: {
    name: sql`m.name`,
    model_id: sql`m.model_id`,
    model_type: sql`m.model_type`,
    status: sql`m.status`,
    source_run_id: sql`m.source_run_id`,
    creation_timestamp: sql`m.created_ms`,
    last_updated_timestamp: sql`m.updated_ms`,
  },
  values: { metric: metricTable(datasets), param: sql`logged_model_params`, tag: sql`logged_model_tags` },
  absentDiffers: false,
});

export const searchLoggedModels = async (database: Db, { filter, orderBy, limit, pageToken, experimentIds, datasets }: LoggedModelSearch): Promise<Page<unknown>> => {
  const experiments = experimentIds.filter((id) => /^\d{1,15}$/.test(id)).map(Number);
  const search = JSON.stringify(['logged-models', filter, orderBy, experiments, datasets]);
  const offset = offsetOf(pageToken, search);
  const tables = tablesOf(datasets);
  const sorted = orderSql(tables, parseOrder(LOGGED_MODELS, orderBy), sql`m.created_ms desc, m.model_id`);
  const { rows } = await sql<{ model: unknown }>`
    select ${MODEL} as model from logged_models m ${sorted.joins} where m.deleted_ms is null and m.experiment_id = any(${experiments}::bigint[]) and ${filterSql(tables, parseFilter(LOGGED_MODELS, filter))}
    ${sorted.orderBy} limit ${limit + 1} offset ${offset}`.execute(database);
  return pageOf(rows.map((row) => row.model), { limit, offset, search });
};
