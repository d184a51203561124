/** The API process: reads the configuration, connects, listens, and closes cleanly on SIGTERM and SIGINT. */
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { createLoggedInferences } from '../adapters/monitoring/logged-inferences.ts';
import { receiverNames } from '../adapters/notify/receivers.ts';
import { createArtifactStore } from '../adapters/objectstore/index.ts';
import { createScratch } from '../adapters/objectstore/scratch.ts';
import { connectDatabase, isDatabaseOutage } from '../adapters/postgres/client.ts';
import { createDeployments } from '../adapters/postgres/deployments.ts';
import { createPredictionSegments } from '../adapters/postgres/prediction-segments.ts';
import { registerProcessMetrics } from '../adapters/prometheus/process-metrics.ts';
import { createScheduleRows } from '../adapters/postgres/schedules.ts';
import { createTemporalClient } from '../adapters/temporal/client.ts';
import { createScheduleEngine } from '../adapters/temporal/schedules.ts';
import { createWorkflowControl } from '../adapters/temporal/workflow-control.ts';
import { readConfig, type Config } from '../workers/config.ts';
import { createApp } from './app.ts';
import { readConsoleFiles } from './console/console-files.ts';
import type { App } from './http/app-types.ts';

const CLOSE_MS = 8_000;
const CONNECTIONS = 16;
/** Somebody waits for the answer: an outage is told soon. */
const TEMPORAL_MS = 4_000;

const isLoopback = (bind: string): boolean => bind === 'localhost' || bind === '::1' || bind.startsWith('127.');

const registryOf = ({ version }: Config): Registry => {
  const registry = new Registry();
  registerProcessMetrics(registry, { kind: 'api', build: version });
  return registry;
};

const createProcess = async (config: Config): Promise<{ app: App; close: () => Promise<void> }> => {
  const { database, pool } = connectDatabase(config.postgres.url, { connections: CONNECTIONS });
  // The API starts while Temporal is down, says so in /readyz, and finds it when it comes.
  const { client } = createTemporalClient(config.temporal);
  const artifacts = createArtifactStore(config.artifactStore);
  const app = await createApp({
    database,
    pool,
    client,
    artifacts,
    inferences: createLoggedInferences({ ...createPredictionSegments(database), artifacts, scratch: createScratch(join(config.home, 'scratch')) }),
    deployments: createDeployments(database),
    workflows: createWorkflowControl(client),
    schedules: { rows: createScheduleRows(database), engine: createScheduleEngine(client, { deadlineMs: TEMPORAL_MS }) },
    receivers: () => receiverNames(config.notify),
    isDatabaseOutage,
    temporal: { namespace: config.temporal.namespace, uiUrl: config.temporal.uiUrl },
    createRegistry: () => registryOf(config),
    prices: config.prices,
    openMetrics: isLoopback(config.bind),
    consoleFiles: readConsoleFiles(config.consoleFolder),
    logger: { level: config.logLevel, base: { process: 'api' } },
  });
  const close = async (): Promise<void> => {
    // Temporal's connection ends with the process: a call that is still tried again would fail on a closed one, uncaught.
    await app.close();
    await database.destroy();
  };
  return { app, close };
};

const closeOnSignal = (app: App, close: () => Promise<void>): void => {
  let closing = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (closing) return;
    closing = true;
    app.log.info({ signal }, 'closing');
    // A client that never ends its request must not keep the process.
    setTimeout(() => process.exit(0), CLOSE_MS).unref();
    void close().then(
      () => process.exit(0),
      (error: unknown) => {
        app.log.error({ err: error }, 'closing failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
};

const config = readConfig();
const { app, close } = await createProcess(config);
closeOnSignal(app, close);
const url = await app.listen({ host: config.bind, port: config.apiPort });
app.log.info({ ready: true, url }, 'the API listens');
