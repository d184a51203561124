/** What a run logs: metrics, params and tags, all or nothing, in one statement; and the history of a metric. */
import type { Kysely } from 'kysely';
import type { Pool } from 'pg';
import { sql } from 'kysely';
import { invalidValue, notFound } from '../../../domain/tracking/refusal.ts';
import type { Database } from '../schema.ts';
import { runNotActive, runNotFound } from './runs.ts';
import type { KeyValue, MetricPoint } from './tracking-types.ts';

type Queries = Pick<Pool, 'query'>;

/** Keys are unique among the params and among the tags. `heartbeatSeconds`: undefined leaves it. */
export type Batch = { metrics: MetricPoint[]; params: KeyValue[]; tags: KeyValue[]; heartbeatSeconds?: number };

/** A run that promised to speak says so at each request, any other at most twice a second: one row must not be written for each point. */
const HEARD = `heard as (update tracked_runs r set heard_at = now() from run where r.run_id = run.run_id and run.lifecycle_stage = 'active'
  and (r.heartbeat_seconds is not null or r.heard_at < now() - interval '500 milliseconds'))`;
const NEWER = `(excluded.step, excluded.timestamp_ms, excluded.value) > (old.step, old.timestamp_ms, old.value)`;
const REPLACE = `step = excluded.step, timestamp_ms = excluded.timestamp_ms, value = excluded.value`;

const LOG_METRIC = {
  name: 'tracking-log-metric',
  text: `with run as (select run_id, lifecycle_stage from tracked_runs where run_id = $1), ${HEARD},
    active as (select run_id, $2::text as key, $3::bigint as step, $4::bigint as timestamp_ms, $5::float8 as value, $6::text as model_id, $7::text as dataset_name, $8::text as dataset_digest
      from run where lifecycle_stage = 'active'),
    point as (insert into metric_points select * from active on conflict do nothing),
    latest as (insert into latest_metrics as old select * from active on conflict (run_id, key) do update set ${REPLACE},
      model_id = excluded.model_id, dataset_name = excluded.dataset_name, dataset_digest = excluded.dataset_digest where ${NEWER}),
    of_model as (insert into logged_model_metrics as old (model_id, key, dataset_name, dataset_digest, run_id, step, timestamp_ms, value)
      select model_id, key, coalesce(dataset_name, ''), coalesce(dataset_digest, ''), run_id, step, timestamp_ms, value from active where model_id in (select model_id from logged_models)
      on conflict (model_id, key, dataset_name, dataset_digest) do update set run_id = excluded.run_id, ${REPLACE} where ${NEWER})
    select lifecycle_stage as stage from run`,
};

/** The same point again changes nothing. */
export const logMetric = async (pool: Queries, runId: string, point: MetricPoint): Promise<void> => {
  const { key, step, timestampMs, value, modelId, datasetName, datasetDigest } = point;
  const { rows } = await pool.query<{ stage: string }>({ ...LOG_METRIC, values: [runId, key, step, timestampMs, value, modelId, datasetName, datasetDigest] });
  if (rows[0] === undefined) throw runNotFound(runId);
  if (rows[0].stage !== 'active') throw runNotActive(runId, rows[0].stage);
};

const LOG_BATCH = {
  name: 'tracking-log-batch',
  text: `with run as (select run_id, lifecycle_stage from tracked_runs where run_id = $1), ${HEARD},
    given as (select * from unnest($2::text[], $3::text[]) as p(key, value)),
    clash as (select g.key, o.value as old, g.value as given from given g join run_params o on o.run_id = $1 and o.key = g.key and o.value <> g.value),
    active as (select run_id from run where lifecycle_stage = 'active' and not exists (select from clash)),
    params as (insert into run_params (run_id, key, value) select run_id, key, value from active, given on conflict do nothing returning key),
    kept as (select count(*) as n from given g join run_params o on o.run_id = $1 and o.key = g.key),
    tags as (insert into run_tags as old (run_id, key, value) select run_id, key, value from active, unnest($4::text[], $5::text[]) as t(key, value)
      on conflict (run_id, key) do update set value = excluded.value where old.value <> excluded.value),
    named as (update tracked_runs r set name = coalesce($13::text, name), heartbeat_seconds = coalesce($14::float8, heartbeat_seconds) from active where r.run_id = active.run_id and ($13::text is not null or $14::float8 is not null)),
    points as materialized (select run_id, key, step, timestamp_ms, value, model_id, dataset_name, dataset_digest from active,
      unnest($6::text[], $7::bigint[], $8::bigint[], $9::float8[], $10::text[], $11::text[], $12::text[]) as m(key, step, timestamp_ms, value, model_id, dataset_name, dataset_digest)),
    history as (insert into metric_points select * from points on conflict do nothing),
    latest as (insert into latest_metrics as old select distinct on (key) * from points order by key, step desc, timestamp_ms desc, value desc
      on conflict (run_id, key) do update set ${REPLACE}, model_id = excluded.model_id, dataset_name = excluded.dataset_name, dataset_digest = excluded.dataset_digest where ${NEWER}),
    of_models as (insert into logged_model_metrics as old (model_id, key, dataset_name, dataset_digest, run_id, step, timestamp_ms, value)
      select distinct on (1, 2, 3, 4) model_id, key, coalesce(dataset_name, ''), coalesce(dataset_digest, ''), run_id, step, timestamp_ms, value
      from points where model_id in (select model_id from logged_models) order by 1, 2, 3, 4, step desc, timestamp_ms desc, value desc
      on conflict (model_id, key, dataset_name, dataset_digest) do update set run_id = excluded.run_id, ${REPLACE} where ${NEWER})
    select lifecycle_stage as stage, (select count(*) from params)::int + (select n from kept)::int as params, (select json_agg(clash) from clash) as clashes from run`,
};

type BatchRow = { stage: string; params: number; clashes: { key: string; old: string; given: string }[] | null };

/** `heard` and `named` may not both write the row of the run: a batch that names it is a word from it anyway. */
const NAMED_BATCH = {
  name: 'tracking-log-named-batch',
  text: LOG_BATCH.text.replace(`, ${HEARD}`, '').replace('set name = coalesce($13::text, name),', 'set name = coalesce($13::text, name), heard_at = now(),'),
};

const logOnce = async (pool: Queries, runId: string, { metrics, params, tags, heartbeatSeconds }: Batch): Promise<BatchRow> => {
  const name = tags.find(({ key }) => key === 'mlflow.runName')?.value ?? null;
  const statement = name === null && heartbeatSeconds === undefined ? LOG_BATCH : NAMED_BATCH;
  const values = [
    runId, params.map(({ key }) => key), params.map(({ value }) => value), tags.map(({ key }) => key), tags.map(({ value }) => value),
    metrics.map(({ key }) => key), metrics.map(({ step }) => step), metrics.map(({ timestampMs }) => timestampMs), metrics.map(({ value }) => value),
    metrics.map(({ modelId }) => modelId), metrics.map(({ datasetName }) => datasetName), metrics.map(({ datasetDigest }) => datasetDigest), name, heartbeatSeconds ?? null,
  ];
  const { rows } = await pool.query<BatchRow>({ ...statement, values });
  if (rows[0] === undefined) throw runNotFound(runId);
  return rows[0];
};

/** All or nothing. @throws TrackingRefusal when the run is not there or deleted, or a param has another value already */
export const logBatch = async (pool: Queries, runId: string, batch: Batch): Promise<void> => {
  const row = await logOnce(pool, runId, batch);
  if (row.stage !== 'active') throw runNotActive(runId, row.stage);
  // Someone else gave a param while this statement ran: asked again, it sees which.
  const { clashes } = row.clashes === null && row.params < batch.params.length ? await logOnce(pool, runId, batch) : row;
  const [clash] = clashes ?? [];
  if (clash === undefined) return;
  throw invalidValue(`Changing param values is not allowed. Param with key='${clash.key}' was already logged with value='${clash.old}' for run ID='${runId}'. Attempted logging new value '${clash.given}'.`);
};

export const deleteRunTag = async (pool: Queries, runId: string, key: string): Promise<void> => {
  const { rows } = await pool.query<{ stage: string; deleted: boolean }>({
    name: 'tracking-delete-tag',
    text: `with run as (select run_id, lifecycle_stage from tracked_runs where run_id = $1),
      gone as (delete from run_tags t using run where t.run_id = run.run_id and run.lifecycle_stage = 'active' and t.key = $2 returning t.key),
      heard as (update tracked_runs r set heard_at = now(), heartbeat_seconds = case when $2 = 'perennial.heartbeatSeconds' then null else heartbeat_seconds end from gone where r.run_id = $1)
      select lifecycle_stage as stage, exists (select from gone) as deleted from run`,
    values: [runId, key],
  });
  if (rows[0] === undefined) throw runNotFound(runId);
  if (rows[0].stage !== 'active') throw runNotActive(runId, rows[0].stage);
  if (!rows[0].deleted) throw notFound(`No tag with name: ${key} in run with id ${runId}`);
};

type HistoryRequest = { runId: string; key: string; limit: number; offset: number };

/** Points of a metric by step and time, as JSON values, with one more than asked for. */
export const metricHistory = async (database: Kysely<Database>, { runId, key, limit, offset }: HistoryRequest): Promise<unknown[]> => {
  const { rows } = await sql<{ points: unknown[] | null }>`
    select (select json_agg(json_strip_nulls(json_build_object('key', key, 'value', value, 'timestamp', timestamp_ms, 'step', step, 'model_id', model_id, 'dataset_name', dataset_name,
        'dataset_digest', dataset_digest, 'run_id', run_id)) order by step, timestamp_ms, value)
      from (select * from metric_points where run_id = r.run_id and key = ${key} order by step, timestamp_ms, value limit ${limit + 1} offset ${offset}) p) as points
    from tracked_runs r where r.run_id = ${runId}`.execute(database);
  if (rows[0] === undefined) throw runNotFound(runId);
  return rows[0].points ?? [];
};
