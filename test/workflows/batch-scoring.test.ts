import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import type { BatchScoringInput } from '../../contracts/batch-scoring.ts';
import type { Environment } from './support/environment.ts';
import { replayedEnvironment } from './support/replayed-environment.ts';

let environment: Environment;
replayedEnvironment((started) => {
  environment = started;
});

const inputOf = (model: string): BatchScoringInput => ({ jobId: model, model, requestedBy: 'api/ada', shardRows: 1_000 });

describe('batch scoring', () => {
  it('scores each shard once, some at once, and then gives the manifest', async () => {
    const scenario = environment.world.scenario('scored');
    let [running, most] = [0, 0];
    scenario.overrides.scoreShard = async (_input, proceed) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 50));
      running -= 1;
      return proceed();
    };
    const handle = await environment.startBatch(inputOf('scored'));
    expect(await handle.result()).toMatchObject({ rows: 60 });
    expect(scenario.scoredShards.toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(scenario.calls.filter((name) => name !== 'scoreShard')).toEqual(['planBatch', 'finishBatch']);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });

  it('repeats what an outage cut off, in any of its steps', async () => {
    const scenario = environment.world.scenario('cut');
    const once = async <Result>(_input: unknown, proceed: () => Promise<Result>, attempt: number): Promise<Result> => (attempt === 1 ? Promise.reject(new Error('the connection broke')) : proceed());
    Object.assign(scenario.overrides, { planBatch: once, scoreShard: once, finishBatch: once });
    const handle = await environment.startBatch(inputOf('cut'));
    expect(await handle.result()).toMatchObject({ rows: 60 });
    expect(scenario.scoredShards.toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(scenario.batchEnds).toEqual([]);
  });

  it('ends with the failure of a shard, and begins no other after it', async () => {
    const scenario = environment.world.scenario('failing');
    scenario.overrides.scoreShard = async ({ shard }, proceed) => (shard === 1 ? Promise.reject(ApplicationFailure.nonRetryable('the score is no number', 'ModelFailed')) : proceed());
    const handle = await environment.startBatch(inputOf('failing'));
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'ModelFailed', message: 'the score is no number' } });
    expect(scenario.batchEnds).toMatchObject([{ state: 'failed', failure: { code: 'ModelFailed', message: 'the score is no number' } }]);
    expect(scenario.calls).not.toContain('finishBatch');
  });

  it('that is cancelled says so', async () => {
    const scenario = environment.world.scenario('stopped');
    scenario.overrides.scoreShard = async () => {
      const { Context } = await import('@temporalio/activity');
      const timer = setInterval(() => Context.current().heartbeat(), 20);
      try {
        return await Context.current().cancelled;
      } finally {
        clearInterval(timer);
      }
    };
    const handle = await environment.startBatch(inputOf('stopped'));
    await expect.poll(() => scenario.calls.filter((name) => name === 'scoreShard').length, { timeout: 60_000 }).toBe(4);
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow(/cancel/i);
    expect(scenario.batchEnds).toEqual([expect.objectContaining({ state: 'cancelled' })]);
  });
});
