/** The schedules that are wished for, in PostgreSQL, and which of them Temporal has. */
import { sql, type Kysely, type Transaction } from 'kysely';
import type { ScheduleKey, ScheduleSpec } from '../../contracts/schedule.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { ScheduleRows } from '../../domain/ports/schedules.ts';
import { askDatabase } from './client.ts';
import type { Database } from './schema.ts';

const lockRow = ({ pipeline, name }: ScheduleKey, transaction: Transaction<Database>) =>
  transaction.selectFrom('schedules').select(['spec', 'revision', 'deleted']).where('pipeline', '=', pipeline).where('name', '=', name).forUpdate().executeTakeFirst();

const syncLocked = async (transaction: Transaction<Database>, key: ScheduleKey, work: (wish: ScheduleSpec | null) => Promise<void>): Promise<void> => {
  const row = await lockRow(key, transaction);
  if (row === undefined) return;
  await work(row.deleted ? null : (row.spec as ScheduleSpec));
  const { pipeline, name } = key;
  if (row.deleted) await transaction.deleteFrom('schedules').where('pipeline', '=', pipeline).where('name', '=', name).execute();
  else await transaction.updateTable('schedules').set({ synced_revision: row.revision, sync_error: null }).where('pipeline', '=', pipeline).where('name', '=', name).execute();
};

/** An outage passes by itself; what Temporal refuses is shown to people, and tried again rarely. */
const noteRefusal = async (database: Kysely<Database>, { pipeline, name }: ScheduleKey, error: unknown): Promise<void> => {
  if (error instanceof PerennialFailure && error.retryable) return;
  const message = error instanceof Error ? error.message : String(error);
  await database.updateTable('schedules').set({ sync_error: message.slice(0, 1_000), attempted_at: new Date() }).where('pipeline', '=', pipeline).where('name', '=', name).execute();
};

/** A row that was just written is the API's own work still. */
const readUnsynced = (database: Kysely<Database>, limit: number) =>
  sql<ScheduleKey>`
    select pipeline, name from schedules where (deleted or synced_revision is distinct from revision)
      and case when sync_error is null then updated_at < now() - interval '5 seconds' else attempted_at < now() - interval '60 seconds' end
    order by updated_at limit ${limit}`.execute(database);

export const createScheduleRows = (database: Kysely<Database>): ScheduleRows => ({
  sync: async (key, work) => {
    try {
      await askDatabase(() => database.transaction().execute((transaction) => syncLocked(transaction, key, work)));
    } catch (error) {
      await askDatabase(() => noteRefusal(database, key, error));
      throw error;
    }
  },
  unsynced: async (limit) => (await askDatabase(() => readUnsynced(database, limit))).rows,
});
