/** Jobs for the trainer that misbehaves on demand (fixtures/trainer.mjs). */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { FeaturesSpec, TrainSpec } from '../../../contracts/pipeline.ts';
import type { TrainerJob, TrainerProgress } from '../../../domain/ports/trainer.ts';

export const FIXTURE = fileURLToPath(new URL('fixtures/trainer.mjs', import.meta.url));

export const features = FeaturesSpec.parse({ sql: 'SELECT 1', identity: ['id'], eventTime: 'seen', label: 'late', columns: [{ name: 'distance', type: 'numeric' }] });

export const command = (...behaviour: string[]): { command: string[] } => ({ command: [process.execPath, FIXTURE, ...behaviour] });

export const createJob = async (trainer: TrainSpec['trainer'], seconds = 60): Promise<TrainerJob & { folder: string; dispose: () => Promise<void> }> => {
  const folder = await mkdtemp(join(tmpdir(), 'trainer-'));
  return {
    folder,
    dispose: () => rm(folder, { recursive: true, force: true }),
    trainFile: join(folder, 'train.parquet'),
    holdoutFile: join(folder, 'holdout.parquet'),
    features,
    train: TrainSpec.parse({ trainer, params: { depth: 3 } }),
    outputFolder: join(folder, 'output'),
    checkpointFolder: join(folder, 'checkpoints'),
    resumeFrom: null,
    deadline: new Date(Date.now() + seconds * 1_000).toISOString(),
    device: 'cpu',
  };
};

export type Seen = { progress: TrainerProgress[]; checkpoints: { path: string; done: number }[] };

/** Waits for a condition; a bound keeps a broken test from hanging. */
export const until = async (condition: () => boolean | Promise<boolean>, boundMs = 20_000): Promise<void> => {
  const deadline = Date.now() + boundMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`the condition did not hold within ${boundMs} ms`);
    await delay(20);
  }
};

/** True while a process runs; a zombie that nobody waits for has ended. */
export const isRunning = async (pid: number): Promise<boolean> => {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return status === undefined ? process.platform !== 'linux' : !/\) Z /.test(status);
};
