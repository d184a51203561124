/**
 * Runs as MLflow's clients read them, built as JSON by PostgreSQL: a page of a thousand runs with their metrics is then one text that the API passes on.
 * (PostgreSQL writes NaN and the infinities as the strings that protobuf's JSON has for them.)
 */
import { sql, type RawBuilder } from 'kysely';

type Fragment<T = unknown> = RawBuilder<T>;

/** A run that promised to speak and has not is FAILED, and RUNNING again when it does: both by what the clock says now. */
const SILENT = sql`(r.status = 'RUNNING' and r.heartbeat_seconds is not null and r.heard_at < now() - make_interval(secs => r.heartbeat_seconds))`;
const HEARD_MS = sql`(extract(epoch from r.heard_at) * 1000)::bigint`;

export const RUN_STATUS: Fragment = sql`(case when ${SILENT} then 'FAILED' else r.status end)`;
export const RUN_END: Fragment = sql`(case when ${SILENT} then ${HEARD_MS} else r.end_ms end)`;
export const RUN_HEARD: Fragment = HEARD_MS;

/** `info` of the run `r`. */
export const RUN_INFO: Fragment = sql`json_strip_nulls(json_build_object(
  'run_id', r.run_id, 'run_uuid', r.run_id, 'run_name', r.name, 'experiment_id', r.experiment_id::text, 'user_id', r.user_id, 'status', ${RUN_STATUS},
  'start_time', r.start_ms, 'end_time', ${RUN_END}, 'artifact_uri', r.artifact_uri, 'lifecycle_stage', r.lifecycle_stage, 'last_heard_time', ${HEARD_MS}))`;

const METRICS = sql`(select json_agg(json_build_object('key', key, 'value', value, 'timestamp', timestamp_ms, 'step', step, 'model_id', model_id,
  'dataset_name', dataset_name, 'dataset_digest', dataset_digest) order by key) from latest_metrics m where m.run_id = r.run_id)`;
const pairs = (table: Fragment): Fragment => sql`(select json_agg(json_build_object('key', key, 'value', value) order by key) from ${table} p where p.run_id = r.run_id)`;
const DATASETS = sql`(select json_agg(json_build_object('tags', tags, 'dataset', json_build_object('name', name, 'digest', digest, 'source_type', source_type, 'source', source,
  'schema', schema, 'profile', profile)) order by position) from run_inputs i where i.run_id = r.run_id)`;
const models = (direction: 'input' | 'output'): Fragment => sql`(select json_agg(case when direction = 'output' then json_build_object('model_id', model_id, 'step', step)
  else json_build_object('model_id', model_id) end order by position) from run_models o where o.run_id = r.run_id and direction = ${sql.lit(direction)})`;

/** The whole run `r` as text. */
export const RUN_TEXT: Fragment<string> = sql<string>`json_build_object('info', ${RUN_INFO},
  'data', json_strip_nulls(json_build_object('metrics', ${METRICS}, 'params', ${pairs(sql`run_params`)}, 'tags', ${pairs(sql`run_tags`)})),
  'inputs', json_strip_nulls(json_build_object('dataset_inputs', ${DATASETS}, 'model_inputs', ${models('input')})),
  'outputs', json_strip_nulls(json_build_object('model_outputs', ${models('output')})))::text`;
