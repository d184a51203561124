/** Leases of workers: which pools have somebody, told apart from pools whose worker just died. */
import { sql, type Kysely } from 'kysely';
import type { WorkerLeases } from '../../domain/ports/worker-leases.ts';
import { askDatabase } from './client.ts';
import type { Database } from './schema.ts';

/** By the database's clock alone: the machines of workers and readers may disagree about the time. */
const expiry = (leaseMs: number) => sql<Date>`now() + ${`${leaseMs} milliseconds`}::interval`;

/** Leases on PostgreSQL. Every method throws PostgresUnavailable in an outage. */
export const createWorkerLeases = (database: Kysely<Database>): WorkerLeases => ({
  renew: async ({ workerId, pool, pid, host, leaseMs }) => {
    const row = { worker_id: workerId, pool, pid, host, expires_at: expiry(leaseMs) };
    await askDatabase(() =>
      database
        .insertInto('worker_leases')
        .values(row)
        .onConflict((conflict) => conflict.column('worker_id').doUpdateSet({ expires_at: expiry(leaseMs) }))
        .execute(),
    );
  },
  release: async (workerId) => {
    await askDatabase(() => database.deleteFrom('worker_leases').where('worker_id', '=', workerId).execute());
  },
  live: async () => {
    const rows = await askDatabase(() =>
      database
        .selectFrom('worker_leases')
        .select(['pool', sql<number>`count(*)`.as('workers')])
        .where('expires_at', '>', sql<Date>`now()`)
        .groupBy('pool')
        .execute(),
    );
    return Object.fromEntries(rows.map((row) => [row.pool, row.workers]));
  },
});
