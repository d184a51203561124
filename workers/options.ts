/** Temporal worker options of every pool, in one place: what ships is what the tests run. */
import type { WorkerOptions } from '@temporalio/worker';
import { DATA_POOL, WORKFLOWS_POOL, taskQueueOf, type Pool } from '../contracts/queues.ts';

/**
 * Ending a worker: running activities may end for 20 s, are then cancelled (a trainer writes its checkpoint), and after 40 s the process
 * gives up; the container runtime kills at 60 s.
 */
const SHUTDOWN = { shutdownGraceTime: '20s', shutdownForceTime: '40s' } satisfies Partial<WorkerOptions>;

/** A heartbeat reaches the server at least this often, so that a cancellation reaches the activity as fast. */
const HEARTBEATS = { maxHeartbeatThrottleInterval: '5s', defaultHeartbeatThrottleInterval: '5s' } satisfies Partial<WorkerOptions>;

/** Workflow tasks are short and their number bounds the memory: about 1 MB each with the reused context. */
const WORKFLOWS: Partial<WorkerOptions> = {
  maxCachedWorkflows: 500,
  maxConcurrentWorkflowTaskExecutions: 40,
  maxConcurrentWorkflowTaskPolls: 10,
};

/** Many short transactions and a few long readers; DuckDB bounds its own memory per step. */
const DATA: Partial<WorkerOptions> = { maxConcurrentActivityTaskExecutions: 24, maxConcurrentActivityTaskPolls: 8 };

/** Training takes the machine: the next job waits in the queue, where a worker elsewhere may take it. */
const TRAINING: Partial<WorkerOptions> = { maxConcurrentActivityTaskExecutions: 2, maxConcurrentActivityTaskPolls: 2 };

const gpuSlots: Partial<WorkerOptions> = { maxConcurrentActivityTaskExecutions: 1, maxConcurrentActivityTaskPolls: 1 };

const byPool: Record<string, Partial<WorkerOptions>> = { [WORKFLOWS_POOL]: WORKFLOWS, [DATA_POOL]: DATA, gpu: gpuSlots };

/** Options of a pool's worker, without connection, code and identity. A pool that is not named here trains. */
export const workerOptions = (pool: Pool): Partial<WorkerOptions> & { taskQueue: string } => ({
  taskQueue: taskQueueOf(pool),
  ...SHUTDOWN,
  ...HEARTBEATS,
  ...(byPool[pool] ?? TRAINING),
});

/** How many tasks a worker of the pool runs at once at most. */
export const slotsOf = (pool: Pool): number => {
  const options = workerOptions(pool);
  return options.maxConcurrentWorkflowTaskExecutions ?? options.maxConcurrentActivityTaskExecutions ?? 0;
};
