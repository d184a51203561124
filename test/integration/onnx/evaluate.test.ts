import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/activity';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEvaluateActivity } from '../../../activities/evaluate.ts';
import type { EvaluatePorts } from '../../../activities/scoring.ts';
import { createDataEngine } from '../../../adapters/duckdb/index.ts';
import { createLocalStore } from '../../../adapters/objectstore/local-store.ts';
import { createModelRuntime } from '../../../adapters/onnx/model-runtime.ts';
import type { ArtifactRef } from '../../../contracts/artifact.ts';
import type { DatasetVersionRef } from '../../../contracts/dataset.ts';
import type { FeatureColumn, ModelSignature } from '../../../contracts/features.ts';
import { EvaluationReport, type TrainedModel } from '../../../contracts/model.ts';
import type { ModelPipelineSpec} from '../../../contracts/pipeline.ts';
import { GateSpec, type FeaturesSpec, type PipelineSpec } from '../../../contracts/pipeline.ts';
import { PerennialFailure } from '../../../domain/failure.ts';
import { decideGates } from '../../../domain/gates.ts';
import type { VersionRecord } from '../../../domain/ports/model-registry.ts';
import type { DataEngine } from '../../../domain/ports/data-engine.ts';
import type { ArtifactStore } from '../../../domain/ports/artifact-store.ts';
import { runActivity } from '../../support/activity.ts';
import { evaluationReport, lineage, stepContext, trainedModel } from '../../support/fakes.ts';
import { readRows } from '../trainers/support/score.ts';
import { writeRows } from '../duckdb/source-files.ts';
import { fixturePath, matrixFeatures, matrixSignature, namedFeatures, namedSignature, signatureOf, tensor } from '../../unit/onnx/fixtures.ts';

let root = '';
let artifacts: ArtifactStore;
let engine: DataEngine;
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

const putJson = (value: unknown): Promise<ArtifactRef> => artifacts.put(Buffer.from(JSON.stringify(value)));
const putFixture = async (name: string): Promise<ArtifactRef> => artifacts.put(await readFile(fixturePath(name)));

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

type Setting = {
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

const named: Setting = { model: 'named', signature: namedSignature, rows: 'named-rows.parquet', rowCount: 400, features: namedFeatures, predictions: 'named-predictions.parquet' };
const matrix = (model: string, input: string): Setting => ({
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

const evaluate = async (setting: Setting, store: ArtifactStore = artifacts) => {
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

const failureOf = async (setting: Setting): Promise<ApplicationFailure> => {
  const problem: unknown = await (await evaluate(setting)).report.catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(ApplicationFailure);
  return problem as ApplicationFailure;
};

/** What the champion gate of the demo asks for. */
const championGate = { kind: 'champion', metric: 'rocAuc', resamples: 200 };

describe('evaluate', () => {
  it('measures the candidate, proves parity and writes a full report', async () => {
    const { report, writes } = await evaluate({ ...named, gates: [championGate] });
    const result = EvaluationReport.parse(await report);
    expect(result).toMatchObject({ rows: 400, champion: null, comparisons: [], parity: { rows: 400 } });
    expect(result.parity!.largestDifference).toBeLessThan(1e-6);
    expect(result.candidate.rocAuc).toBeGreaterThan(0.6);
    expect(writes).toEqual(['start', 'finish']);
    const full = JSON.parse(Buffer.from(await artifacts.get(result.report)).toString());
    expect(full).toMatchObject({ rows: 400, championVersion: null, bootstrapSeed: 7, candidate: { metrics: result.candidate, confusion: { threshold: 0.5 } } });
    expect(full.days).toHaveLength(8);
    expect(JSON.stringify(result).length).toBeLessThan(4_000);
    expect((await readdir(root)).sort()).toEqual(['artifacts']);
  });

  it('gives the same report again', async () => {
    const results = [await (await evaluate(named)).report, await (await evaluate(named)).report];
    expect(results[1]).toEqual(results[0]);
  });

  it('compares with the champion on the same rows, one comparison for each champion gate', async () => {
    const champion = { artifact: await putFixture('linear.onnx'), signature: matrixSignature('X'), lineage: { ...lineage('flights.r0'), featureSetManifest: await manifestOf(matrixFeatures.columns) } };
    const gates = [championGate, { ...championGate, metric: 'logLoss', confidence: 0.9 }, { kind: 'rows', min: 10 }];
    const result = await (await evaluate({ ...matrix('trees', 'input'), champion, gates })).report;
    expect(result.champion).toMatchObject({ version: 4, metrics: { rocAuc: expect.any(Number) } });
    expect(result.comparisons.map(({ metric, confidence, resamples, groups }) => [metric, confidence, resamples, groups])).toEqual([
      ['rocAuc', 0.95, 200, 25],
      ['logLoss', 0.9, 200, 25],
    ]);
    const [rocAuc, logLoss] = result.comparisons;
    expect(rocAuc!.difference).toBeCloseTo(result.candidate.rocAuc! - result.champion!.metrics.rocAuc!, 12);
    expect(logLoss!.difference).toBeCloseTo(result.champion!.metrics.logLoss! - result.candidate.logLoss!, 12);
    expect(rocAuc!.low).toBeLessThan(rocAuc!.difference!);
  });

  it('leaves parity out for a trainer without predictions', async () => {
    expect(await (await evaluate({ ...named, predictions: null })).report).toMatchObject({ parity: null });
  });
});

const manifestOf = (columns: FeatureColumn[]): Promise<ArtifactRef> => {
  const reference = { uri: `artifact:sha256/${'a'.repeat(64)}`, sha256: 'a'.repeat(64), bytes: 1 };
  const split = { trainFrom: '', holdoutFrom: '', holdoutUntil: '' };
  return putJson({ version: 'v', sqlHash: 's', datasetVersion: 'd', split, identity: ['moment'], eventTime: 'moment', label: 'label', columns, train: reference, holdout: reference, trainRows: 1, holdoutRows: 1, reference: [] });
};

describe('a champion with another feature SQL', () => {
  const ownFeatures = { ...namedFeatures, sql: 'SELECT * FROM rows' };
  const brokenHoldout = () => writeRows(join(root, 'artifacts', 'broken.parquet'), `SELECT * REPLACE (0::FLOAT AS hour) FROM read_parquet('${fixturePath('named-rows.parquet')}')`);

  it('is judged on its own features of the same rows: a broken candidate does not break it too', async () => {
    const healthy = await (await evaluate(named)).report;
    const champion = { artifact: await putFixture('named.onnx'), signature: namedSignature };
    const setting = { ...named, predictions: null, holdoutFile: await brokenHoldout(), champion, championFeatures: ownFeatures, gates: [championGate] };
    const result = await (await evaluate(setting)).report;
    expect(result.champion!.metrics).toEqual(healthy.candidate);
    expect(result.candidate.rocAuc!).toBeLessThan(healthy.candidate.rocAuc!);
    expect(result.comparisons[0]!.difference!).toBeCloseTo(result.candidate.rocAuc! - healthy.candidate.rocAuc!, 12);
  });

  it.each([
    ['does not give every row', 'SELECT * FROM rows WHERE hour < 12', 'of the 400 rows to be judged'],
    ['gives a row twice', 'SELECT * FROM rows UNION ALL SELECT * FROM rows', 'more than once'],
    ['no longer runs', 'SELECT * FROM gone', 'gone'],
  ])('fails when its SQL %s', async (_, sql, words) => {
    const champion = { artifact: await putFixture('named.onnx'), signature: namedSignature };
    const failure = await failureOf({ ...named, champion, championFeatures: { ...ownFeatures, sql } });
    expect(failure).toMatchObject({ type: 'FeatureQueryInvalid', nonRetryable: true, message: expect.stringMatching(/^The champion, version 4, cannot be scored/) });
    expect(failure.message).toContain(words);
  });
});

describe('gates that ask for measurements', () => {
  const gates = [
    { kind: 'slice', column: 'carrier', metric: 'accuracy', min: 0.01, minimumRows: 1 },
    { kind: 'fairness', column: 'carrier', measure: 'demographicParityDifference', max: 1, minimumRows: 1, resamples: 200 },
    { kind: 'champion', metric: 'rocAuc', cluster: 'hour', resamples: 200 },
    { kind: 'champion', metric: 'accuracy', test: 'mcnemar' },
    { kind: 'calibration', max: 1 },
    { kind: 'latency', maxP95Ms: 10_000, requests: 30 },
    { kind: 'size', maxBytes: 10_000_000 },
    { kind: 'signature' },
  ].map((gate) => GateSpec.parse(gate));
  let result: EvaluationReport;
  beforeAll(async () => {
    const champion = { artifact: await putFixture('named.onnx'), signature: namedSignature };
    result = EvaluationReport.parse(await (await evaluate({ ...named, champion, gates })).report);
  });

  it('get them from the rows, by value, and from the model', async () => {
    const { measured } = result;
    const [slice] = measured!.slices;
    const [fairness] = measured!.fairness;
    const rows = await readRows([fixturePath('named-rows.parquet')]);
    const carriers = new Map<string | null, number>();
    for (const { carrier } of rows as { carrier: string | null }[]) carriers.set(carrier, (carriers.get(carrier) ?? 0) + 1);
    expect(new Map(slice!.values.map(({ value, rows: count }) => [value, count]))).toEqual(carriers);
    expect(slice!.values.reduce((sum, { rows: count, metric }) => sum + count * metric!, 0) / 400).toBeCloseTo(result.candidate.accuracy!, 12);
    expect(fairness!.groups.reduce((sum, { rows: count }) => sum + count, 0)).toBe(400);
    const rates = fairness!.groups.map(({ selectionRate }) => selectionRate!);
    expect(fairness!.value).toBeCloseTo(Math.max(...rates) - Math.min(...rates), 12);
    expect(result.comparisons).toMatchObject([{ metric: 'rocAuc', cluster: 'hour', groups: new Set(rows.map(({ hour }) => hour)).size, difference: 0 }]);
    expect(measured!.mcnemar).toMatchObject({ candidateOnly: 0, championOnly: 0, pValue: 1 });
    expect(measured!.calibrationError).toBeGreaterThan(0);
    expect(measured!.latency).toMatchObject({ requests: 30 });
    expect(measured!.latency!.p95Ms).toBeGreaterThanOrEqual(measured!.latency!.p50Ms);
    expect(measured!.modelBytes).toBe((await readFile(fixturePath('named.onnx'))).length);
    expect(measured!.signatureDifferences).toEqual([]);
  });

  it('are decided by them', () => {
    expect(decideGates(result, gates).map(({ gate, passed }) => [gate, passed])).toEqual([
      ['slice carrier accuracy', true],
      ['fairness carrier demographicParityDifference', true],
      ['champion rocAuc', false],
      ['champion accuracy', false],
      ['calibration', true],
      ['latency', true],
      ['size', true],
      ['signature', true],
    ]);
  });

  it('cost nothing where they do not ask', async () => expect((await (await evaluate(named)).report).measured).toBeUndefined());

  it('say which column is not there', async () => {
    expect(await failureOf({ ...named, gates: [{ kind: 'slice', column: 'airport', metric: 'rocAuc', min: 0 }] })).toMatchObject({ type: 'FeatureMissing', message: expect.stringContaining('"airport"') });
  });
});

describe('evaluate fails for good', () => {
  it('when the model does not predict what the trainer predicts', async () => {
    const failure = await failureOf({ ...named, predictions: 'named-predictions-wrong.parquet' });
    expect(failure).toMatchObject({ type: 'ParityFailed', nonRetryable: true, message: expect.stringContaining('differ by up to 0.001') });
  });

  it('when the trainer predicted another number of rows', async () => {
    expect(await failureOf({ ...named, predictions: 'trees-predictions.parquet' })).toMatchObject({ type: 'ParityFailed', message: 'The trainer left 600 predictions for 400 held-out rows.' });
  });

  it('when the signature is none', async () => {
    expect(await failureOf({ ...named, signature: { task: 'regression' } as unknown as ModelSignature })).toMatchObject({ type: 'TrainerOutputInvalid', nonRetryable: true });
  });

  it('when the model is refused', async () => {
    expect(await failureOf({ ...named, model: 'loop', signature: signatureOf([tensor('hour')]) })).toMatchObject({ type: 'ModelRefused', nonRetryable: true });
  });

  it('when the champion needs a column that the features lack, and says which', async () => {
    const signature = signatureOf([...namedSignature.inputs, tensor('visibility')]);
    const failure = await failureOf({ ...named, champion: { artifact: await putFixture('named.onnx'), signature } });
    expect(failure).toMatchObject({ type: 'FeatureMissing', nonRetryable: true, message: expect.stringMatching(/^The champion, version 4, cannot be scored .*"visibility"/) });
  });

  it('when the columns behind the wide input of a champion are gone', async () => {
    const columns: FeatureColumn[] = [...matrixFeatures.columns.slice(0, 29), { name: 'f99', type: 'numeric', missing: 'forbidden' }];
    const champion = { artifact: await putFixture('linear.onnx'), signature: matrixSignature('X'), lineage: { ...lineage('flights.r0'), featureSetManifest: await manifestOf(columns) } };
    expect(await failureOf({ ...matrix('trees', 'input'), champion })).toMatchObject({ type: 'FeatureMissing', message: expect.stringContaining('"f99"') });
  });
});

describe('evaluate', () => {
  it('is tried again when the bytes of the champion are damaged', async () => {
    const artifact = await putFixture('linear.onnx');
    const damaged: ArtifactStore = {
      ...artifacts,
      get: async (wanted) => {
        if (wanted.sha256 !== artifact.sha256) return artifacts.get(wanted);
        throw new PerennialFailure('ArtifactCorrupt', 'The bytes do not match their hash.');
      },
    };
    const champion = { artifact, signature: namedSignature };
    const { report, writes } = await evaluate({ ...named, champion }, damaged);
    await expect(report).rejects.toMatchObject({ type: 'ArtifactCorrupt', nonRetryable: false });
    expect(writes).toEqual(['start', 'fail ArtifactCorrupt']);
  });
});
