/** Results of steps as the stubs give them: the shapes of the contracts, with small made-up numbers. */
import { createHash } from 'node:crypto';
import type { ArtifactRef } from '../../../contracts/artifact.ts';
import type { CheckReport } from '../../../contracts/check-report.ts';
import type { DatasetVersionRef } from '../../../contracts/dataset.ts';
import type { FeatureSetRef } from '../../../contracts/features.ts';
import type { EvaluationReport, TrainedModel } from '../../../contracts/model.ts';
import type { MonitorWindow } from '../../../contracts/monitor.ts';

export const artifact = (text: string): ArtifactRef => {
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { uri: `artifact:sha256/${sha256}`, sha256, bytes: text.length };
};

export const datasetVersion = (dataset: string): DatasetVersionRef => ({
  dataset,
  version: artifact(dataset).sha256,
  manifest: artifact(`manifest of ${dataset}`),
  rows: 1_000,
  bytes: 50_000,
  files: 3,
});

export const checkReport: CheckReport = { passed: true, checks: 2, failed: 0, warned: 0, results: [], report: artifact('checks') };

export const featureSet = (name: string): FeatureSetRef => ({
  name,
  version: artifact(`features of ${name}`).sha256,
  manifest: artifact('feature manifest'),
  train: artifact('train rows'),
  holdout: artifact('hold-out rows'),
  trainRows: 800,
  holdoutRows: 200,
  split: { trainFrom: '2013-01-01T00:00:00Z', holdoutFrom: '2013-04-01T00:00:00Z', holdoutUntil: '2013-05-01T00:00:00Z' },
});

export const trainedModel: TrainedModel = {
  model: artifact('model'),
  signature: artifact('signature'),
  metrics: artifact('metrics'),
  predictions: null,
  log: artifact('log'),
  trainMetrics: { rocAuc: 0.8 },
  resumedFrom: [],
};

export const evaluationReport: EvaluationReport = {
  rows: 200,
  positives: 40,
  candidate: { rocAuc: 0.76, logLoss: 0.45, brier: 0.15, accuracy: 0.8 },
  champion: null,
  comparisons: [],
  parity: { rows: 200, largestDifference: 1e-7 },
  report: artifact('evaluation'),
};

export const monitorWindow = (window: number, version: number, changes: Partial<MonitorWindow> = {}): MonitorWindow => ({
  window,
  version,
  from: '2013-06-01T00:00:00Z',
  to: '2013-06-02T00:00:00Z',
  rows: 1_000,
  labelled: 0,
  driftScore: 0,
  drifted: false,
  columns: [],
  prediction: null,
  quality: null,
  judgedQuality: 0.76,
  qualityDropped: false,
  ...changes,
});
