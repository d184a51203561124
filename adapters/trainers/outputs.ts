/** What a trainer left in its output folder: whole, of the right shape and of a size that can be handled, or refused. */
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Sha256 } from '../../contracts/artifact.ts';
import { ModelSignature, type Task } from '../../contracts/features.ts';
import { PerennialFailure } from '../../domain/failure.ts';

const MEGABYTE = 1024 * 1024;
const MAXIMUM_BYTES = { 'model.onnx': 2_048 * MEGABYTE, 'metrics.json': MEGABYTE, 'signature.json': 4 * MEGABYTE, 'predictions.parquet': 8_192 * MEGABYTE } as const;
type OutputFile = keyof typeof MAXIMUM_BYTES;

const MAXIMUM_METRICS = 100;

/** Unknown keys are the trainer's own; JSON has no NaN, and zod takes no infinite number. */
const MetricsFile = z.object({
  metrics: z.record(z.string().min(1).max(128), z.number()).refine((metrics) => Object.keys(metrics).length <= MAXIMUM_METRICS, `at most ${MAXIMUM_METRICS} metrics`),
  resumedFrom: z.array(Sha256).max(1_000).default([]),
});

export type TrainerOutputs = {
  modelFile: string;
  metricsFile: string;
  signatureFile: string;
  predictionsFile: string | null;
  trainMetrics: Record<string, number>;
  resumedFrom: string[];
};

const invalid = (message: string, cause?: unknown): PerennialFailure => new PerennialFailure('TrainerOutputInvalid', message, { cause });

/** Path of an output; undefined when it is not there. A link could name any file of the worker. */
const findFile = async (folder: string, name: OutputFile): Promise<string | undefined> => {
  const path = join(folder, name);
  const status = await lstat(path).catch(() => undefined);
  if (status === undefined) return undefined;
  if (!status.isFile()) throw invalid(`${name} is not a regular file`);
  if (status.size === 0) throw invalid(`${name} is empty`);
  if (status.size > MAXIMUM_BYTES[name]) throw invalid(`${name} has ${status.size} bytes; at most ${MAXIMUM_BYTES[name]} are allowed`);
  return path;
};

const requireFile = async (folder: string, name: OutputFile): Promise<string> => {
  const path = await findFile(folder, name);
  if (path === undefined) throw invalid(`the trainer ended with success and left no ${name}`);
  return path;
};

const readJson = async <Value>(path: string, name: OutputFile, schema: z.ZodType<Value>): Promise<Value> => {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw invalid(`${name} is not valid JSON (NaN and Infinity are not): ${error instanceof Error ? error.message : String(error)}`, error);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(`${name} is not valid at ${issue?.path.join('.') || 'its top'}: ${issue?.message ?? ''}`);
};

/**
 * Reads and checks the outputs of a training that ended with success.
 * @param options.predictions whether the trainer's own predictions must be there; without them parity is not checked
 * @param options.task what it was asked to predict
 * @throws PerennialFailure TrainerOutputInvalid with the file and what is wrong in it
 */
export const readOutputs = async (folder: string, options: { predictions: 'required' | 'optional'; task: Task }): Promise<TrainerOutputs> => {
  const modelFile = await requireFile(folder, 'model.onnx');
  const metricsFile = await requireFile(folder, 'metrics.json');
  const signatureFile = await requireFile(folder, 'signature.json');
  const { metrics, resumedFrom } = await readJson(metricsFile, 'metrics.json', MetricsFile);
  const { task } = await readJson(signatureFile, 'signature.json', ModelSignature);
  if (task !== options.task) throw invalid(`signature.json is of a model for ${task}: ${options.task} was asked for`);
  const findPredictions = options.predictions === 'required' ? requireFile : findFile;
  const predictionsFile = (await findPredictions(folder, 'predictions.parquet')) ?? null;
  return { modelFile, metricsFile, signatureFile, predictionsFile, trainMetrics: metrics, resumedFrom };
};
