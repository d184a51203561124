/** Data sets and models that runs read and make. */
import { sql, type Kysely, type RawBuilder } from 'kysely';
import { asJson } from '../client.ts';
import type { Database } from '../schema.ts';
import { runNotActive, runNotFound } from './runs.ts';
import type { KeyValue } from './tracking-types.ts';

type Db = Kysely<Database>;
type Dataset = { name: string; digest: string; source_type?: string | undefined; source?: string | undefined; schema?: string | undefined; profile?: string | undefined };
export type Inputs = { datasets: { tags?: KeyValue[] | undefined; dataset: Dataset }[]; modelIds: string[] };

/** Runs `act` on the run while it is active. */
const onActiveRun = async (database: Db, runId: string, act: RawBuilder<unknown>): Promise<void> => {
  const { rows } = await sql<{ stage: string }>`
    with run as (select run_id, lifecycle_stage from tracked_runs where run_id = ${runId}), active as (select run_id from run where lifecycle_stage = 'active'),
      heard as (update tracked_runs r set heard_at = now() from active where r.run_id = active.run_id), ${act}
    select lifecycle_stage as stage from run`.execute(database);
  if (rows[0] === undefined) throw runNotFound(runId);
  if (rows[0].stage !== 'active') throw runNotActive(runId, rows[0].stage);
};

/** A data set that the run has already, by name and digest, stays as it is. */
export const logInputs = (database: Db, runId: string, { datasets, modelIds }: Inputs): Promise<void> => {
  const rows = datasets.map(({ tags, dataset }, place) => ({ place, ...dataset, source_type: dataset.source_type ?? '', source: dataset.source ?? '', tags: tags ?? [] }));
  return onActiveRun(
    database,
    runId,
    sql`sets as (insert into run_inputs (run_id, name, digest, source_type, source, schema, profile, tags)
          select run_id, name, digest, source_type, source, schema, profile, tags from active,
            jsonb_to_recordset(${asJson(rows)}::jsonb) as d(place int, name text, digest text, source_type text, source text, schema text, profile text, tags jsonb) order by place on conflict do nothing),
        models as (insert into run_models (run_id, model_id, direction) select run_id, model_id, 'input' from active, unnest(${modelIds}::text[]) as m(model_id) on conflict do nothing)`,
  );
};

export const logOutputs = (database: Db, runId: string, models: { modelId: string; step: number }[]): Promise<void> =>
  onActiveRun(
    database,
    runId,
    sql`models as (insert into run_models (run_id, model_id, direction, step) select run_id, model_id, 'output', step
          from active, unnest(${models.map(({ modelId }) => modelId)}::text[], ${models.map(({ step }) => step)}::bigint[]) as m(model_id, step) on conflict do nothing)`,
  );

/** MLflow 2's record of logged models: a tag with a JSON list, which grows. */
export const logModelRecord = (database: Db, runId: string, model: object): Promise<void> =>
  onActiveRun(
    database,
    runId,
    sql`record as (insert into run_tags as old (run_id, key, value) select run_id, 'mlflow.log-model.history', jsonb_build_array(${asJson(model)}::jsonb)::text from active
          on conflict (run_id, key) do update set value = (old.value::jsonb || ${asJson(model)}::jsonb)::text)`,
  );
