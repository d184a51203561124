/** Builds the adapters of a worker from its configuration: the one place where activities meet real systems. */
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { createDataEngine } from '../adapters/duckdb/index.ts';
import { columnDistributions } from '../adapters/duckdb/column-distributions.ts';
import { createPredictionLog } from '../adapters/monitoring/prediction-log.ts';
import { createNotifier } from '../adapters/notify/index.ts';
import { createArtifactStore } from '../adapters/objectstore/index.ts';
import { createScratch } from '../adapters/objectstore/scratch.ts';
import { createModelRuntime } from '../adapters/onnx/model-runtime.ts';
import { createAlertBook } from '../adapters/postgres/alert-book.ts';
import { createAlertFacts } from '../adapters/postgres/alert-facts.ts';
import { connectDatabase } from '../adapters/postgres/client.ts';
import { createDeployments } from '../adapters/postgres/deployments.ts';
import { createInputRefusals } from '../adapters/postgres/input-refusals.ts';
import { createModelRegistry } from '../adapters/postgres/model-registry.ts';
import { createMonitorWindows } from '../adapters/postgres/monitor-windows.ts';
import { createPipelines } from '../adapters/postgres/pipelines.ts';
import { createPredictionSegments } from '../adapters/postgres/prediction-segments.ts';
import { createRetrains } from '../adapters/postgres/retrains.ts';
import { createRunLedger } from '../adapters/postgres/run-ledger.ts';
import { createScheduleRows } from '../adapters/postgres/schedules.ts';
import { createTrials } from '../adapters/postgres/trials.ts';
import { createTriggerLedger } from '../adapters/postgres/trigger-ledger.ts';
import { createWorkerLeases } from '../adapters/postgres/worker-leases.ts';
import { createTemporalClient } from '../adapters/temporal/client.ts';
import { createClosedRuns } from '../adapters/temporal/closed-runs.ts';
import { createScheduleEngine } from '../adapters/temporal/schedules.ts';
import { createWorkflowControl } from '../adapters/temporal/workflow-control.ts';
import { createCountingStore } from '../adapters/resources/counting-store.ts';
import { createResourceMeter } from '../adapters/resources/meter.ts';
import { createGpuReader } from '../adapters/resources/nvidia.ts';
import { createTrainerProcess } from '../adapters/trainers/process.ts';
import { reportRunEnd } from '../activities/alert-reports.ts';
import type { ActivityPorts } from '../activities/index.ts';
import type { WorkerLeases } from '../domain/ports/worker-leases.ts';
import type { Config } from './config.ts';
import { createFaultPoints } from './fault-points.ts';
import { createMeteredLedger } from './metered-ledger.ts';
import { createWorkerMetrics, type WorkerMetrics } from './metrics.ts';
import type { SettlementPorts } from './settle-runs.ts';
import type { SchedulePorts } from './sync-schedules.ts';

/** One connection per activity slot would be idle mostly: activities hold one only while they ask. */
const DATABASE_CONNECTIONS = 12;

/** The client's own retries grow far apart in an outage; the look at the schedules, which is repeated, finds the server sooner. */
const SCHEDULE_QUESTION_MS = 5_000;

export type Composition = {
  ports: ActivityPorts;
  settlement: SettlementPorts;
  schedules: SchedulePorts;
  leases: WorkerLeases;
  metrics: WorkerMetrics;
  /** Closes every connection. */
  close: () => Promise<void>;
};

/** Opens nothing yet: every adapter connects with its first question, so a worker starts while a system is away. */
export const compose = (config: Config): Composition => {
  const { database, pool } = connectDatabase(config.postgres.url, { connections: DATABASE_CONNECTIONS });
  const { client, close } = createTemporalClient(config.temporal);
  const meter = createResourceMeter({ gpus: createGpuReader(config.path) });
  const metrics = createWorkerMetrics({ registry: new Registry(), prices: config.prices, build: config.version });
  const artifacts = createCountingStore(createArtifactStore(config.artifactStore), meter);
  const scratch = createScratch(join(config.home, 'scratch'));
  const ledger = createMeteredLedger(createRunLedger({ database, pool }), meter, metrics.attemptEnded);
  const ports: ActivityPorts = {
    ledger,
    artifacts,
    scratch,
    engine: createDataEngine({ scratchFolder: join(config.home, 'scratch') }),
    trainer: createTrainerProcess({ python: config.python, home: join(config.home, 'trainer-home') }),
    sourceRoots: config.sourceRoots,
    runtime: createModelRuntime({ scratch }),
    registry: createModelRegistry(database),
    deployments: createDeployments(database),
    pipelines: createPipelines(database),
    trials: createTrials(database),
    triggers: createTriggerLedger(database),
    retrains: createRetrains(database),
    windows: createMonitorWindows(database),
    refusals: createInputRefusals(database),
    predictions: createPredictionLog({ artifacts, scratch, countColumns: columnDistributions, ...createPredictionSegments(database) }),
    workflows: createWorkflowControl(client),
    alerts: createAlertBook(database),
    facts: createAlertFacts(database),
    notifier: createNotifier(config.notify),
    faults: createFaultPoints(config),
    meter,
  };
  return {
    ports,
    settlement: { ledger, artifacts, closedRun: createClosedRuns(client), reportEnd: (end) => reportRunEnd(ports, end) },
    schedules: { rows: createScheduleRows(database), engine: createScheduleEngine(client, { deadlineMs: SCHEDULE_QUESTION_MS }) },
    leases: createWorkerLeases(database),
    metrics,
    close: async () => {
      await Promise.all([database.destroy(), close()]);
    },
  };
};
