/** A version `v` of a registered model, as MLflow's clients read it: registered by a client, or by a pipeline of Perennial. */
import { sql } from 'kysely';
import { OWN_FOLDER } from '../../../domain/tracking/artifact-path.ts';

/** Where a version's files lie. Those that pipelines registered lie in a folder of their own. */
export const VERSION_SOURCE = sql`coalesce(v.source, 'mlflow-artifacts:/' || ${sql.lit(OWN_FOLDER)} || '/models/' || v.model || '/' || v.version)`;

/** Tags, with those that tell of a pipeline's version where it came from. */
const TAGS = sql`(select json_agg(json_build_object('key', key, 'value', value) order by key) from (
  select key, value from registered_version_tags t where t.model = v.model and t.version = v.version
  union all select 'perennial.run', v.run_id where v.artifact is not null union all select 'perennial.sha256', v.model_sha256 where v.artifact is not null) as tags)`;

export const VERSION = sql<unknown>`json_strip_nulls(json_build_object('name', v.model, 'version', v.version::text, 'creation_timestamp', (extract(epoch from v.created_at) * 1000)::bigint,
  'last_updated_timestamp', (extract(epoch from greatest(v.updated_at, v.created_at)) * 1000)::bigint, 'user_id', v.user_id, 'current_stage', v.stage, 'description', coalesce(v.description, ''),
  'source', ${VERSION_SOURCE}, 'run_id', coalesce(v.source_run_id, ''), 'status', 'READY', 'run_link', coalesce(v.run_link, ''), 'model_id', v.logged_model_id, 'tags', ${TAGS},
  'aliases', (select json_agg(alias order by alias) from model_aliases a where a.model = v.model and a.version = v.version)))`;
