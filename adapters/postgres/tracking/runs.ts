/** Runs in PostgreSQL: create, read, change, delete, search. Each is one statement. */
import { sql, type Kysely } from 'kysely';
import type { Pool } from 'pg';
import { offsetOf, pageOf, type Page } from '../../../domain/tracking/paging.ts';
import { invalidValue, notFound, type TrackingRefusal } from '../../../domain/tracking/refusal.ts';
import { parseFilter } from '../../../domain/tracking/search-filter.ts';
import { parseOrder } from '../../../domain/tracking/search-order.ts';
import { RUNS } from '../../../domain/tracking/search-targets.ts';
import type { Database } from '../schema.ts';
import { filterSql, orderSql, type SearchTables } from './filter-sql.ts';
import { RUN_END, RUN_HEARD, RUN_INFO, RUN_STATUS, RUN_TEXT } from './run-json.ts';
import type { KeyValue, SearchRequest } from './tracking-types.ts';

type Db = Kysely<Database>;
type Queries = Pick<Pool, 'query'>;

export type NewRun = { runId: string; experimentId: string; name: string; userId: string; startMs: number; tags: KeyValue[]; heartbeatSeconds: number | null };
export type RunChange = { status: string | undefined; endMs: number | undefined; name: string | undefined };

export const runNotFound = (runId: string): TrackingRefusal => notFound(`Run with id=${runId.slice(0, 100)} not found`);
export const runNotActive = (runId: string, stage: string): TrackingRefusal => invalidValue(`The run ${runId} must be in the 'active' state. Current state is ${stage}.`);

const CREATE = {
  name: 'tracking-create-run',
  text: `with experiment as (select experiment_id, artifact_location, lifecycle_stage from experiments where experiment_id = $2),
    run as (insert into tracked_runs (run_id, experiment_id, name, user_id, status, start_ms, artifact_uri, heartbeat_seconds)
      select $1, experiment_id, $3, $4, 'RUNNING', $5, rtrim(artifact_location, '/') || '/' || $1 || '/artifacts', $6 from experiment where lifecycle_stage = 'active' on conflict do nothing returning run_id),
    tags as (insert into run_tags (run_id, key, value) select run_id, key, value from run, unnest($7::text[], $8::text[]) as t(key, value))
    select artifact_location as location, lifecycle_stage as stage from experiment`,
};

/** Gives the run's artifact folder. A run that is there already is not made again: its id was made from the request's key. */
export const createRun = async (pool: Queries, run: NewRun): Promise<{ artifactUri: string }> => {
  const experiment = /^\d{1,15}$/.test(run.experimentId) ? Number(run.experimentId) : -1;
  const keys = run.tags.map(({ key }) => key);
  const values = [run.runId, experiment, run.name, run.userId, run.startMs, run.heartbeatSeconds, keys, run.tags.map(({ value }) => value)];
  const { rows } = await pool.query<{ location: string; stage: string }>({ ...CREATE, values });
  const [row] = rows;
  if (row === undefined) throw notFound(`No Experiment with id=${run.experimentId} exists`);
  if (row.stage !== 'active') throw invalidValue(`The experiment ${run.experimentId} must be in the 'active' state. Current state is ${row.stage}.`);
  return { artifactUri: `${row.location.replace(/\/+$/, '')}/${run.runId}/artifacts` };
};

/** The run as JSON text. */
export const readRun = async (database: Db, runId: string): Promise<string> => {
  const { rows } = await sql<{ run: string }>`select ${RUN_TEXT} as run from tracked_runs r where r.run_id = ${runId}`.execute(database);
  if (rows[0] === undefined) throw runNotFound(runId);
  return rows[0].run;
};

export const isActiveRun = async (database: Db, runId: string): Promise<boolean> =>
  (await database.selectFrom('tracked_runs').select('run_id').where('run_id', '=', runId).where('lifecycle_stage', '=', 'active').executeTakeFirst()) !== undefined;

export const readArtifactUri = async (database: Db, runId: string): Promise<string> => {
  const row = await database.selectFrom('tracked_runs').select('artifact_uri').where('run_id', '=', runId).executeTakeFirst();
  if (row === undefined) throw runNotFound(runId);
  return row.artifact_uri;
};

/** Changes status, end or name, and gives the info. An end that is not given stays, but a run that runs again has none. */
export const updateRun = async (database: Db, runId: string, { status, endMs, name }: RunChange): Promise<unknown> => {
  const { rows } = await sql<{ info: unknown; stage: string }>`
    with r as (update tracked_runs set status = coalesce(${status ?? null}::text, status), name = coalesce(${name ?? null}::text, name), heard_at = now(),
        end_ms = case when ${status ?? null}::text = 'RUNNING' then null else coalesce(${endMs ?? null}::bigint, end_ms) end
      where run_id = ${runId} and lifecycle_stage = 'active' returning *),
      tag as (insert into run_tags (run_id, key, value) select run_id, 'mlflow.runName', name from r where ${name ?? null}::text is not null
        on conflict (run_id, key) do update set value = excluded.value)
    select ${RUN_INFO} as info from r`.execute(database);
  if (rows[0] !== undefined) return rows[0].info;
  throw await whyNot(database, runId);
};

const whyNot = async (database: Db, runId: string): Promise<TrackingRefusal> => {
  const row = await database.selectFrom('tracked_runs').select('lifecycle_stage').where('run_id', '=', runId).executeTakeFirst();
  return row === undefined ? runNotFound(runId) : runNotActive(runId, row.lifecycle_stage);
};

/** Deleting keeps everything; restoring is its undo. Both are no error where nothing changes. */
export const setRunStage = async (database: Db, runId: string, stage: 'active' | 'deleted'): Promise<void> => {
  const deletedMs = stage === 'deleted' ? Date.now() : null;
  const { numUpdatedRows } = await database.updateTable('tracked_runs').set({ lifecycle_stage: stage, deleted_ms: deletedMs }).where('run_id', '=', runId).executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) throw runNotFound(runId);
};

const TABLES: SearchTables = {
  id: sql`r.run_id`,
  ownId: sql`run_id`,
  attributes: {
    run_id: sql`r.run_id`,
    run_name: sql`r.name`,
    user_id: sql`r.user_id`,
    status: RUN_STATUS,
    artifact_uri: sql`r.artifact_uri`,
    experiment_id: sql`r.experiment_id::text`,
    start_time: sql`r.start_ms`,
    end_time: RUN_END,
    last_heard_time: RUN_HEARD,
  },
  values: { metric: sql`latest_metrics`, param: sql`run_params`, tag: sql`run_tags` },
  dataset: (key, test) =>
    key === 'context'
      ? sql`exists (select from run_inputs i, jsonb_array_elements(i.tags) as t where i.run_id = r.run_id and t ->> 'key' = 'mlflow.data.context' and ${test(sql`(t ->> 'value')`)})`
      : sql`exists (select from run_inputs i where i.run_id = r.run_id and ${test(key === 'name' ? sql`i.name` : sql`i.digest`)})`,
  absentDiffers: false,
};

/** A page of runs, each as JSON text. */
export const searchRuns = async (database: Db, request: SearchRequest & { experimentIds: string[] }): Promise<Page<string>> => {
  const { filter, orderBy, limit, pageToken, stages, experimentIds } = request;
  const experiments = experimentIds.filter((id) => /^\d{1,15}$/.test(id)).map(Number);
  const search = JSON.stringify(['runs', filter, orderBy, stages, experiments]);
  const offset = offsetOf(pageToken, search);
  const [where, order] = [filterSql(TABLES, parseFilter(RUNS, filter)), orderSql(TABLES, parseOrder(RUNS, orderBy), sql`r.start_ms desc, r.run_id`)];
  const { rows } = await sql<{ run: string }>`
    with page as materialized (select q.*, row_number() over () as place from (select r.* from tracked_runs r ${order.joins}
      where r.experiment_id = any(${experiments}::bigint[]) and r.lifecycle_stage = any(${stages}::text[]) and ${where} ${order.orderBy} limit ${limit + 1} offset ${offset}) q)
    select ${RUN_TEXT} as run from page r order by place`.execute(database);
  return pageOf(rows.map((row) => row.run), { limit, offset, search });
};
