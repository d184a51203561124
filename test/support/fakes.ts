/** Records that many tests need, complete and valid, to be changed where a test cares. */
import { createHash } from 'node:crypto';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { ServingOptions } from '../../contracts/deployment.ts';
import type { ModelSignature } from '../../contracts/features.ts';
import type { EvaluationReport, Lineage, TrainedModel } from '../../contracts/model.ts';
import type { ColumnDrift } from '../../contracts/monitor.ts';
import { RolloutPlan } from '../../contracts/rollout-plan.ts';
import type { StepContext } from '../../contracts/run.ts';
import type { ReportPorts } from '../../activities/alert-reports.ts';
import type { ArtifactStore } from '../../domain/ports/artifact-store.ts';
import type { ModelRegistry } from '../../domain/ports/model-registry.ts';
import { PerennialFailure } from '../../domain/failure.ts';

export const artifactOf = (bytes: Uint8Array | string): ArtifactRef => {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { uri: `artifact:sha256/${sha256}`, sha256, bytes: Buffer.byteLength(bytes) };
};

export const stepContext = (changes: Partial<StepContext> = {}): StepContext => ({
  runId: 'flights.r1',
  workflowId: `run/flights/${changes.runId ?? 'flights.r1'}`,
  pipeline: 'flights',
  pipelineVersion: 1,
  model: 'flights',
  trigger: { kind: 'manual', id: 't1', reason: 'by hand' },
  step: 'ingest',
  position: 0,
  pool: 'data',
  ...changes,
});

export const signature: ModelSignature = {
  task: 'binaryClassification',
  inputs: [{ name: 'distance', datatype: 'FP32', shape: [-1, 1], missing: 'forbidden' }],
  outputs: [{ name: 'score', datatype: 'FP32', shape: [-1], missing: 'forbidden' }],
};

export const trainedModel = (name = 'model'): TrainedModel => ({
  model: artifactOf(name),
  signature: artifactOf(JSON.stringify(signature)),
  metrics: artifactOf('{}'),
  predictions: null,
  log: artifactOf('log'),
  trainMetrics: {},
  resumedFrom: [],
});

export const evaluationReport = (rocAuc = 0.75): EvaluationReport => ({
  rows: 100,
  positives: 20,
  candidate: { rocAuc, logLoss: 0.4, brier: 0.1, accuracy: 0.8 },
  champion: null,
  comparisons: [],
  parity: null,
  report: artifactOf('report'),
});

export const lineage = (runId: string, featureSetManifest: ArtifactRef = artifactOf('features')): Lineage => ({
  runId,
  pipeline: 'flights',
  pipelineVersion: 1,
  dataset: 'flights',
  datasetVersion: 'd'.repeat(64),
  datasetManifest: artifactOf('dataset'),
  featureSetVersion: 'f'.repeat(64),
  featureSetManifest,
  trainer: 'lightgbm',
  seed: 7,
  resumedFrom: [],
});

export const registration = (runId: string, model = 'flights'): Parameters<ModelRegistry['registerVersion']>[0] => ({
  model,
  runId,
  trained: trainedModel(runId),
  signature,
  evaluation: evaluationReport(),
  gates: [],
  lineage: lineage(runId),
});

export const servingOptions: ServingOptions = { salt: 'salt', deadlineMs: 1_000, onLogFailure: 'refuse' };

export const rolloutPlan = RolloutPlan.parse({});

/** An artifact store in memory. */
export const memoryArtifactStore = (): ArtifactStore & { delete: (artifact: ArtifactRef) => void } => {
  const objects = new Map<string, Uint8Array>();
  const refuse = (): never => {
    throw new Error('this fake store has no files');
  };
  return {
    put: async (bytes) => {
      const artifact = artifactOf(bytes);
      objects.set(artifact.sha256, bytes);
      return artifact;
    },
    putFile: refuse,
    putStream: refuse,
    stream: refuse,
    download: refuse,
    get: async (artifact) => {
      const bytes = objects.get(artifact.sha256);
      if (bytes === undefined) throw new PerennialFailure('ArtifactNotFound', `${artifact.uri} is not in the store`);
      return bytes;
    },
    exists: async (artifact) => objects.has(artifact.sha256),
    delete: (artifact) => void objects.delete(artifact.sha256),
  };
};

/** A column whose Wasserstein distance is the score; 0.1 and more is drift. */
export const columnDrift = (column: string, score: number, changes: Partial<ColumnDrift> = {}): ColumnDrift => ({
  column,
  method: 'wasserstein',
  score,
  threshold: 0.1,
  adjusted: null,
  drifted: score >= 0.1,
  missing: { reference: 0, current: 0, drifted: false },
  newCategories: [],
  newShare: 0,
  ...changes,
});

/** Ports of reports where no pipeline is known, so that nothing is an alert. */
export const silentReports: ReportPorts = {
  facts: { newestWindows: async () => ({ newest: null, labelled: null, estimated: null, withoutLabels: 0 }) },
  pipelines: { current: async () => undefined, version: async () => undefined },
  registry: {
    registerVersion: async () => {
      throw new Error('this fake registers nothing');
    },
    version: async () => undefined,
    alias: async () => undefined,
  },
  workflows: {
    submitTrigger: async () => undefined,
    startMonitor: async () => undefined,
    reportAlert: async () => undefined,
    reportTrial: async () => undefined,
    runPresence: async () => 'absent',
    cancelRun: async () => undefined,
  },
};
