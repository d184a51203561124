/** Paths of artifacts: each names bytes of the content-addressed store. */
import { sql, type Kysely } from 'kysely';
import type { ArtifactRef } from '../../../contracts/artifact.ts';
import { asJson } from '../client.ts';
import type { Database } from '../schema.ts';

type Db = Kysely<Database>;

export type Entry = { name: string; bytes: number | null };

/** Gives a path these bytes, in place of others. A run that promised to speak has spoken by it. */
export const setArtifact = async (database: Db, path: string, artifact: ArtifactRef): Promise<void> => {
  await sql`with heard as (update tracked_runs set heard_at = now() where run_id = split_part(${path}, '/', 2) and heartbeat_seconds is not null)
    insert into tracked_artifacts (path, artifact, bytes) values (${path}, ${asJson(artifact)}::jsonb, ${artifact.bytes})
    on conflict (path) do update set artifact = excluded.artifact, bytes = excluded.bytes, stored_at = now()`.execute(database);
};

export const findArtifact = async (database: Db, path: string): Promise<ArtifactRef | undefined> => {
  const row = await database.selectFrom('tracked_artifacts').select('artifact').where('path', '=', path).executeTakeFirst();
  return row?.artifact as ArtifactRef | undefined;
};

/** Everything below a folder, by the order of bytes: `/` is followed by `0`. */
const below = (folder: string) => (folder === '' ? sql`true` : sql`path > ${`${folder}/`} and path < ${`${folder}0`}`);

/** Files and folders directly in a folder, by name; a folder has no size. Empty when there is none, or it is a file. */
export const listArtifacts = async (database: Db, folder: string): Promise<Entry[]> => {
  const start = folder === '' ? 1 : folder.length + 2;
  const { rows } = await sql<Entry>`
    select split_part(substr(path, ${start}::int), '/', 1) as name, case when bool_or(position('/' in substr(path, ${start}::int)) > 0) then null else max(bytes) end as bytes
    from tracked_artifacts where ${below(folder)} group by 1 order by 1`.execute(database);
  return rows;
};

/** Forgets a file, or a folder with all that is in it; says how many there were. */
export const deleteArtifacts = async (database: Db, path: string): Promise<number> => {
  const { rows } = await sql<{ n: number }>`with gone as (delete from tracked_artifacts where path = ${path} or (${below(path)}) returning 1) select count(*)::int as n from gone`.execute(database);
  return rows[0]?.n ?? 0;
};
