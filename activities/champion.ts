/** The champion on the rows on which its challenger is judged, seen through the features that the champion was trained on. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FeatureSetManifest, type FeatureColumn } from '../contracts/features.ts';
import { CHAMPION } from '../contracts/ids.ts';
import type { FeaturesSpec } from '../contracts/pipeline.ts';
import { PerennialFailure } from '../domain/failure.ts';
import { planInputs } from '../domain/feature-rows.ts';
import type { VersionRecord } from '../domain/ports/model-registry.ts';
import { readJson, stageDataset } from './data-ports.ts';
import { score, type Attempt, type Scored } from './scoring.ts';
import { orStopped } from './stop.ts';

export const findChampion = async ({ registry, input }: Attempt): Promise<VersionRecord | undefined> => {
  const { model } = input.context;
  if (model === undefined) throw new Error('an evaluate step needs the name of its model in the context');
  const number = await registry.alias(model, CHAMPION);
  if (number === undefined) return undefined;
  const record = await registry.version(model, number);
  if (record === undefined) throw new PerennialFailure('ModelVersionNotFound', `The champion of "${model}" is version ${number}, which is not registered.`);
  return record;
};

/** The columns that the champion was trained on, in its order; only a signature without column names needs them. */
const championColumns = async ({ artifacts, input }: Attempt, champion: VersionRecord): Promise<FeatureColumn[]> => {
  const { columns } = input.features;
  const isNamed = champion.signature.inputs.every(({ name }) => columns.some((column) => column.name === name));
  if (isNamed || champion.signature.inputs.length > 1) return columns;
  const manifest = FeatureSetManifest.parse(await readJson(artifacts, champion.lineage.featureSetManifest));
  const absent = manifest.columns.find(({ name }) => !columns.some((column) => column.name === name));
  if (absent !== undefined) throw new PerennialFailure('FeatureMissing', `It needs the feature "${absent.name}", which the features do not declare.`);
  return manifest.columns;
};

type Seen = { features: FeaturesSpec; rowsFile: string };

/** Features of the champion where its SQL is another than the candidate's; a broken candidate must not break its rival too. */
const ownFeatures = async ({ pipelines, input }: Attempt, { lineage }: VersionRecord): Promise<FeaturesSpec | undefined> => {
  const spec = await pipelines.version(lineage.pipeline, lineage.pipelineVersion);
  return spec?.kind === 'model' && spec.features.sql !== input.features.sql ? spec.features : undefined;
};

const seeThroughOwn = async (attempt: Attempt, features: FeaturesSpec): Promise<Seen> => {
  const { engine, folder, input, rowsFile, tools } = attempt;
  const datasetFolder = join(folder, 'dataset');
  await mkdir(datasetFolder);
  const staged = await stageDataset(attempt, { dataset: input.dataset, folder: datasetFolder }, tools);
  tools.report({ progress: { done: 0, total: 1, what: "running the champion's feature SQL" } });
  const file = join(folder, 'champion-rows.parquet');
  const { identity } = input.features;
  const call = engine.matchFeatures({ tables: staged.tables, features, rowsFile, identity, file }, { signal: tools.signal });
  await staged.named(orStopped(tools.signal, call));
  return { features, rowsFile: file };
};

const see = async (attempt: Attempt, champion: VersionRecord): Promise<Seen> => {
  const own = await ownFeatures(attempt, champion);
  if (own !== undefined) return seeThroughOwn(attempt, own);
  const features = { ...attempt.input.features, columns: await championColumns(attempt, champion) };
  return { features, rowsFile: attempt.rowsFile };
};

const fixOfChampion = 'Keep what the champion needs (its features, and the tables and rows of its feature SQL) until another version is champion.';

/**
 * Scores of the champion for the held-out rows, in their order.
 * @throws PerennialFailure that says why the champion cannot be scored on them
 */
export const scoreChampion = async (attempt: Attempt, champion: VersionRecord): Promise<Scored> => {
  try {
    const { features, rowsFile } = await see(attempt, champion);
    planInputs(champion.signature, features.columns);
    const bytes = await attempt.artifacts.get(champion.artifact);
    return await score(attempt, 'scoring the champion', { bytes, signature: champion.signature, features, rowsFile });
  } catch (error) {
    if (!(error instanceof PerennialFailure) || error.retryable) throw error;
    const message = `The champion, version ${champion.version}, cannot be scored on these rows. ${error.message}`;
    const isOfFeatures = error.code === 'FeatureMissing' || error.code === 'FeatureQueryInvalid';
    throw new PerennialFailure(error.code, message, { fix: isOfFeatures ? fixOfChampion : error.fix, cause: error });
  }
};
