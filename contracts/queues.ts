/**
 * Pools and their Temporal task queues. A pool's task queue has the pool's name. Zod-free.
 */
export const POOLS = ['workflows', 'data', 'cpu', 'gpu'] as const;
export type Pool = (typeof POOLS)[number] | (string & {});

export const WORKFLOWS_POOL = 'workflows';
export const DATA_POOL = 'data';
export const CPU_POOL = 'cpu';

export const taskQueueOf = (pool: Pool): string => pool;

/** A worker renews its lease this often; a pool without a live lease has no worker. */
export const WORKER_LEASE_RENEWAL_MS = 3_000;
export const WORKER_LEASE_MS = 7_000;

/** A gateway renews its lease this often; a rollout counts only gateways with a live lease. */
export const GATEWAY_LEASE_RENEWAL_MS = 1_000;
export const GATEWAY_LEASE_MS = 5_000;
