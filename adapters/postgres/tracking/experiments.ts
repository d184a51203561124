/** Experiments in PostgreSQL. */
import { sql, type Kysely } from 'kysely';
import { invalidValue, notFound, TrackingRefusal } from '../../../domain/tracking/refusal.ts';
import { offsetOf, pageOf, type Page } from '../../../domain/tracking/paging.ts';
import { parseFilter } from '../../../domain/tracking/search-filter.ts';
import { parseOrder } from '../../../domain/tracking/search-order.ts';
import { EXPERIMENTS } from '../../../domain/tracking/search-targets.ts';
import type { Database } from '../schema.ts';
import { filterSql, orderSql, type SearchTables } from './filter-sql.ts';
import type { KeyValue, SearchRequest } from './tracking-types.ts';

type Db = Kysely<Database>;

const EXPERIMENT = sql<unknown>`json_strip_nulls(json_build_object('experiment_id', e.experiment_id::text, 'name', e.name, 'artifact_location', e.artifact_location,
  'lifecycle_stage', e.lifecycle_stage, 'creation_time', e.created_ms, 'last_update_time', e.updated_ms,
  'tags', (select json_agg(json_build_object('key', key, 'value', value) order by key) from experiment_tags t where t.experiment_id = e.experiment_id)))`;
const NOW_MS = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;

const isDuplicate = (error: unknown): boolean => (error as { code?: unknown }).code === '23505';

/** @throws TrackingRefusal when no experiment can have this id */
export const experimentId = (id: string): number => {
  if (!/^\d{1,15}$/.test(id)) throw notFound(`No Experiment with id=${id.slice(0, 100)} exists`);
  return Number(id);
};

/** Makes an experiment whose artifacts lie under `location`, or under its own id. @throws TrackingRefusal RESOURCE_ALREADY_EXISTS */
export const createExperiment = async (database: Db, { name, location, tags }: { name: string; location: string | undefined; tags: KeyValue[] }): Promise<string> => {
  try {
    const { rows } = await sql<{ id: number }>`
      with number as (select nextval(pg_get_serial_sequence('experiments', 'experiment_id')) as id),
        made as (insert into experiments (experiment_id, name, artifact_location, created_ms, updated_ms)
          select id, ${name}, coalesce(${location ?? null}::text, 'mlflow-artifacts:/' || id), ${NOW_MS}, ${NOW_MS} from number returning experiment_id),
        tags as (insert into experiment_tags (experiment_id, key, value) select experiment_id, key, value
          from made, unnest(${tags.map(({ key }) => key)}::text[], ${tags.map(({ value }) => value)}::text[]) as t(key, value) on conflict do nothing)
      select experiment_id as id from made`.execute(database);
    return String(rows[0]?.id);
  } catch (error) {
    if (!isDuplicate(error)) throw error;
    throw new TrackingRefusal('RESOURCE_ALREADY_EXISTS', `Experiment(name=${name}) already exists. It may be deleted: then restore it, or delete it for good under another name.`);
  }
};

export const isActiveExperiment = async (database: Db, id: string, name: string): Promise<boolean> =>
  (await database.selectFrom('experiments').select('name').where('experiment_id', '=', experimentId(id)).where('name', '=', name).where('lifecycle_stage', '=', 'active').executeTakeFirst()) !== undefined;

export const readExperiment = async (database: Db, by: { id: string } | { name: string }): Promise<unknown> => {
  const where = 'id' in by ? sql`e.experiment_id = ${experimentId(by.id)}` : sql`e.name = ${by.name}`;
  const { rows } = await sql<{ experiment: unknown }>`select ${EXPERIMENT} as experiment from experiments e where ${where}`.execute(database);
  if (rows[0] === undefined) throw notFound('id' in by ? `No Experiment with id=${by.id} exists` : `Could not find experiment with name '${by.name}'`);
  return rows[0].experiment;
};

/** Changes an experiment, which must be in `stage`. */
export const changeExperiment = async (database: Db, id: string, change: { stage: 'active' | 'deleted'; name?: string; to?: 'active' | 'deleted' }): Promise<void> => {
  try {
    const { rows } = await sql<{ stage: string }>`
      with found as (select experiment_id, lifecycle_stage from experiments where experiment_id = ${experimentId(id)} for update),
        changed as (update experiments e set name = coalesce(${change.name ?? null}::text, e.name), lifecycle_stage = coalesce(${change.to ?? null}::text, e.lifecycle_stage),
          updated_ms = ${NOW_MS} from found f where e.experiment_id = f.experiment_id and f.lifecycle_stage = ${change.stage})
      select lifecycle_stage as stage from found`.execute(database);
    if (rows[0] === undefined) throw notFound(`No Experiment with id=${id} exists`);
    if (rows[0].stage !== change.stage) throw invalidValue(`The experiment ${id} must be in the '${change.stage}' state. Current state is ${rows[0].stage}.`);
  } catch (error) {
    if (isDuplicate(error)) throw new TrackingRefusal('RESOURCE_ALREADY_EXISTS', `Experiment(name=${change.name}) already exists.`);
    throw error;
  }
};

export const setExperimentTag = async (database: Db, id: string, { key, value }: KeyValue): Promise<void> => {
  const { rows } = await sql<{ stage: string }>`
    with found as (select experiment_id, lifecycle_stage from experiments where experiment_id = ${experimentId(id)}),
      tag as (insert into experiment_tags (experiment_id, key, value) select experiment_id, ${key}, ${value} from found where lifecycle_stage = 'active'
        on conflict (experiment_id, key) do update set value = excluded.value)
    select lifecycle_stage as stage from found`.execute(database);
  if (rows[0] === undefined) throw notFound(`No Experiment with id=${id} exists`);
  if (rows[0].stage !== 'active') throw invalidValue(`The experiment ${id} must be in the 'active' state. Current state is ${rows[0].stage}.`);
};

export const deleteExperimentTag = async (database: Db, id: string, key: string): Promise<void> => {
  await readExperiment(database, { id });
  const { numDeletedRows } = await database.deleteFrom('experiment_tags').where('experiment_id', '=', experimentId(id)).where('key', '=', key).executeTakeFirstOrThrow();
  if (numDeletedRows === 0n) throw notFound(`No tag with name: ${key} in experiment with id ${id}`);
};

const TABLES: SearchTables = {
  id: sql`e.experiment_id`,
  ownId: sql`experiment_id`,
  attributes: { name: sql`e.name`, experiment_id: sql`e.experiment_id::text`, creation_time: sql`e.created_ms`, last_update_time: sql`e.updated_ms` },
  values: { tag: sql`experiment_tags` },
  absentDiffers: false,
};

export const searchExperiments = async (database: Db, { filter, orderBy, limit, pageToken, stages }: SearchRequest): Promise<Page<unknown>> => {
  const search = JSON.stringify(['experiments', filter, orderBy, stages]);
  const offset = offsetOf(pageToken, search);
  const order = orderBy.length === 0 ? ['last_update_time DESC'] : orderBy;
  const sorted = orderSql(TABLES, parseOrder(EXPERIMENTS, order), sql`e.experiment_id`);
  const { rows } = await sql<{ experiment: unknown }>`
    select ${EXPERIMENT} as experiment from experiments e ${sorted.joins} where e.lifecycle_stage = any(${stages}::text[]) and ${filterSql(TABLES, parseFilter(EXPERIMENTS, filter))}
    ${sorted.orderBy} limit ${limit + 1} offset ${offset}`.execute(database);
  return pageOf(rows.map((row) => row.experiment), { limit, offset, search });
};
