/** A run that repeats a version from its record: the same dataset version, features and training again; nothing is registered or rolled out. */
import type { Reproduction, ReproducedVersion } from '../contracts/reproduction.ts';
import { DATA_POOL } from '../contracts/queues.ts';
import type { RunOutcome } from '../contracts/run.ts';
import type { DatasetVersionRef } from '../contracts/dataset.ts';
import type { FeatureSetRef } from '../contracts/features.ts';
import { reproductionOutcome } from '../domain/reproduction.ts';
import { doStep, type ModelRun } from './model-step.ts';
import { io, quick } from './proxies.ts';
import { train } from './train-step.ts';

/** Everything is as the version's own run had it but the record that it is compared with. */
export const reproduce = async (run: ModelRun, version: ReproducedVersion, buildFeatures: (run: ModelRun, dataset: DatasetVersionRef) => Promise<FeatureSetRef>): Promise<RunOutcome> => {
  const named = `${version.model} version ${version.version}`;
  const { dataset, searched } = await quick(`record of ${named}`).loadRecord(version);
  const featureSet = await buildFeatures(run, dataset);
  const { spec } = run;
  const trained = await train({ ...run, spec: { ...spec, train: { ...spec.train, params: { ...spec.train.params, ...searched } } } }, featureSet);
  const reproduction = await doStep(run, { name: 'evaluate', pool: DATA_POOL }, (context): Promise<Reproduction> => io(`compare with ${named}`).compareReproduction({ context, version, featureSet, trained }));
  return reproductionOutcome(reproduction);
};
