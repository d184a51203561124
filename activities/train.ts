/**
 * The train step: runs a trainer on the training rows and stores what it leaves. Checkpoints are stored while it runs and their
 * references ride in the heartbeat, so that the attempt after an interrupted one goes on where that one was.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { log } from '@temporalio/activity';
import type { StepActivities } from '../contracts/activities.ts';
import { ArtifactRef } from '../contracts/artifact.ts';
import type { MetricName } from '../contracts/metric.ts';
import type { TrainedModel } from '../contracts/model.ts';
import type { FeaturesSpec, TrainSpec } from '../contracts/pipeline.ts';
import { PerennialFailure } from '../domain/failure.ts';
import type { ArtifactStore } from '../domain/ports/artifact-store.ts';
import type { FaultPoints } from '../domain/ports/fault-points.ts';
import type { RunLedger } from '../domain/ports/run-ledger.ts';
import type { Trainer, TrainerProgress } from '../domain/ports/trainer.ts';
import { step, type ActivityTools } from './boundary.ts';
import { inScratch, type Scratch } from './data-ports.ts';
import { stoppedBy } from './stop.ts';

export type FitPorts = { artifacts: ArtifactStore; trainer: Trainer; scratch: Scratch };
export type TrainPorts = FitPorts & { ledger: RunLedger; faults: FaultPoints };

type Input = Parameters<StepActivities['train']>[0];

/** One training: the rows to fit and those held out, the declaration, and what is asked of its progress. */
export type Fitting = {
  rows: { train: ArtifactRef; holdout: ArtifactRef };
  features: FeaturesSpec;
  train: TrainSpec;
  /** A metric of the held-out rows that the progress is to tell. */
  reportMetric?: MetricName;
  onProgress?: (progress: TrainerProgress) => void;
};
type Outputs = Awaited<ReturnType<Trainer['train']>>;

/** What rides in the heartbeat. */
type StoredCheckpoint = { artifact: ArtifactRef; done: number };

const GPU_POOL = /^gpu(-|$)/;

/**
 * Stores checkpoints one after the other while the trainer goes on; one that comes while another is under way replaces those that wait. A checkpoint that
 * cannot be stored costs work after an interruption, and is no reason to end the training.
 */
const createCheckpointKeeper = (artifacts: ArtifactStore, tools: ActivityTools): { keep: (checkpoint: { path: string; done: number }) => void; settled: () => Promise<void> } => {
  let waiting: { path: string; done: number } | undefined;
  let working: Promise<void> | undefined;
  const store = async (): Promise<void> => {
    while (waiting !== undefined) {
      const { path, done } = waiting;
      waiting = undefined;
      try {
        const artifact = await artifacts.putFile(path);
        tools.report({ checkpoint: { artifact, done } satisfies StoredCheckpoint });
      } catch (error) {
        log.warn('a checkpoint could not be stored', { done, error: String(error) });
      }
    }
    working = undefined;
  };
  return {
    keep: (checkpoint) => {
      waiting = checkpoint;
      working ??= store();
    },
    settled: async () => working,
  };
};

const checkpointOf = (tools: ActivityTools): StoredCheckpoint | undefined => {
  const stored = tools.previous?.checkpoint as Partial<StoredCheckpoint> | undefined;
  const artifact = ArtifactRef.safeParse(stored?.artifact);
  return artifact.success ? { artifact: artifact.data, done: Number(stored?.done ?? 0) } : undefined;
};

/** Brings the checkpoint of the attempt before near; without it the training begins again. */
const fetchCheckpoint = async (artifacts: ArtifactStore, tools: ActivityTools, folder: string): Promise<string | null> => {
  const checkpoint = checkpointOf(tools);
  if (checkpoint === undefined) return null;
  const path = join(folder, 'resume-from');
  try {
    await artifacts.download(checkpoint.artifact, path);
    return path;
  } catch (error) {
    if (!(error instanceof PerennialFailure) || error.code !== 'ArtifactNotFound') throw error;
    log.warn('the checkpoint is gone: the training begins again', { checkpoint: checkpoint.artifact.uri });
    return null;
  }
};

/** When the trainer is stopped, with the last lines of its log; Temporal's own bound comes a moment later and knows nothing of them. */
const deadlineOf = (input: Fitting): string => new Date(Date.now() + input.train.timeoutSeconds * 1_000).toISOString();

const runTrainer = async (ports: FitPorts, input: Fitting, tools: ActivityTools, folder: string): Promise<Outputs> => {
  const { artifacts, trainer } = ports;
  const [trainFile, holdoutFile] = [join(folder, 'train.parquet'), join(folder, 'holdout.parquet')];
  tools.report({ progress: { done: 0, total: 0, what: 'fetching the features' } });
  await artifacts.download(input.rows.train, trainFile);
  await artifacts.download(input.rows.holdout, holdoutFile);
  const resumeFrom = await fetchCheckpoint(artifacts, tools, folder);
  const keeper = createCheckpointKeeper(artifacts, tools);
  const job = {
    trainFile,
    holdoutFile,
    features: input.features,
    train: input.train,
    outputFolder: join(folder, 'output'),
    checkpointFolder: join(folder, 'checkpoints'),
    resumeFrom,
    deadline: deadlineOf(input),
    ...(input.reportMetric === undefined ? {} : { reportMetric: input.reportMetric }),
    device: GPU_POOL.test(input.train.pool) ? ('gpu' as const) : ('cpu' as const),
  };
  await Promise.all([mkdir(job.outputFolder), mkdir(job.checkpointFolder)]);
  try {
    const onProgress = (progress: TrainerProgress): void => {
      tools.report({ progress: { ...progress, what: 'training' } });
      input.onProgress?.(progress);
    };
    return await trainer.train(job, { signal: tools.signal, onProgress, onCheckpoint: keeper.keep });
  } finally {
    await keeper.settled();
  }
};

const storeOutputs = async (artifacts: ArtifactStore, outputs: Outputs): Promise<TrainedModel> => {
  const [model, signature, metrics, log] = await Promise.all([outputs.modelFile, outputs.signatureFile, outputs.metricsFile, outputs.logFile].map((path) => artifacts.putFile(path)));
  if (model === undefined || signature === undefined || metrics === undefined || log === undefined) throw new Error('an output was not stored');
  const predictions = outputs.predictionsFile === null ? null : await artifacts.putFile(outputs.predictionsFile);
  return { model, signature, metrics, predictions, log, trainMetrics: outputs.trainMetrics, resumedFrom: outputs.resumedFrom };
};

/** Fits a model and stores what the trainer left; an attempt that goes on from a checkpoint has its reference in the last heartbeat. */
export const fitModel = (ports: FitPorts, fitting: Fitting, tools: ActivityTools): Promise<TrainedModel> =>
  inScratch(ports.scratch, 'train', async (folder) => {
    const outputs = await runTrainer(ports, fitting, tools, folder).catch((error: unknown) => {
      // A trainer that was stopped is interrupted, unless the run itself was cancelled.
      const isStop = tools.signal.aborted && error instanceof PerennialFailure && error.code === 'TrainerInterrupted';
      throw isStop ? stoppedBy(tools.signal, () => error) : error;
    });
    return storeOutputs(ports.artifacts, outputs);
  });

/** Creates the train activity. Crashes are counted by the workflow: here a crash is one attempt's end. */
export const createTrainActivity = (ports: TrainPorts): Pick<StepActivities, 'train'> => ({
  train: step(ports.ledger, async ({ featureSet, features, train }: Input, tools) => {
    const trained = await fitModel(ports, { rows: featureSet, features, train }, tools);
    ports.faults.reach('train.after-put');
    return trained;
  }),
});
