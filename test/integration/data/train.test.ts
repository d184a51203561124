/** The train step: outputs, checkpoints that ride in the heartbeat, and how an attempt ends. */
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HeartbeatDetails } from '../../../activities/boundary.ts';
import type { ArtifactRef } from '../../../contracts/artifact.ts';
import type { FeatureSetRef } from '../../../contracts/features.ts';
import { TrainedModel } from '../../../contracts/model.ts';
import { TrainSpec } from '../../../contracts/pipeline.ts';
import { stepContext } from '../../support/fakes.ts';
import { command, features, until } from '../trainer-process/job.ts';
import { createRig, startActivity, type Rig } from './rig.ts';

let rig: Rig;
let featureSet: FeatureSetRef;
beforeAll(async () => {
  rig = await createRig();
  const [train, holdout] = [await rig.artifacts.put(randomBytes(2_000)), await rig.artifacts.put(randomBytes(1_000))];
  const split = { trainFrom: '2013-01-01T00:00:00.000Z', holdoutFrom: '2013-02-01T00:00:00.000Z', holdoutUntil: '2013-03-01T00:00:00.000Z' };
  featureSet = { name: 'flights', version: 'f', manifest: train, train, holdout, trainRows: 100, holdoutRows: 50, split };
});
afterAll(() => rig.dispose());

type Checkpoint = { artifact: ArtifactRef; done: number };

const train = (behaviour: string[], options: { timeoutSeconds?: number; previous?: HeartbeatDetails; attempt?: number } = {}) => {
  const spec = TrainSpec.parse({ trainer: command(...behaviour), timeoutSeconds: options.timeoutSeconds ?? 60 });
  return startActivity(rig.activities.train, { context: stepContext({ step: 'train', pool: 'cpu' }), featureSet, features, train: spec }, options);
};

const hasCheckpoint = (heartbeats: HeartbeatDetails[], done: number): boolean => heartbeats.some(({ checkpoint }) => (checkpoint as Checkpoint | undefined)?.done === done);

describe('train', () => {
  it('stores what the trainer left and reports its progress', async () => {
    const run = train(['succeed']);
    const trained = await run.outcome;
    expect(TrainedModel.parse(trained)).toMatchObject({ trainMetrics: { trainLogLoss: 0.5 }, resumedFrom: [], predictions: null });
    expect(Buffer.from(await rig.artifacts.get(trained.model)).toString()).toBe('model');
    expect(Buffer.from(await rig.artifacts.get(trained.log)).toString()).toBe('fitting\n');
    expect(run.heartbeats.map(({ progress }) => progress)).toContainEqual({ done: 3, total: 3, metrics: { loss: 1 / 3 }, what: 'training' });
    expect(await readdir(rig.scratchFolder)).toEqual([]);
  });

  it('writes a checkpoint when the worker shuts down, and the next attempt goes on from it', async () => {
    const run = train(['checkpointOnTerm']);
    await until(() => hasCheckpoint(run.heartbeats, 3));
    run.environment.cancel('WORKER_SHUTDOWN');
    await expect(run.outcome).rejects.toMatchObject({ type: 'TrainerInterrupted', nonRetryable: false });
    const last = run.heartbeats.at(-1);
    expect(last?.checkpoint).toMatchObject({ done: 7 });
    const next = await train(['resume'], { attempt: 2, previous: last ?? {} }).outcome;
    expect(next.trainMetrics).toEqual({ resumedAt: 7 });
    expect(await readdir(rig.scratchFolder)).toEqual([]);
  });

  it('is cancelled with the run, not interrupted', async () => {
    const run = train(['checkpointOnTerm']);
    await until(() => hasCheckpoint(run.heartbeats, 3));
    run.environment.cancel('CANCELLED');
    await expect(run.outcome).rejects.toMatchObject({ name: 'CancelledFailure' });
    expect(rig.ledger.of('failStep').at(-1)).toMatchObject({ state: 'cancelled' });
  });

  it('begins again when its checkpoint is gone, and waits for a store that is away', async () => {
    const gone: Checkpoint = { artifact: { uri: `artifact:sha256/${'1'.repeat(64)}`, sha256: '1'.repeat(64), bytes: 5 }, done: 9 };
    expect((await train(['resume'], { attempt: 2, previous: { checkpoint: gone } }).outcome).trainMetrics).toEqual({ resumedAt: 0 });
    expect((await train(['resume'], { attempt: 2, previous: { checkpoint: { nonsense: true } } }).outcome).trainMetrics).toEqual({ resumedAt: 0 });
  });

  it('tells a crash from a refusal, with the last lines of the log', async () => {
    const crash = await train(['exit', '1']).outcome.catch((reason: unknown) => reason);
    expect(crash).toMatchObject({ type: 'TrainerCrashed', nonRetryable: false, details: [{ code: 'TrainerCrashed', logTail: ['about to fail'] }] });
    const refusal = await train(['refuse']).outcome.catch((reason: unknown) => reason);
    expect(refusal).toMatchObject({ type: 'LabelHasOneClass', nonRetryable: true, details: [{ fix: 'Choose another window.' }] });
    const invalid = await train(['nanMetrics']).outcome.catch((reason: unknown) => reason);
    expect(invalid).toMatchObject({ type: 'TrainerOutputInvalid', nonRetryable: true });
  });

  it('stops a trainer that passes its deadline', async () => {
    await expect(train(['stubborn'], { timeoutSeconds: 1 }).outcome).rejects.toMatchObject({ type: 'TrainerTimedOut', nonRetryable: true });
    expect(await readdir(rig.scratchFolder)).toEqual([]);
  });
});
