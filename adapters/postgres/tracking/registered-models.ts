/** Registered models as MLflow's clients see them. */
import { sql, type Kysely } from 'kysely';
import { offsetOf, pageOf, type Page } from '../../../domain/tracking/paging.ts';
import { notFound, TrackingRefusal } from '../../../domain/tracking/refusal.ts';
import { parseFilter } from '../../../domain/tracking/search-filter.ts';
import { parseOrder } from '../../../domain/tracking/search-order.ts';
import { REGISTERED_MODELS } from '../../../domain/tracking/search-targets.ts';
import type { Database } from '../schema.ts';
import { filterSql, orderSql, type SearchTables } from './filter-sql.ts';
import type { KeyValue, SearchRequest } from './tracking-types.ts';
import { VERSION } from './version-json.ts';

type Db = Kysely<Database>;

export type ModelRead = { name: string; creation_timestamp: number; [key: string]: unknown };

const MODEL = sql<unknown>`json_strip_nulls(json_build_object('name', m.name, 'creation_timestamp', (extract(epoch from m.created_at) * 1000)::bigint,
  'last_updated_timestamp', (extract(epoch from m.updated_at) * 1000)::bigint, 'description', m.description,
  'latest_versions', (select json_agg(${VERSION} order by v.version) from (select distinct on (stage) * from registered_versions w where w.model = m.name order by stage, version desc) v),
  'aliases', (select json_agg(json_build_object('alias', alias, 'version', version::text) order by alias) from model_aliases a where a.model = m.name),
  'tags', (select json_agg(json_build_object('key', key, 'value', value) order by key) from registered_model_tags t where t.model = m.name)))`;

export const modelNotFound = (name: string): TrackingRefusal => notFound(`Registered Model with name=${name.slice(0, 200)} not found`);

const exists = (name: string): TrackingRefusal => new TrackingRefusal('RESOURCE_ALREADY_EXISTS', `Registered Model (name=${name}) already exists.`);

/** @throws TrackingRefusal RESOURCE_ALREADY_EXISTS */
export const createModel = async (database: Db, { name, description, tags }: { name: string; description: string | undefined; tags: KeyValue[] }): Promise<ModelRead> => {
  const { rows } = await sql<{ name: string }>`
    with made as (insert into registered_models (name, description) values (${name}, ${description ?? null}) on conflict do nothing returning name),
      tags as (insert into registered_model_tags select name, key, value from made, unnest(${tags.map(({ key }) => key)}::text[], ${tags.map(({ value }) => value)}::text[]) as t(key, value))
    select name from made`.execute(database);
  if (rows.length === 0) throw exists(name);
  return readModel(database, name);
};

export const readModel = async (database: Db, name: string): Promise<ModelRead> => {
  const { rows } = await sql<{ model: ModelRead }>`select ${MODEL} as model from registered_models m where m.name = ${name}`.execute(database);
  if (rows[0] === undefined) throw modelNotFound(name);
  return rows[0].model;
};

/** Whether the model that was made then is there, not a later one of its name. */
export const isModelSince = async (database: Db, { name, creation_timestamp: createdMs }: ModelRead): Promise<boolean> =>
  (await sql`select from registered_models where name = ${name} and (extract(epoch from created_at) * 1000)::bigint = ${createdMs}`.execute(database)).rows.length > 0;

type Change = { description?: string; tag?: KeyValue; untag?: string };

export const changeModel = async (database: Db, name: string, { description, tag, untag }: Change): Promise<void> => {
  const { rows } = await sql<{ name: string }>`
    with found as (update registered_models set updated_at = now(), description = coalesce(${description ?? null}::text, description) where name = ${name} returning name),
      tag as (insert into registered_model_tags select name, ${tag?.key ?? ''}::text, ${tag?.value ?? ''}::text from found where ${tag !== undefined}
        on conflict (model, key) do update set value = excluded.value),
      untagged as (delete from registered_model_tags t using found where t.model = found.name and t.key = ${untag ?? null})
    select name from found`.execute(database);
  if (rows[0] === undefined) throw modelNotFound(name);
};

/** What a pipeline registered, or a gateway serves, goes by its name elsewhere too. @throws TrackingRefusal */
const requireFree = async (database: Db, name: string): Promise<void> => {
  const { rows } = await sql<{ taken: boolean }>`
    select exists (select from model_versions v where v.model = m.name) or exists (select from deployments d where d.model = m.name) as taken from registered_models m where m.name = ${name} for update`.execute(database);
  if (rows[0] === undefined) throw modelNotFound(name);
  if (rows[0].taken) throw new TrackingRefusal('INVALID_STATE', `The model ${name} has versions that a pipeline registered, or is deployed: it can be neither renamed nor deleted.`);
};

export const renameModel = (database: Db, name: string, newName: string): Promise<unknown> =>
  database.transaction().execute(async (transaction) => {
    await requireFree(transaction, name);
    const taken = await transaction.selectFrom('registered_models').select('name').where('name', '=', newName).executeTakeFirst();
    if (taken !== undefined) throw exists(newName);
    await transaction.updateTable('registered_models').set({ name: newName, updated_at: new Date() }).where('name', '=', name).execute();
    await transaction.updateTable('model_alias_moves').set({ model: newName }).where('model', '=', name).execute();
    return readModel(transaction, newName);
  });

/** The history of its aliases stays. */
export const deleteModel = (database: Db, name: string): Promise<void> =>
  database.transaction().execute(async (transaction) => {
    await requireFree(transaction, name);
    await sql`insert into model_alias_moves (model, alias, from_version, to_version, request_id, reason)
      select model, alias, version, null, 'delete ' || model, 'the model was deleted' from model_aliases where model = ${name}`.execute(transaction);
    await transaction.deleteFrom('model_aliases').where('model', '=', name).execute();
    await sql`delete from registered_versions where model = ${name}`.execute(transaction);
    await transaction.deleteFrom('registered_models').where('name', '=', name).execute();
  });

const TABLES: SearchTables = {
  id: sql`m.name`,
  ownId: sql`model`,
  attributes: { name: sql`m.name`, creation_timestamp: sql`extract(epoch from m.created_at) * 1000`, last_updated_timestamp: sql`extract(epoch from m.updated_at) * 1000` },
  values: { tag: sql`registered_model_tags` },
  absentDiffers: true,
};

export const searchModels = async (database: Db, { filter, orderBy, limit, pageToken }: Omit<SearchRequest, 'stages'>): Promise<Page<unknown>> => {
  const search = JSON.stringify(['registered-models', filter, orderBy]);
  const offset = offsetOf(pageToken, search);
  const sorted = orderSql(TABLES, parseOrder(REGISTERED_MODELS, orderBy), sql`m.name`);
  const { rows } = await sql<{ model: unknown }>`
    select ${MODEL} as model from registered_models m ${sorted.joins} where ${filterSql(TABLES, parseFilter(REGISTERED_MODELS, filter))}
    ${sorted.orderBy} limit ${limit + 1} offset ${offset}`.execute(database);
  return pageOf(rows.map((row) => row.model), { limit, offset, search });
};
