/** Builds the adapters of a worker from its configuration: the one place where activities meet real systems. */
import { join } from 'node:path';
import { createDataEngine } from '../adapters/duckdb/index.ts';
import { columnDistributions } from '../adapters/duckdb/column-distributions.ts';
import { createPredictionLog } from '../adapters/monitoring/prediction-log.ts';
import { createArtifactStore } from '../adapters/objectstore/index.ts';
import { createScratch } from '../adapters/objectstore/scratch.ts';
import { createModelRuntime } from '../adapters/onnx/model-runtime.ts';
import { connectDatabase } from '../adapters/postgres/client.ts';
import { createDeployments } from '../adapters/postgres/deployments.ts';
import { createInputRefusals } from '../adapters/postgres/input-refusals.ts';
import { createModelRegistry } from '../adapters/postgres/model-registry.ts';
import { createMonitorWindows } from '../adapters/postgres/monitor-windows.ts';
import { createPipelines } from '../adapters/postgres/pipelines.ts';
import { createPredictionSegments } from '../adapters/postgres/prediction-segments.ts';
import { createRunLedger } from '../adapters/postgres/run-ledger.ts';
import { createTriggerLedger } from '../adapters/postgres/trigger-ledger.ts';
import { createWorkerLeases } from '../adapters/postgres/worker-leases.ts';
import { createTemporalClient } from '../adapters/temporal/client.ts';
import { createClosedRuns } from '../adapters/temporal/closed-runs.ts';
import { createWorkflowControl } from '../adapters/temporal/workflow-control.ts';
import { createTrainerProcess } from '../adapters/trainers/process.ts';
import type { ActivityPorts } from '../activities/index.ts';
import type { WorkerLeases } from '../domain/ports/worker-leases.ts';
import type { Config } from './config.ts';
import { createFaultPoints } from './fault-points.ts';
import type { SettlementPorts } from './settle-runs.ts';

/** One connection per activity slot would be idle mostly: activities hold one only while they ask. */
const DATABASE_CONNECTIONS = 12;

export type Composition = {
  ports: ActivityPorts;
  settlement: SettlementPorts;
  leases: WorkerLeases;
  /** Closes every connection. */
  close: () => Promise<void>;
};

/** Opens nothing yet: every adapter connects with its first question, so a worker starts while a system is away. */
export const compose = (config: Config): Composition => {
  const { database, pool } = connectDatabase(config.postgres.url, { connections: DATABASE_CONNECTIONS });
  const { client, close } = createTemporalClient(config.temporal);
  const artifacts = createArtifactStore(config.artifactStore);
  const scratch = createScratch(join(config.home, 'scratch'));
  const ledger = createRunLedger({ database, pool });
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
    triggers: createTriggerLedger(database),
    windows: createMonitorWindows(database),
    refusals: createInputRefusals(database),
    predictions: createPredictionLog({ artifacts, scratch, countColumns: columnDistributions, ...createPredictionSegments(database) }),
    workflows: createWorkflowControl(client),
    faults: createFaultPoints(config),
  };
  return {
    ports,
    settlement: { ledger, artifacts, closedRun: createClosedRuns(client) },
    leases: createWorkerLeases(database),
    close: async () => {
      await Promise.all([database.destroy(), close()]);
    },
  };
};
