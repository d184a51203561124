/**
 * The evaluate step: scores the candidate, and the champion beside it, on the held-out rows with the code that serves, and
 * measures. It decides nothing: gates are judged in the workflow on the numbers that are returned here.
 */
import { join } from 'node:path';
import type { StepActivities } from '../contracts/activities.ts';
import type { ArtifactRef } from '../contracts/artifact.ts';
import { ModelSignature } from '../contracts/features.ts';
import { PARITY_LIMIT, type EvaluationReport } from '../contracts/model.ts';
import { largestDifference, plansOf } from '../domain/evaluation.ts';
import type { ColumnCodes } from '../domain/column-codes.ts';
import { PerennialFailure } from '../domain/failure.ts';
import { gateColumnsOf } from '../domain/gate-measurements.ts';
import type { ArtifactStore } from '../domain/ports/artifact-store.ts';
import { step } from './boundary.ts';
import { findChampion, scoreChampion } from './champion.ts';
import { inScratch, readJson } from './data-ports.ts';
import { evaluateOffLoop } from './evaluate-off-loop.ts';
import { gateMeasurements } from './gate-measurements.ts';
import { score, type Attempt, type EvaluateInput, type EvaluatePorts, type ScoredModel } from './scoring.ts';
import { stopIfAborted } from './stop.ts';

export const readSignature = async (artifacts: ArtifactStore, artifact: ArtifactRef): Promise<ModelSignature> => {
  try {
    return ModelSignature.parse(await readJson(artifacts, artifact));
  } catch (error) {
    if (error instanceof PerennialFailure) throw error;
    throw new PerennialFailure('TrainerOutputInvalid', `signature.json is not valid: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
};

const loadCandidate = async ({ artifacts, input }: Attempt): Promise<ScoredModel> => {
  const signature = await readSignature(artifacts, input.trained.signature);
  return { bytes: await artifacts.get(input.trained.model), signature, features: input.features };
};

/** The columns that gates name, where they name any. */
const readGateColumns = async ({ runtime, rowsFile, input }: Attempt): Promise<Record<string, ColumnCodes>> => {
  const names = gateColumnsOf(input.gates);
  return names.length === 0 ? {} : runtime.readColumns(rowsFile, names);
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

const evaluateRows = async (attempt: Attempt): Promise<EvaluationReport> => {
  const { artifacts, input, tools } = attempt;
  await artifacts.download(input.featureSet.holdout, attempt.rowsFile);
  const model = await loadCandidate(attempt);
  const candidate = await score(attempt, 'scoring the candidate', model);
  const parity = await checkParity(attempt, candidate.scores);
  const champion = await findChampion(attempt);
  const championScores = champion === undefined ? null : (await scoreChampion(attempt, champion)).scores;
  stopIfAborted(tools.signal);
  tools.report({ progress: { done: candidate.scores.length, total: candidate.scores.length, what: 'comparing' } });
  const { labels, days, scores } = candidate;
  const rows = { labels, days, candidate: scores, champion: championScores, columns: await readGateColumns(attempt) };
  const question = { task: input.features.task, plans: plansOf(input.gates), gates: input.gates };
  const full = await evaluateOffLoop(rows, question, tools.signal).finally(() => stopIfAborted(tools.signal));
  const measured = await gateMeasurements(attempt, { candidate: model, championSignature: champion?.signature ?? null }, full.measured);
  return {
    rows: full.rows,
    positives: full.positives,
    candidate: full.candidate.metrics,
    champion: champion === undefined || full.champion === null ? null : { version: champion.version, metrics: full.champion.metrics },
    comparisons: full.comparisons,
    parity,
    ...(measured === undefined ? {} : { measured }),
    report: await artifacts.put(Buffer.from(JSON.stringify({ ...full, parity, championVersion: champion?.version ?? null }))),
  };
};

/** Creates the evaluate activity. Again with the same input it measures the same numbers, against whoever is champion then. */
export const createEvaluateActivity = (ports: EvaluatePorts): Pick<StepActivities, 'evaluate'> => ({
  evaluate: step(ports.ledger, (input: EvaluateInput, tools) =>
    inScratch(ports.scratch, 'evaluate', (folder) => evaluateRows({ ...ports, input, tools, folder, rowsFile: join(folder, 'holdout.parquet') })),
  ),
});
