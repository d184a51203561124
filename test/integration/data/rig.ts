/** The data steps on real adapters in a temporary folder: artifact store in a folder, DuckDB, trainer processes; only the ledger is in memory. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createCheckActivity } from '../../../activities/check.ts';
import { createFeaturesActivity } from '../../../activities/features.ts';
import { createIngestActivity } from '../../../activities/ingest.ts';
import { createTrainActivity } from '../../../activities/train.ts';
import type { HeartbeatDetails } from '../../../activities/boundary.ts';
import { createDataEngine } from '../../../adapters/duckdb/index.ts';
import { createArtifactStore } from '../../../adapters/objectstore/index.ts';
import { createScratch } from '../../../adapters/objectstore/scratch.ts';
import { createTrainerProcess } from '../../../adapters/trainers/process.ts';
import { memoryRunLedger } from '../../support/memory-run-ledger.ts';

export type Rig = Awaited<ReturnType<typeof createRig>>;

export const createRig = async (options: { python?: string } = {}) => {
  const folder = await mkdtemp(join(tmpdir(), 'data-steps-'));
  const [source, scratchFolder, storeFolder] = [join(folder, 'source'), join(folder, 'scratch'), join(folder, 'store')];
  await mkdir(source);
  const ledger = memoryRunLedger();
  const artifacts = createArtifactStore({ kind: 'local', folder: storeFolder });
  const scratch = createScratch(scratchFolder);
  const engine = createDataEngine({ scratchFolder, memoryLimit: '512MB', threads: 1 });
  const trainer = createTrainerProcess({ python: options.python ?? 'python3', home: join(folder, 'trainer-home'), graceMs: 2_000 });
  const ports = { ledger, artifacts, scratch, engine, trainer, sourceRoots: [source], faults: { reach: () => undefined } };
  const activities = { ...createIngestActivity(ports), ...createCheckActivity(ports), ...createFeaturesActivity(ports), ...createTrainActivity(ports) };
  return { folder, source, scratchFolder, storeFolder, ports, ledger, artifacts, activities, dispose: () => rm(folder, { recursive: true, force: true }) };
};

/** Runs an activity as a worker would; `heartbeats` collects what it reports, `environment` can cancel it. */
export const startActivity = <Input, Output>(
  activity: (input: Input) => Promise<Output>,
  input: Input,
  options: { attempt?: number; previous?: HeartbeatDetails } = {},
): { outcome: Promise<Output>; heartbeats: HeartbeatDetails[]; environment: MockActivityEnvironment } => {
  const environment = new MockActivityEnvironment({ attempt: options.attempt ?? 1, heartbeatDetails: options.previous }, { logger: new DefaultLogger('ERROR') });
  const heartbeats: HeartbeatDetails[] = [];
  environment.on('heartbeat', (details: HeartbeatDetails) => heartbeats.push(structuredClone(details)));
  return { outcome: environment.run(activity, input) as Promise<Output>, heartbeats, environment };
};
