/** Keeps the lease of this worker, by which others know that its pool has somebody. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { WORKER_LEASE_MS, WORKER_LEASE_RENEWAL_MS, type Pool } from '../contracts/queues.ts';
import type { WorkerLeases } from '../domain/ports/worker-leases.ts';
import { repeat } from './repeat.ts';
import type { Logger } from './logger.ts';

/**
 * Renews the lease until `stop`, which releases it. A database that is away costs the lease, not the worker: its work needs no lease.
 */
export const keepLease = (leases: WorkerLeases, pool: Pool, logger: Logger): { stop: () => Promise<void> } => {
  const worker = { workerId: `${pool}/${hostname()}/${process.pid}/${randomUUID()}`, pool, pid: process.pid, host: hostname(), leaseMs: WORKER_LEASE_MS };
  let isLost = false;
  const renew = async (): Promise<void> => {
    try {
      await leases.renew(worker);
      if (isLost) logger.info('the lease is renewed again');
      isLost = false;
    } catch (error) {
      if (!isLost) logger.warn({ error: String(error) }, 'the lease could not be renewed');
      isLost = true;
    }
  };
  const renewal = repeat(renew, WORKER_LEASE_RENEWAL_MS);
  return {
    stop: async () => {
      await renewal.stop();
      // It ends by itself where the database cannot be told.
      await leases.release(worker.workerId).catch(() => undefined);
    },
  };
};
