/** Which pools have a live worker, by the leases that workers renew. */
import { sql, type Kysely } from 'kysely';
import type { Database } from '../../adapters/postgres/schema.ts';
import { WORKFLOWS_POOL } from '../../contracts/queues.ts';
import { PerennialFailure } from '../../domain/failure.ts';

export type PoolWorker = { workerId: string; pool: string; host: string; pid: number; startedAt: string; expiresAt: string };

export type WorkerPools = {
  /** Pools with at least one live worker; at most half a second old. */
  live(): Promise<ReadonlySet<string>>;
  workers(): Promise<PoolWorker[]>;
  /**
   * For what needs a worker's answer (an update, a query): without one the caller would wait for nothing.
   * @throws PerennialFailure NoWorkerInPool
   */
  requireWorkflows(): Promise<void>;
};

const KEPT_MS = 500;

export const createWorkerPools = (database: Kysely<Database>): WorkerPools => {
  let kept: { until: number; pools: Promise<ReadonlySet<string>> } | undefined;

  const read = async (): Promise<ReadonlySet<string>> => {
    const rows = await database.selectFrom('worker_leases').select('pool').distinct().where('expires_at', '>', sql<Date>`now()`).execute();
    return new Set(rows.map((row) => row.pool));
  };

  const live: WorkerPools['live'] = () => {
    if (kept !== undefined && kept.until > Date.now()) return kept.pools;
    const pools = read();
    kept = { until: Date.now() + KEPT_MS, pools };
    pools.catch(() => {
      kept = undefined;
    });
    return pools;
  };

  const workers: WorkerPools['workers'] = async () => {
    const rows = await database.selectFrom('worker_leases').selectAll().where('expires_at', '>', sql<Date>`now()`).orderBy('pool').orderBy('worker_id').execute();
    return rows.map((row) => ({ workerId: row.worker_id, pool: row.pool, host: row.host, pid: row.pid, startedAt: row.started_at.toISOString(), expiresAt: row.expires_at.toISOString() }));
  };

  const requireWorkflows: WorkerPools['requireWorkflows'] = async () => {
    if ((await live()).has(WORKFLOWS_POOL)) return;
    throw new PerennialFailure('NoWorkerInPool', 'the answer must come from a worker of the pool workflows, and none is running', { fix: 'Start a worker of the pool workflows and try again.' });
  };

  return { live, workers, requireWorkflows };
};

/** How a wait for a pool without a worker is told. */
export const waitForPool = (pool: string): string => `a worker of pool ${pool}: none is running`;
