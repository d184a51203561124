/** The features step: the feature query on a dataset version, split by time. Same dataset, same SQL: the same bytes and the same version. */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { StepActivities } from '../contracts/activities.ts';
import type { FeatureSetManifest, FeatureSetRef } from '../contracts/features.ts';
import type { FaultPoints } from '../domain/ports/fault-points.ts';
import { step, type ActivityTools } from './boundary.ts';
import { inScratch, jsonBytes, stageDataset, type DataPorts } from './data-ports.ts';
import { orStopped } from './stop.ts';

export type FeaturesPorts = DataPorts & { faults: FaultPoints };

type Input = Parameters<StepActivities['features']>[0];

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const buildFeatures = async (ports: FeaturesPorts, input: Input, tools: ActivityTools, folder: string): Promise<FeatureSetManifest> => {
  const { artifacts, engine } = ports;
  const { dataset, features, split } = input;
  const staged = await stageDataset(ports, { dataset, folder }, tools);
  const output = join(folder, 'features');
  await mkdir(output);
  tools.report({ progress: { done: 0, total: 1, what: 'running the feature SQL' } });
  const call = engine.buildFeatures({ tables: staged.tables, features, split, folder: output }, { signal: tools.signal });
  const built = await staged.named(orStopped(tools.signal, call));
  const train = await artifacts.putFile(built.trainFile);
  const holdout = await artifacts.putFile(built.holdoutFile);
  const { identity, eventTime, label, columns } = features;
  const content = { sqlHash: sha256(features.sql), datasetVersion: dataset.version, split: built.split, identity, eventTime, label, columns, train, holdout };
  return { version: sha256(JSON.stringify(content)), ...content, trainRows: built.trainRows, holdoutRows: built.holdoutRows, reference: built.reference };
};

const features = async (ports: FeaturesPorts, input: Input, tools: ActivityTools): Promise<FeatureSetRef> => {
  const manifest = await inScratch(ports.scratch, 'features', (folder) => buildFeatures(ports, input, tools, folder));
  const { version, train, holdout, trainRows, holdoutRows, split } = manifest;
  const name = input.context.pipeline;
  const artifact = await ports.artifacts.put(jsonBytes(manifest));
  ports.faults.reach('features.after-put');
  await ports.ledger.recordFeatureSet({ name, version, manifest, rows: trainRows + holdoutRows, runId: input.context.runId });
  ports.faults.reach('features.after-commit');
  return { name, version, manifest: artifact, train, holdout, trainRows, holdoutRows, split };
};

/** Creates the features activity. */
export const createFeaturesActivity = (ports: FeaturesPorts): Pick<StepActivities, 'features'> => ({
  features: step(ports.ledger, (input: Input, tools) => features(ports, input, tools)),
});
