import type { Pool } from '../../contracts/queues.ts';

/** Which pools have a live worker. */
export interface WorkerLeases {
  renew(worker: { workerId: string; pool: Pool; pid: number; host: string; leaseMs: number }): Promise<void>;
  release(workerId: string): Promise<void>;
  /** Number of live workers per pool. */
  live(): Promise<Record<string, number>>;
}
