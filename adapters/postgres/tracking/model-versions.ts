/** Versions of registered models: create, read, change, stages, delete, search. */
import { sql, type Kysely } from 'kysely';
import { offsetOf, pageOf, type Page } from '../../../domain/tracking/paging.ts';
import { invalidValue, notFound, TrackingRefusal } from '../../../domain/tracking/refusal.ts';
import { parseFilter } from '../../../domain/tracking/search-filter.ts';
import { parseOrder } from '../../../domain/tracking/search-order.ts';
import { MODEL_VERSIONS } from '../../../domain/tracking/search-targets.ts';
import type { Database } from '../schema.ts';
import { filterSql, orderSql, type SearchTables } from './filter-sql.ts';
import { modelNotFound } from './registered-models.ts';
import type { KeyValue, SearchRequest } from './tracking-types.ts';
import { VERSION, VERSION_SOURCE } from './version-json.ts';

type Db = Kysely<Database>;
export type VersionId = { name: string; version: number };

export type VersionRead = { name: string; version: string; creation_timestamp: number; [key: string]: unknown };

export type NewVersion = {
  name: string;
  source: string;
  runId: string | undefined;
  runLink: string | undefined;
  description: string | undefined;
  modelId: string | undefined;
  userId: string;
  tags: KeyValue[];
};

const versionNotFound = ({ name, version }: VersionId): TrackingRefusal => notFound(`Model Version (name=${name.slice(0, 200)}, version=${version}) not found`);

/** The row of the model puts creations in a row: numbers neither repeat nor leave a gap. */
export const createVersion = async (database: Db, given: NewVersion): Promise<VersionRead> => {
  const { rows } = await sql<{ version: number }>`
    with model as (update registered_models set last_version = greatest(last_version, (select max(version) from registered_versions v where v.model = name)) + 1, updated_at = now() where name = ${given.name} returning name, last_version),
      made as (insert into registered_versions (model, version, source, source_run_id, run_link, description, logged_model_id, user_id)
        select name, last_version, ${given.source}, coalesce(${given.runId || null}::text, (select source_run_id from logged_models where model_id = ${given.modelId ?? null})), ${given.runLink ?? null}, ${given.description ?? null}, ${given.modelId ?? null}, ${given.userId} from model returning model, version),
      tags as (insert into registered_version_tags select model, version, key, value
        from made, unnest(${given.tags.map(({ key }) => key)}::text[], ${given.tags.map(({ value }) => value)}::text[]) as t(key, value))
    select version from made`.execute(database);
  if (rows[0] === undefined) throw modelNotFound(given.name);
  return readVersion(database, { name: given.name, version: rows[0].version });
};

export const readVersion = async (database: Db, id: VersionId): Promise<VersionRead> => {
  const { rows } = await sql<{ version: VersionRead }>`select ${VERSION} as version from registered_versions v where v.model = ${id.name} and v.version = ${id.version}`.execute(database);
  if (rows[0] === undefined) throw versionNotFound(id);
  return rows[0].version;
};

/** Whether the version that was made then is there, not that of a later model of its name. */
export const isVersionSince = async (database: Db, { name, version, creation_timestamp: createdMs }: VersionRead): Promise<boolean> =>
  (await sql`select from registered_versions where model = ${name} and version = ${Number(version)} and (extract(epoch from created_at) * 1000)::bigint = ${createdMs}`.execute(database)).rows.length > 0;

export const versionOfAlias = async (database: Db, name: string, alias: string): Promise<unknown> => {
  const { rows } = await sql<{ version: unknown }>`
    select ${VERSION} as version from registered_versions v join model_aliases x on x.model = v.model and x.version = v.version where x.model = ${name} and x.alias = ${alias}`.execute(database);
  // The code and the words are those that clients look for.
  if (rows[0] === undefined) throw invalidValue(`Registered model alias ${alias.slice(0, 200)} not found.`);
  return rows[0].version;
};

type Change = { description?: string; tag?: KeyValue; untag?: string };

export const changeVersion = async (database: Db, id: VersionId, { description, tag, untag }: Change): Promise<void> => {
  const { rows } = await sql<{ version: number }>`
    with found as (update registered_versions set updated_at = now(), description = coalesce(${description ?? null}::text, description)
        where model = ${id.name} and version = ${id.version} returning model, version),
      tag as (insert into registered_version_tags select model, version, ${tag?.key ?? ''}::text, ${tag?.value ?? ''}::text from found where ${tag !== undefined}
        on conflict (model, version, key) do update set value = excluded.value),
      untagged as (delete from registered_version_tags t using found where t.model = found.model and t.version = found.version and t.key = ${untag ?? null})
    select version from found`.execute(database);
  if (rows[0] === undefined) throw versionNotFound(id);
};

/** `archive`: other versions of that stage become Archived. */
export const setStage = async (database: Db, id: VersionId, { stage, archive }: { stage: string; archive: boolean }): Promise<void> => {
  const { rows } = await sql<{ version: number }>`
    with found as (select model, version from registered_versions where model = ${id.name} and version = ${id.version}),
      changed as (update registered_versions v set updated_at = now(), stage = case when v.version = ${id.version} then ${stage} else 'Archived' end
        from found where v.model = found.model and (v.version = found.version or (${archive} and v.stage = ${stage})))
    select version from found`.execute(database);
  if (rows[0] === undefined) throw versionNotFound(id);
};

/** The newest version in each of the stages; without stages, of all that have a version. */
export const latestVersions = async (database: Db, name: string, stages: string[]): Promise<unknown[]> => {
  const { rows } = await sql<{ name: string; version: unknown }>`
    select m.name, (case when v.model is null then null else ${VERSION} end) as version from registered_models m
      left join (select distinct on (stage) * from registered_versions w where w.model = ${name} and (${stages.length === 0} or stage = any(${stages}::text[])) order by stage, version desc) v on true
    where m.name = ${name} order by v.version`.execute(database);
  if (rows.length === 0) throw modelNotFound(name);
  return rows.flatMap((row) => (row.version === null ? [] : [row.version]));
};

/** Aliases that name it go with it. @throws TrackingRefusal for a version of a pipeline, which deployments and reports name */
export const deleteVersion = (database: Db, id: VersionId): Promise<void> =>
  database.transaction().execute(async (transaction) => {
    const { rows } = await sql<{ own: boolean }>`select artifact is not null as own from registered_versions where model = ${id.name} and version = ${id.version} for update`.execute(transaction);
    if (rows[0] === undefined) throw versionNotFound(id);
    if (rows[0].own) throw new TrackingRefusal('INVALID_STATE', `Version ${id.version} of ${id.name} was registered by a pipeline: it stays, as deployments and reports name it.`);
    await sql`insert into model_alias_moves (model, alias, from_version, to_version, request_id, reason)
      select model, alias, version, null, 'delete ' || version, 'the version was deleted' from model_aliases where model = ${id.name} and version = ${id.version}`.execute(transaction);
    await transaction.deleteFrom('model_aliases').where('model', '=', id.name).where('version', '=', id.version).execute();
    await sql`delete from registered_versions where model = ${id.name} and version = ${id.version}`.execute(transaction);
    await transaction.updateTable('registered_models').set({ updated_at: new Date() }).where('name', '=', id.name).execute();
  });

const TABLES: SearchTables = {
  id: sql`(v.model, v.version)`,
  ownId: sql`model, version`,
  attributes: {
    name: sql`v.model`,
    run_id: sql`coalesce(v.source_run_id, '')`,
    source_path: VERSION_SOURCE,
    current_stage: sql`v.stage`,
    version_number: sql`v.version`,
    creation_timestamp: sql`extract(epoch from v.created_at) * 1000`,
    last_updated_timestamp: sql`extract(epoch from v.updated_at) * 1000`,
  },
  values: { tag: sql`registered_version_tags` },
  absentDiffers: true,
};

export const searchVersions = async (database: Db, { filter, orderBy, limit, pageToken }: Omit<SearchRequest, 'stages'>): Promise<Page<unknown>> => {
  const search = JSON.stringify(['model-versions', filter, orderBy]);
  const offset = offsetOf(pageToken, search);
  const order = orderBy.length === 0 ? ['last_updated_timestamp DESC'] : orderBy;
  const sorted = orderSql(TABLES, parseOrder(MODEL_VERSIONS, order), sql`v.model, v.version desc`);
  const { rows } = await sql<{ version: unknown }>`
    select ${VERSION} as version from registered_versions v ${sorted.joins} where ${filterSql(TABLES, parseFilter(MODEL_VERSIONS, filter))}
    ${sorted.orderBy} limit ${limit + 1} offset ${offset}`.execute(database);
  return pageOf(rows.map((row) => row.version), { limit, offset, search });
};
