/** Whether the API lives, whether it can work, which workers there are, and its metrics. */
import { z } from 'zod';
import { sql } from 'kysely';
import { POOLS } from '../../contracts/queues.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { Instant, problems } from '../http/schemas.ts';
import type { ApiMetrics } from './metrics.ts';

const READY_MS = 2_000;

const Readiness = z.object({ ready: z.boolean(), postgres: z.boolean(), temporal: z.boolean() });

const WorkerView = z.object({ workerId: z.string(), host: z.string(), pid: z.number().int(), startedAt: Instant, expiresAt: Instant });
const PoolView = z.object({ pool: z.string(), workers: z.array(WorkerView) });

const withinBound = async (question: Promise<unknown>): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), READY_MS);
  });
  try {
    return await Promise.race([question.then(() => true, () => false), bound]);
  } finally {
    clearTimeout(timer);
  }
};

const readinessOf = async ({ database, temporalCalls }: ApiContext): Promise<z.infer<typeof Readiness>> => {
  const [postgres, temporal] = await Promise.all([
    withinBound(sql`select 1`.execute(database)),
    withinBound(temporalCalls.call((client) => client.workflowService.getSystemInfo({}), { boundMs: READY_MS })),
  ]);
  return { ready: postgres && temporal, postgres, temporal };
};

const poolsOf = async ({ pools }: ApiContext): Promise<z.infer<typeof PoolView>[]> => {
  const workers = await pools.workers();
  const names = [...new Set([...POOLS, ...workers.map((worker) => worker.pool)])];
  return names.map((name) => ({ pool: name, workers: workers.filter((worker) => worker.pool === name).map(({ pool: _pool, ...worker }) => worker) }));
};

const registerHealth = (app: App, context: ApiContext): void => {
  const tags = ['system'];
  app.route({
    method: 'GET',
    url: '/healthz',
    config: { policy: 'open' },
    schema: { tags, summary: 'The process answers', response: { 200: z.object({ status: z.literal('ok') }) } },
    handler: async () => ({ status: 'ok' as const }),
  });
  app.route({
    method: 'GET',
    url: '/readyz',
    config: { policy: 'open' },
    schema: { tags, summary: 'PostgreSQL and Temporal can be reached', response: { 200: Readiness, 503: Readiness } },
    handler: async (_request, reply) => {
      const readiness = await readinessOf(context);
      return readiness.ready ? reply.code(200).send(readiness) : reply.code(503).header('retry-after', '2').send(readiness);
    },
  });
};

export const registerSystemRoutes = (app: App, context: ApiContext, metrics: ApiMetrics): void => {
  registerHealth(app, context);
  app.route({
    method: 'GET',
    url: '/metrics',
    config: { policy: context.openMetrics ? 'open' : 'read' },
    schema: { tags: ['system'], summary: 'Metrics for Prometheus', response: { 200: z.string() } },
    handler: async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  });
  app.route({
    method: 'GET',
    url: '/api/v1/workers',
    config: { policy: 'read' },
    schema: { tags: ['system'], summary: 'Pools and the workers with a live lease', response: { 200: z.object({ pools: z.array(PoolView) }), ...problems() } },
    handler: async () => ({ pools: await poolsOf(context) }),
  });
};
