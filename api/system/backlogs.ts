/** How many tasks wait in the task queues of the pools. */
import { taskQueueOf, WORKFLOWS_POOL, type Pool } from '../../contracts/queues.ts';
import type { ApiContext } from '../http/app-types.ts';

const BOUND_MS = 1_500;
const POOLS_ASKED: readonly Pool[] = [WORKFLOWS_POOL, 'data', 'cpu', 'gpu'];
/** Temporal's numbers of the types of task queues (TaskQueueType). */
const WORKFLOW_TASKS = 1;
const ACTIVITY_TASKS = 2;

/** @throws PerennialFailure TemporalUnavailable */
export const readBacklogs = ({ temporalCalls, temporal: { namespace } }: Pick<ApiContext, 'temporalCalls' | 'temporal'>): Promise<{ pool: Pool; tasks: number }[]> =>
  Promise.all(
    POOLS_ASKED.map(async (pool) => {
      const taskQueueType = pool === WORKFLOWS_POOL ? WORKFLOW_TASKS : ACTIVITY_TASKS;
      const { stats } = await temporalCalls.call((client) => client.workflowService.describeTaskQueue({ namespace, taskQueue: { name: taskQueueOf(pool) }, taskQueueType, reportStats: true }), {
        boundMs: BOUND_MS,
        impatient: true,
      });
      return { pool, tasks: Number(stats?.approximateBacklogCount ?? 0) };
    }),
  );
