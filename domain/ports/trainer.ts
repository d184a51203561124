import type { MetricName } from '../../contracts/metric.ts';
import type { FeaturesSpec, TrainSpec } from '../../contracts/pipeline.ts';

export type TrainerProgress = { done: number; total: number; metrics: Record<string, number> };

export type TrainerJob = {
  trainFile: string;
  holdoutFile: string;
  features: FeaturesSpec;
  train: TrainSpec;
  outputFolder: string;
  checkpointFolder: string;
  resumeFrom: string | null;
  /** ISO 8601. */
  deadline: string;
  device: 'cpu' | 'gpu';
  /** Asks for this metric of the held-out rows, as far as they are predicted, as `validation` in the metrics of each progress. */
  reportMetric?: MetricName;
};

/**
 * Runs one training in a process group of its own (design: the trainer contract). Aborting the signal sends SIGTERM to the group, then SIGKILL.
 * Fails with TrainerNotFound, TrainerRejectedInput (exit 64 to 78), TrainerInterrupted (75), TrainerCrashed (anything else),
 * TrainerTimedOut, TrainerOutputInvalid; each with the last 20 log lines.
 */
export interface Trainer {
  train(
    job: TrainerJob,
    hooks: { signal: AbortSignal; onProgress: (progress: TrainerProgress) => void; onCheckpoint: (checkpoint: { path: string; done: number }) => void },
  ): Promise<{ modelFile: string; metricsFile: string; signatureFile: string; predictionsFile: string | null; logFile: string; trainMetrics: Record<string, number>; resumedFrom: string[] }>;
}
