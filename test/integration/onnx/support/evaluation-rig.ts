/** The evaluate activity on a store, an engine and a model runtime of its own, with a registry that knows at most one champion. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/activity';
import { afterAll, beforeAll, expect } from 'vitest';
import { createEvaluateActivity } from '../../../../activities/evaluate.ts';
import type { EvaluatePorts } from '../../../../activities/scoring.ts';
import { createDataEngine } from '../../../../adapters/duckdb/index.ts';
import { createLocalStore } from '../../../../adapters/objectstore/local-store.ts';
import { createModelRuntime } from '../../../../adapters/onnx/model-runtime.ts';
import type { ArtifactRef } from '../../../../contracts/artifact.ts';
import type { DatasetVersionRef } from '../../../../contracts/dataset.ts';
import type { ModelSignature } from '../../../../contracts/features.ts';
import { type TrainedModel } from '../../../../contracts/model.ts';
import type { ModelPipelineSpec } from '../../../../contracts/pipeline.ts';
import { GateSpec, type FeaturesSpec, type PipelineSpec } from '../../../../contracts/pipeline.ts';
import type { VersionRecord } from '../../../../domain/ports/model-registry.ts';
import type { DataEngine } from '../../../../domain/ports/data-engine.ts';
import type { ArtifactStore } from '../../../../domain/ports/artifact-store.ts';
import { runActivity } from '../../../support/activity.ts';
import { evaluationReport, lineage, stepContext, trainedModel } from '../../../support/fakes.ts';
import { fixturePath, matrixFeatures, matrixSignature, namedFeatures, namedSignature } from '../../../unit/onnx/fixtures.ts';

/** Folder of the store and of scratch folders. */
export let root = '';
let engine: DataEngine;
/** Opened before the tests of the file. */
export let artifacts: ArtifactStore;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'perennial-evaluate-'));
  artifacts = createLocalStore(join(root, 'artifacts'));
  engine = createDataEngine({ scratchFolder: join(root, 'artifacts', 'duckdb'), memoryLimit: '512MB' });
});
afterAll(() => rm(root, { recursive: true, force: true }));

const scratch: EvaluatePorts['scratch'] = async (purpose) => {
  const folder = await mkdtemp(join(root, `${purpose}-`));
  return { folder, dispose: () => rm(folder, { recursive: true, force: true }) };
};

/** Puts a value into the store as JSON. */
export const putJson = (value: unknown): Promise<ArtifactRef> => artifacts.put(Buffer.from(JSON.stringify(value)));
/** Puts a file of test/unit/onnx into the store. */
export const putFixture = async (name: string): Promise<ArtifactRef> => artifacts.put(await readFile(fixturePath(name)));

type Ledger = EvaluatePorts['ledger'];
/** A ledger that keeps nothing but the order of its writes. */
const recordingLedger = () => {
  const writes: string[] = [];
  const ledger = {
    startStep: async () => void writes.push('start'),
    finishStep: async () => void writes.push('finish'),
    failStep: async (_: unknown, failure: { code: string }) => void writes.push(`fail ${failure.code}`),
  } as unknown as Ledger;
  return { ledger, writes };
};

const registryWith = (champion?: Partial<VersionRecord>): EvaluatePorts['registry'] => ({
  registerVersion: () => Promise.reject(new Error('nothing is registered by an evaluation')),
  alias: async () => (champion === undefined ? undefined : 4),
  version: async (model, version) =>
    champion === undefined
      ? undefined
      : ({ model, version, runId: 'flights.r0', signature: namedSignature, evaluation: evaluationReport(), lineage: lineage('flights.r0'), createdAt: '2013-04-01T00:00:00Z', ...champion } as VersionRecord),
});

/** What is evaluated. */
export type Setting = {
  model: string;
  signature: ModelSignature;
  rows: string;
  rowCount: number;
  features: FeaturesSpec;
  predictions: string | null;
  champion?: Partial<VersionRecord>;
  /** Features that the champion's pipeline declares; without them it is not known. */
  championFeatures?: FeaturesSpec;
  /** The held-out rows as the candidate sees them, where these are not the fixture. */
  holdoutFile?: string;
  gates?: unknown[];
};

export const named: Setting = { model: 'named', signature: namedSignature, rows: 'named-rows.parquet', rowCount: 400, features: namedFeatures, predictions: 'named-predictions.parquet' };
export const matrix = (model: string, input: string): Setting => ({
  model,
  signature: matrixSignature(input),
  rows: 'matrix-rows.parquet',
  rowCount: 600,
  features: matrixFeatures,
  predictions: `${model}-predictions.parquet`,
});

const pipelinesWith = (features?: FeaturesSpec): EvaluatePorts['pipelines'] => ({
  current: async () => undefined,
  version: async () => (features === undefined ? undefined : ({ kind: 'model', features } as Partial<ModelPipelineSpec> as PipelineSpec)),
});

/** A dataset of one table, `rows`: the fixture's rows. */
const datasetOf = async (rows: string, count: number): Promise<DatasetVersionRef> => {
  const artifact = await putFixture(rows);
  const table = { name: 'rows', format: 'parquet', columns: [], rows: count, profile: [], files: [{ path: rows, artifact, md5: 'd'.repeat(32), rows: count }] };
  const manifest = await putJson({ dataset: 'flights', version: 'd'.repeat(64), tables: [table], rows: count, bytes: artifact.bytes });
  return { dataset: 'flights', version: 'd'.repeat(64), manifest, rows: count, bytes: artifact.bytes, files: 1 };
};

/** Runs the activity. */
export const evaluate = async (setting: Setting, store: ArtifactStore = artifacts) => {
  const { ledger, writes } = recordingLedger();
  const runtime = createModelRuntime({ scratch });
  const { evaluate: activity } = createEvaluateActivity({ ledger, artifacts: store, registry: registryWith(setting.champion), pipelines: pipelinesWith(setting.championFeatures), engine, runtime, scratch });
  const trained: TrainedModel = {
    ...trainedModel(),
    model: await putFixture(`${setting.model}.onnx`),
    signature: await putJson(setting.signature),
    predictions: setting.predictions === null ? null : await putFixture(setting.predictions),
  };
  const holdout = setting.holdoutFile === undefined ? await putFixture(setting.rows) : await artifacts.putFile(setting.holdoutFile);
  const dataset = await datasetOf(setting.rows, setting.rowCount);
  const featureSet = {
    name: 'flights',
    version: 'f'.repeat(64),
    manifest: holdout,
    train: holdout,
    holdout,
    trainRows: setting.rowCount,
    holdoutRows: setting.rowCount,
    split: { trainFrom: '2013-01-01T00:00:00Z', holdoutFrom: '2013-04-01T00:00:00Z', holdoutUntil: '2013-05-01T00:00:00Z' },
  };
  const gates = (setting.gates ?? []).map((gate) => GateSpec.parse(gate));
  const input = { context: stepContext({ step: 'evaluate', position: 4 }), dataset, featureSet, features: setting.features, trained, gates };
  return { report: runActivity(activity, input), writes };
};

/** How the activity fails. */
export const failureOf = async (setting: Setting): Promise<ApplicationFailure> => {
  const problem: unknown = await (await evaluate(setting)).report.catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(ApplicationFailure);
  return problem as ApplicationFailure;
};
