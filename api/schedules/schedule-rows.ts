/** What is wished for: the rows of schedules as pipelines declare them and people put them. Temporal follows them. */
import { sql, type Kysely, type Transaction } from 'kysely';
import type { Database } from '../../adapters/postgres/schema.ts';
import type { PipelineSpec } from '../../contracts/pipeline.ts';
import { schedulesOf, type ScheduleKey, type ScheduleSpec } from '../../contracts/schedule.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import { canonicalJson } from '../http/unique.ts';
import type { Principal } from '../keys/key-store.ts';

export type ScheduleChange = { name: string; change: 'created' | 'updated' | 'unchanged' | 'deleted' };

export type ScheduleRow = {
  pipeline: string;
  name: string;
  spec: ScheduleSpec;
  origin: 'pipeline' | 'api';
  synced: boolean;
  syncError: string | null;
  createdBy: string;
  createdAt: Date;
  updatedAt: Date;
};

type Wish = ScheduleKey & { spec: ScheduleSpec; origin: ScheduleRow['origin'] };
type Connection = Kysely<Database> | Transaction<Database>;

const present = (database: Connection, { pipeline, name }: ScheduleKey) =>
  database.selectFrom('schedules').select(['spec', 'origin', 'deleted']).where('pipeline', '=', pipeline).where('name', '=', name).forUpdate().executeTakeFirst();

/** Writes the wish; an equal one keeps its revision. */
const wish = async (database: Connection, { pipeline, name, spec, origin }: Wish, principal: Principal): Promise<ScheduleChange['change']> => {
  const row = await present(database, { pipeline, name });
  const isThere = row !== undefined && !row.deleted;
  if (isThere && row.origin === origin && canonicalJson(row.spec) === canonicalJson(spec)) return 'unchanged';
  const text = JSON.stringify(spec);
  await database
    .insertInto('schedules')
    .values({ pipeline, name, spec: text, origin, created_by: principal.name })
    .onConflict((conflict) =>
      conflict.columns(['pipeline', 'name']).doUpdateSet({ spec: text, origin, deleted: false, sync_error: null, updated_at: sql`now()`, revision: sql`schedules.revision + 1` }),
    )
    .execute();
  return isThere ? 'updated' : 'created';
};

/** The row stays, marked, until Temporal has forgotten the schedule. */
const unwish = async (database: Connection, { pipeline, name }: ScheduleKey): Promise<void> => {
  await database.updateTable('schedules').set({ deleted: true, sync_error: null, updated_at: sql`now()` }).where('pipeline', '=', pipeline).where('name', '=', name).execute();
};

/** Within the transaction of an apply: the declared schedules, exactly; those that people put are left alone. */
export const declareSchedules = async (transaction: Transaction<Database>, pipeline: PipelineSpec, principal: Principal): Promise<ScheduleChange[]> => {
  const changes: ScheduleChange[] = [];
  const declared = schedulesOf(pipeline);
  for (const { name, spec } of declared) changes.push({ name, change: await wish(transaction, { pipeline: pipeline.name, name, spec, origin: 'pipeline' }, principal) });
  const rows = await transaction.selectFrom('schedules').select('name').where('pipeline', '=', pipeline.name).where('origin', '=', 'pipeline').where('deleted', '=', false).orderBy('name').execute();
  for (const { name } of rows.filter((row) => !declared.some((schedule) => schedule.name === row.name))) {
    await unwish(transaction, { pipeline: pipeline.name, name });
    changes.push({ name, change: 'deleted' });
  }
  return changes;
};

const refuseDeclared = ({ pipeline, name }: ScheduleKey): PerennialFailure =>
  new PerennialFailure('ScheduleDeclared', `the schedule "${name}" is declared in the pipeline "${pipeline}"`);

/** `before` is what was wished for until now. @throws PerennialFailure ScheduleDeclared */
export const putSchedule = (database: Kysely<Database>, key: ScheduleKey & { spec: ScheduleSpec }, principal: Principal): Promise<{ change: ScheduleChange['change']; before: ScheduleSpec | null }> =>
  database.transaction().execute(async (transaction) => {
    const row = await present(transaction, key);
    const isThere = row !== undefined && !row.deleted;
    if (isThere && row.origin === 'pipeline') throw refuseDeclared(key);
    return { change: await wish(transaction, { ...key, origin: 'api' }, principal), before: isThere ? (row.spec as ScheduleSpec) : null };
  });

/** @throws PerennialFailure ScheduleDeclared */
export const deleteSchedule = (database: Kysely<Database>, key: ScheduleKey): Promise<void> =>
  database.transaction().execute(async (transaction) => {
    const row = await present(transaction, key);
    if (row !== undefined && !row.deleted && row.origin === 'pipeline') throw refuseDeclared(key);
    await unwish(transaction, key);
  });

const MOST_LISTED = 500;

/** Those that are wished for, by pipeline and name. */
export const listSchedules = async (database: Kysely<Database>, { pipeline, name }: { pipeline?: string | undefined; name?: string | undefined }): Promise<ScheduleRow[]> => {
  let query = database.selectFrom('schedules').selectAll().where('deleted', '=', false);
  if (pipeline !== undefined) query = query.where('pipeline', '=', pipeline);
  if (name !== undefined) query = query.where('name', '=', name);
  const rows = await query.orderBy('pipeline').orderBy('name').limit(MOST_LISTED).execute();
  return rows.map((row) => ({
    pipeline: row.pipeline,
    name: row.name,
    spec: row.spec as ScheduleSpec,
    origin: row.origin,
    synced: row.synced_revision === row.revision,
    syncError: row.sync_error,
    createdBy: row.created_by,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }));
};

/** @throws PerennialFailure ScheduleNotFound */
export const requireSchedule = async (database: Kysely<Database>, key: ScheduleKey): Promise<ScheduleRow> => {
  const [row] = await listSchedules(database, key);
  if (row === undefined) throw new PerennialFailure('ScheduleNotFound', `the pipeline "${key.pipeline}" has no schedule "${key.name}"`);
  return row;
};
