/**
 * The evaluate step: scores the candidate, and the champion beside it, on the held-out rows with the code that serves, and
 * measures. It decides nothing: gates are judged in the workflow on the numbers that are returned here.
 */
import { join } from 'node:path';
import { CancelledFailure } from '@temporalio/activity';
import type { StepActivities } from '../contracts/activities.ts';
import type { ArtifactRef } from '../contracts/artifact.ts';
import { FeatureSetManifest, ModelSignature, type FeatureColumn } from '../contracts/features.ts';
import { CHAMPION } from '../contracts/ids.ts';
import { PARITY_LIMIT, type EvaluationReport } from '../contracts/model.ts';
import type { FeaturesSpec } from '../contracts/pipeline.ts';
import { largestDifference, plansOf } from '../domain/evaluation.ts';
import { PerennialFailure } from '../domain/failure.ts';
import { planInputs } from '../domain/feature-rows.ts';
import type { ArtifactStore } from '../domain/ports/artifact-store.ts';
import type { ModelRegistry, VersionRecord } from '../domain/ports/model-registry.ts';
import type { ModelRuntime } from '../domain/ports/model-runtime.ts';
import type { RunLedger } from '../domain/ports/run-ledger.ts';
import { step, type ActivityTools } from './boundary.ts';
import { evaluateOffLoop } from './evaluate-off-loop.ts';

export type EvaluatePorts = {
  ledger: RunLedger;
  artifacts: ArtifactStore;
  registry: ModelRegistry;
  runtime: ModelRuntime;
  /** Makes a folder for the files of one attempt. */
  scratch: (purpose: string) => Promise<{ folder: string; dispose(): Promise<void> }>;
};

type Input = Parameters<StepActivities['evaluate']>[0];
type Scored = Awaited<ReturnType<ModelRuntime['score']>>;
/** One attempt: its ports, its input, the held-out rows on disk. */
type Attempt = EvaluatePorts & { input: Input; tools: ActivityTools; folder: string; rowsFile: string };

const stopIfCancelled = ({ signal }: ActivityTools): void => {
  if (signal.aborted) throw new CancelledFailure('The evaluation was cancelled.');
};

const readSignature = async (artifacts: ArtifactStore, artifact: ArtifactRef): Promise<ModelSignature> => {
  try {
    return ModelSignature.parse(JSON.parse(Buffer.from(await artifacts.get(artifact)).toString()));
  } catch (error) {
    if (error instanceof PerennialFailure) throw error;
    throw new PerennialFailure('TrainerOutputInvalid', `signature.json is not valid: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
};

const score = async (attempt: Attempt, what: string, model: { bytes: Uint8Array; signature: ModelSignature; features: FeaturesSpec }): Promise<Scored> => {
  const { input, tools, runtime, rowsFile } = attempt;
  stopIfCancelled(tools);
  const total = input.featureSet.holdoutRows;
  const scored = await runtime.score({
    model: model.bytes,
    signature: model.signature,
    rowsFile,
    features: model.features,
    onProgress: (done) => tools.report({ progress: { done, total, what } }),
  });
  if (scored.scores.length !== total) throw new Error(`${scored.scores.length} of ${total} held-out rows were scored (${what})`);
  return scored;
};

const scoreCandidate = async (attempt: Attempt): Promise<Scored> => {
  const { artifacts, input } = attempt;
  const signature = await readSignature(artifacts, input.trained.signature);
  return score(attempt, 'scoring the candidate', { bytes: await artifacts.get(input.trained.model), signature, features: input.features });
};

/** Compares with what the trainer itself predicted; null when it left no predictions. */
const checkParity = async (attempt: Attempt, scores: Float64Array): Promise<EvaluationReport['parity']> => {
  const { artifacts, runtime, input, folder } = attempt;
  if (input.trained.predictions === null) return null;
  const file = join(folder, 'predictions.parquet');
  await artifacts.download(input.trained.predictions, file);
  const predictions = await runtime.readPredictions(file);
  if (predictions.length !== scores.length) {
    throw new PerennialFailure('ParityFailed', `The trainer left ${predictions.length} predictions for ${scores.length} held-out rows.`);
  }
  const difference = largestDifference(scores, predictions);
  // A difference that is not a number is not within the limit either.
  if (!(difference <= PARITY_LIMIT)) {
    throw new PerennialFailure('ParityFailed', `The ONNX model and the trainer differ by up to ${difference}: at most ${PARITY_LIMIT} is allowed.`);
  }
  return { rows: scores.length, largestDifference: difference };
};

const findChampion = async ({ registry, input }: Attempt): Promise<VersionRecord | undefined> => {
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
  const manifest = FeatureSetManifest.parse(JSON.parse(Buffer.from(await artifacts.get(champion.lineage.featureSetManifest)).toString()));
  const absent = manifest.columns.find(({ name }) => !columns.some((column) => column.name === name));
  if (absent !== undefined) throw new PerennialFailure('FeatureMissing', `It needs the feature "${absent.name}", which the features do not declare.`);
  return manifest.columns;
};

const fixOfChampion = 'Keep the features that the champion needs in features.sql until another version is champion.';

const scoreChampion = async (attempt: Attempt, champion: VersionRecord): Promise<Scored> => {
  try {
    const columns = await championColumns(attempt, champion);
    planInputs(champion.signature, columns);
    const bytes = await attempt.artifacts.get(champion.artifact);
    return await score(attempt, 'scoring the champion', { bytes, signature: champion.signature, features: { ...attempt.input.features, columns } });
  } catch (error) {
    if (!(error instanceof PerennialFailure) || error.retryable) throw error;
    const message = `The champion, version ${champion.version}, cannot be scored on these rows. ${error.message}`;
    throw new PerennialFailure(error.code, message, { fix: error.code === 'FeatureMissing' ? fixOfChampion : error.fix, cause: error });
  }
};

const evaluateRows = async (attempt: Attempt): Promise<EvaluationReport> => {
  const { artifacts, input, tools } = attempt;
  await artifacts.download(input.featureSet.holdout, attempt.rowsFile);
  const candidate = await scoreCandidate(attempt);
  const parity = await checkParity(attempt, candidate.scores);
  const champion = await findChampion(attempt);
  const championScores = champion === undefined ? null : (await scoreChampion(attempt, champion)).scores;
  stopIfCancelled(tools);
  tools.report({ progress: { done: candidate.scores.length, total: candidate.scores.length, what: 'comparing' } });
  const { labels, days, scores } = candidate;
  const rows = { labels, days, candidate: scores, champion: championScores };
  const full = await evaluateOffLoop(rows, plansOf(input.gates), tools.signal).finally(() => stopIfCancelled(tools));
  return {
    rows: full.rows,
    positives: full.positives,
    candidate: full.candidate.metrics,
    champion: champion === undefined || full.champion === null ? null : { version: champion.version, metrics: full.champion.metrics },
    comparisons: full.comparisons,
    parity,
    report: await artifacts.put(Buffer.from(JSON.stringify({ ...full, parity, championVersion: champion?.version ?? null }))),
  };
};

/** Creates the evaluate activity. Again with the same input it measures the same numbers, against whoever is champion then. */
export const createEvaluateActivity = (ports: EvaluatePorts): Pick<StepActivities, 'evaluate'> => ({
  evaluate: step(ports.ledger, async (input: Input, tools) => {
    const { folder, dispose } = await ports.scratch('evaluate');
    try {
      return await evaluateRows({ ...ports, input, tools, folder, rowsFile: join(folder, 'holdout.parquet') });
    } finally {
      await dispose();
    }
  }),
});
