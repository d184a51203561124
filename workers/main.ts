/**
 * One worker process: `node --import tsx workers/main.ts --pool <name>`. The pool `workflows` runs workflows and settles runs,
 * every other pool runs activities. SIGTERM drains it. It exits non-zero when it cannot go on, so that a supervisor starts it again.
 */
import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker, type NativeConnection } from '@temporalio/worker';
import { createActivities } from '../activities/index.ts';
import { WORKFLOWS_POOL, type Pool } from '../contracts/queues.ts';
import { ensureWorkflowBundle } from './bundle.ts';
import { compose, type Composition } from './compose.ts';
import { readConfig, type Config } from './config.ts';
import { connectWorker } from './connect.ts';
import { keepLease } from './lease.ts';
import { createLogger, installRuntime, type Logger } from './logger.ts';
import { freeLoopbackAddress, serveMetrics, type MetricsServer } from './metrics-server.ts';
import { slotsOf, workerOptions } from './options.ts';
import { keepSettlingRuns } from './settle-runs.ts';
import { keepSyncingSchedules } from './sync-schedules.ts';

const POOL_PATTERN = /^[a-z][a-z0-9-]{0,31}$/;

const poolOf = (args: string[]): Pool => {
  const { values } = parseArgs({ args, options: { pool: { type: 'string' } } });
  if (values.pool !== undefined && POOL_PATTERN.test(values.pool)) return values.pool;
  throw new Error(`--pool is "${values.pool ?? ''}": it must name a pool, such as workflows, data, cpu or gpu`);
};

const workflowBundle = async ({ workflowBundle: codePath }: Config): Promise<{ codePath: string }> => (codePath === undefined ? ensureWorkflowBundle() : { codePath });

const createWorker = async (pool: Pool, config: Config, composition: Composition, connection: NativeConnection): Promise<Worker> => {
  const code = pool === WORKFLOWS_POOL ? { workflowBundle: await workflowBundle(config) } : { activities: createActivities(composition.ports) };
  return Worker.create({ connection, namespace: config.temporal.namespace, identity: `${pool}@${hostname()}/${process.pid}`, ...workerOptions(pool), ...code });
};

/** Polls until the process is told to end; what runs then is drained. */
const poll = async (pool: Pool, worker: Worker, composition: Composition, logger: Logger): Promise<void> => {
  const lease = keepLease(composition.leases, pool, logger);
  const upkeep = pool === WORKFLOWS_POOL ? [keepSettlingRuns(composition.settlement, logger), keepSyncingSchedules(composition.schedules, logger)] : [];
  try {
    const running = worker.run();
    logger.info({ ready: true }, 'polling');
    await running;
    logger.info('drained');
  } finally {
    await Promise.all([lease, ...upkeep].map((task) => task.stop()));
  }
};

/** A signal before the worker polls ends the process at once: there is nothing to drain. */
const abortBeforePolling = (): { signal: AbortSignal; over: () => void } => {
  const controller = new AbortController();
  const abort = (): void => controller.abort(new Error('asked to end'));
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, abort);
  return { signal: controller.signal, over: () => ['SIGINT', 'SIGTERM'].forEach((name) => process.off(name, abort)) };
};

/** Serves the worker's metrics where a port is configured. */
const startMetrics = async (pool: Pool, worker: Worker, place: { config: Config; metrics: Composition['metrics']; sdkAddress: string | undefined; logger: Logger }): Promise<MetricsServer | undefined> => {
  const { config, metrics, sdkAddress, logger } = place;
  if (config.metricsPort === undefined || sdkAddress === undefined) return undefined;
  const used = (): number => {
    const { numInFlightActivities, numInFlightWorkflowActivations } = worker.getStatus();
    return pool === WORKFLOWS_POOL ? numInFlightWorkflowActivations : numInFlightActivities;
  };
  metrics.showPool(pool, () => ({ total: slotsOf(pool), used: used() }));
  try {
    return await serveMetrics(metrics, { bind: config.bind, port: config.metricsPort, sdkAddress });
  } catch (error) {
    // Work is worth more than what is told of it.
    logger.error({ error: String(error) }, 'the metrics cannot be served');
    return undefined;
  }
};

const run = async (pool: Pool, config: Config, { logger, sdkAddress }: { logger: Logger; sdkAddress: string | undefined }): Promise<void> => {
  const starting = abortBeforePolling();
  const composition = compose(config);
  const connection = await connectWorker(config, logger, starting.signal);
  let server: MetricsServer | undefined;
  try {
    const worker = await createWorker(pool, config, composition, connection);
    server = await startMetrics(pool, worker, { config, metrics: composition.metrics, sdkAddress, logger });
    starting.over();
    if (starting.signal.aborted) return;
    await poll(pool, worker, composition, logger);
  } finally {
    await server?.close();
    await connection.close().catch(() => undefined);
    await composition.close();
  }
};

const main = async (): Promise<void> => {
  const pool = poolOf(process.argv.slice(2));
  const config = readConfig();
  const logger = createLogger({ logLevel: config.logLevel, pool });
  const sdkAddress = config.metricsPort === undefined ? undefined : await freeLoopbackAddress();
  installRuntime(logger, sdkAddress);
  try {
    await run(pool, config, { logger, sdkAddress });
  } catch (error) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    logger.fatal({ error: detail }, 'the worker ends');
    process.exitCode = 1;
  }
};

await main();
