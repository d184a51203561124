/** Repeating a version: what its record says it began from, and how what came out compares with it. */
import { join } from 'node:path';
import type { ReproductionActivities } from '../contracts/activities.ts';
import type { ArtifactRef } from '../contracts/artifact.ts';
import { DatasetVersionRef } from '../contracts/dataset.ts';
import { FeatureSetRef } from '../contracts/features.ts';
import { TrainedModel } from '../contracts/model.ts';
import type { ReproducedVersion } from '../contracts/reproduction.ts';
import type { SearchOutcome } from '../contracts/search.ts';
import { largestDifference } from '../domain/evaluation.ts';
import { PerennialFailure } from '../domain/failure.ts';
import { compareTrainings, type TrainingIdentity } from '../domain/reproduction.ts';
import type { ModelRegistry } from '../domain/ports/model-registry.ts';
import type { ModelRuntime } from '../domain/ports/model-runtime.ts';
import { effect, step } from './boundary.ts';
import { inScratch, readJson, type DataPorts } from './data-ports.ts';

export type ReproductionPorts = Pick<DataPorts, 'ledger' | 'artifacts' | 'scratch'> & { registry: ModelRegistry; runtime: ModelRuntime };

type Recorded = { dataset: DatasetVersionRef; featureSet: FeatureSetRef; trained: TrainedModel; searched: SearchOutcome['best']['params'] | null };

const incomplete = ({ model, version }: ReproducedVersion, what: string): PerennialFailure => new PerennialFailure('RecordIncomplete', `the record of ${model} version ${version} has no ${what}`);

/** Outputs of the steps of the run that registered the version. */
const readRecord = async ({ ledger, registry }: ReproductionPorts, named: ReproducedVersion): Promise<Recorded> => {
  const record = await registry.version(named.model, named.version);
  if (record === undefined) throw new PerennialFailure('ModelVersionNotFound', `the model "${named.model}" has no version ${named.version}`);
  const outputs = Object.fromEntries((await ledger.outputsOf(record.runId)).map(({ step: name, output }) => [name, output]));
  const [dataset, featureSet, trained] = [DatasetVersionRef.safeParse(outputs['ingest']), FeatureSetRef.safeParse(outputs['features']), TrainedModel.safeParse(outputs['train'])];
  if (!dataset.success) throw incomplete(named, 'dataset version');
  if (!featureSet.success) throw incomplete(named, 'feature set');
  if (!trained.success) throw incomplete(named, 'training');
  const search = outputs['search'] as SearchOutcome | undefined;
  return { dataset: dataset.data, featureSet: featureSet.data, trained: trained.data, searched: search?.best.params ?? null };
};

const packagesOf = async ({ artifacts }: ReproductionPorts, metrics: ArtifactRef): Promise<TrainingIdentity['packages']> => {
  const { versions } = (await readJson(artifacts, metrics)) as { versions?: Record<string, string> };
  return versions ?? {};
};

const identityOf = async (ports: ReproductionPorts, featureSet: FeatureSetRef, trained: TrainedModel): Promise<TrainingIdentity> => ({
  featureSet: featureSet.version,
  packages: await packagesOf(ports, trained.metrics),
  model: trained.model.sha256,
});

/** Null where there is nothing to compare: no predictions on one side, or of other rows. */
const comparePredictions = async ({ artifacts, runtime, scratch }: ReproductionPorts, first: ArtifactRef | null, second: ArtifactRef | null): Promise<number | null> => {
  if (first === null || second === null) return null;
  if (first.sha256 === second.sha256) return 0;
  return inScratch(scratch, 'reproduction', async (folder) => {
    const read = async (artifact: ArtifactRef, name: string): Promise<Float64Array> => {
      const file = join(folder, name);
      await artifacts.download(artifact, file);
      return runtime.readPredictions(file);
    };
    const [recorded, repeated] = [await read(first, 'recorded.parquet'), await read(second, 'repeated.parquet')];
    return recorded.length === repeated.length ? largestDifference(recorded, repeated) : null;
  });
};

type Comparison = Parameters<ReproductionActivities['compareReproduction']>[0];

const compare = async (ports: ReproductionPorts, { version, featureSet, trained }: Comparison) => {
  const record = await readRecord(ports, version);
  return compareTrainings(version, {
    recorded: await identityOf(ports, record.featureSet, record.trained),
    repeated: await identityOf(ports, featureSet, trained),
    resumed: record.trained.resumedFrom.length > 0,
    largestDifference: await comparePredictions(ports, record.trained.predictions, trained.predictions),
  });
};

/** Both only read, but for the step's own row: again with the same input they say the same. */
export const createReproductionActivities = (ports: ReproductionPorts): ReproductionActivities => ({
  loadRecord: effect(async (version: ReproducedVersion) => {
    const { dataset, searched } = await readRecord(ports, version);
    return { dataset, searched };
  }),
  compareReproduction: step(ports.ledger, (input: Comparison) => compare(ports, input)),
});
