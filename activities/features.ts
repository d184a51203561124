/** The features step: the user's SELECT over the dataset version, split by time. Same dataset, same SQL, same bytes. */
import { createHash } from 'node:crypto';
import type { StepActivities } from '../contracts/activities.ts';
import type { FeatureSetManifest, FeatureSetRef } from '../contracts/features.ts';
import type { ArtifactStore } from '../domain/ports/artifact-store.ts';
import type { DataEngine } from '../domain/ports/data-engine.ts';
import type { RunLedger } from '../domain/ports/run-ledger.ts';
import { step, type ActivityTools } from './boundary.ts';
import { downloadTables, readManifest, withScratch, type Scratch } from './dataset-files.ts';

export type FeaturesPorts = { ledger: RunLedger; artifacts: ArtifactStore; engine: DataEngine; scratch: Scratch };

type Input = Parameters<StepActivities['features']>[0];

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const build = async (ports: FeaturesPorts, { context, dataset, features, split }: Input, tools: ActivityTools): Promise<FeatureSetRef> =>
  withScratch(ports.scratch, 'features', async (folder) => {
    const { artifacts, ledger } = ports;
    const tables = await downloadTables(artifacts, await readManifest(artifacts, dataset), { folder, tools });
    const built = await ports.engine.buildFeatures({ tables, features, split, folder });
    const [train, holdout] = [await artifacts.putFile(built.trainFile), await artifacts.putFile(built.holdoutFile)];
    const { identity, eventTime, label, columns } = features;
    const content = { sqlHash: sha256(features.sql), datasetVersion: dataset.version, split: built.split, identity, eventTime, label, columns, train, holdout };
    const version = sha256(JSON.stringify(content));
    const rows = { trainRows: built.trainRows, holdoutRows: built.holdoutRows };
    const manifest = await artifacts.put(Buffer.from(JSON.stringify({ version, ...content, ...rows, reference: built.reference } satisfies FeatureSetManifest)));
    const name = context.pipeline;
    await ledger.recordFeatureSet({ name, version, manifest, rows: rows.trainRows + rows.holdoutRows, runId: context.runId });
    return { name, version, manifest, train, holdout, ...rows, split: built.split };
  });

/** Content-addressed from end to end, so it may run again. */
export const createFeaturesActivity = (ports: FeaturesPorts): Pick<StepActivities, 'features'> => ({
  features: step(ports.ledger, (input: Input, tools) => build(ports, input, tools)),
});
