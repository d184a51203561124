/** Searches on the time-skipping server: batches, pruning, budget, failures, cancellation, continue-as-new, and workers that are replaced. */
import { heartbeat, sleep } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { WorkflowFailedError } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { searchWorkflowId, trialWorkflowId } from '../../contracts/ids.ts';
import { runStatusQuery, searchStatusQuery, trialReportedSignal } from '../../contracts/messages.ts';
import type { SearchOutcome, SearchSpec, TrialInput, TrialParams } from '../../contracts/search.ts';
import { trainedModel } from './support/artifacts.ts';
import type { Environment } from './support/environment.ts';
import { replayedEnvironment } from './support/replayed-environment.ts';
import { modelPipeline, runInput } from './support/specs.ts';
import type { Override, Overrides, Scenario } from './support/world.ts';

let environment: Environment;
replayedEnvironment((started) => (environment = started));

const loss = ({ x, y }: TrialParams): number => ((x as number) - 0.3) ** 2 + ((y as number) + 0.5) ** 2;
const space = { x: { type: 'number' as const, min: -1, max: 1 }, y: { type: 'number' as const, min: -1, max: 1 } };

type Search = Omit<Partial<z.input<typeof SearchSpec>>, 'space'> & { space?: object };
type Ran = { scenario: Scenario; runId: string; result: () => Promise<unknown>; cancel: () => Promise<unknown>; search: () => SearchOutcome };

const startSearch = async (name: string, search: Search, overrides: Overrides = {}): Promise<Ran> => {
  const spec = modelPipeline(name, { train: { trainer: 'lightgbm', params: { num_iterations: 7, x: 9 }, timeoutSeconds: 600 }, search: { space, ...search } as never });
  const scenario = environment.world.scenario(name, { overrides });
  scenario.lossOf = loss;
  const input = runInput(spec);
  const handle = await environment.startRun(input);
  return { scenario, runId: input.runId, result: () => handle.result(), cancel: () => handle.cancel(), search: () => scenario.steps.get('search')?.output as SearchOutcome };
};

const run = async (name: string, search: Search, overrides: Overrides = {}): Promise<Ran> => {
  const started = await startSearch(name, search, overrides);
  await started.result();
  return started;
};

const report = (input: TrialInput, rung: number, value: number): Promise<void> =>
  environment.client.workflow.getHandle(searchWorkflowId(input.context.runId)).signal(trialReportedSignal, { number: input.number, rung, value });

/** Works on until it is told to stop. */
const trainForLong = async (): Promise<void> => {
  const timer = setInterval(() => heartbeat(), 20);
  try {
    await sleep(60_000);
  } finally {
    clearInterval(timer);
  }
};

const statusOf = async (runId: string, number: number): Promise<string> => (await environment.client.workflow.getHandle(trialWorkflowId(runId, number)).describe()).status.name;
const codeOf = async (result: Promise<unknown>): Promise<unknown> => result.then(() => 'ended well', (error: unknown) => (error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure ? error.cause.type : (error as Error).name));

describe('a search', () => {
  it('gives the training the parameters of its best trial, over those that it does not name', async () => {
    let trained: unknown;
    const train: Override<'train'> = async (input, proceed) => {
      trained = input.train.params;
      return proceed();
    };
    const { scenario, search } = await run('best', { trials: 12, parallel: 5 }, { train });
    const best = [...scenario.trials.entries()].reduce((first, second) => (second[1].value! < first[1].value! ? second : first));
    expect(search()).toMatchObject({ metric: 'logLoss', sampler: 'tpe', seed: 7, trials: 12, succeeded: 12, endedBy: 'trials', trainedSeconds: 720, best: { trial: best[0], value: best[1].value, params: best[1].params } });
    expect(trained).toEqual({ num_iterations: 7, ...best[1].params });
    expect([...scenario.trials.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, number) => number));
  });

  it('tries the same whatever order its trials end in', async () => {
    const slow: Override<'trainTrial'> = async (input, proceed) => {
      await sleep((3 - (input.number % 4)) * 30);
      return proceed();
    };
    const [first, second] = [await run('order-a', { trials: 14, parallel: 4 }), await run('order-b', { trials: 14, parallel: 4 }, { trainTrial: slow })];
    const params = ({ scenario }: Ran) => [...scenario.trials.entries()].sort(([a], [b]) => a - b).map(([, trial]) => trial.params);
    expect(params(second)).toEqual(params(first));
    expect(second.search().best).toEqual(first.search().best);
  });

  it('of a grid ends with its last combination', async () => {
    const { search, scenario } = await run('grid', { sampler: 'grid', trials: 50, parallel: 4, space: { x: { type: 'integer', min: -1, max: 1 }, y: { type: 'categorical', values: [0, 1] } } });
    expect(search()).toMatchObject({ trials: 6, best: { params: { x: 0, y: 0 } } });
    expect(new Set([...scenario.trials.values()].map(({ params }) => JSON.stringify(params))).size).toBe(6);
  });

  it('says how far it is', async () => {
    const seen: unknown[] = [];
    const trainTrial: Override<'trainTrial'> = async (input, proceed) => {
      if (input.number === 2) {
        seen.push(await environment.client.workflow.getHandle(searchWorkflowId(input.context.runId)).query(searchStatusQuery));
        seen.push((await environment.client.workflow.getHandle(input.context.workflowId).query(runStatusQuery)).step);
      }
      return proceed();
    };
    const { scenario } = await run('status', { trials: 3, parallel: 2, sampler: 'random' }, { trainTrial });
    const best = scenario.trials.get(0)!.value! <= scenario.trials.get(1)!.value! ? 0 : 1;
    expect(seen).toEqual([{ trials: 3, finished: 2, running: [2], best: expect.objectContaining({ trial: best }) as object, spentSeconds: 120 }, 'search']);
  });
});

describe('pruning', () => {
  it('cancels the trial, and its last value is remembered as a pruned one', async () => {
    const trainTrial: Override<'trainTrial'> = async (input) => {
      await report(input, 0, input.number === 1 ? 0.9 : 0.1);
      // A report that comes again counts once.
      await report(input, 0, input.number === 1 ? 0.9 : 0.1);
      if (input.number === 1) await trainForLong();
      return { trained: trainedModel, seconds: 30 };
    };
    const { scenario, search, runId } = await run('asha', { pruner: 'asha', trials: 3, parallel: 1, sampler: 'random' }, { trainTrial });
    expect(search()).toMatchObject({ trials: 3, succeeded: 2, pruned: 1 });
    expect(scenario.trials.get(1)).toMatchObject({ state: 'pruned' });
    expect([await statusOf(runId, 0), await statusOf(runId, 1), await statusOf(runId, 2)]).toEqual(['COMPLETED', 'CANCELLED', 'COMPLETED']);
  });

  it('that comes after the end of a trial changes nothing', async () => {
    const scoreTrial: Override<'scoreTrial'> = async ({ trial }, proceed) => {
      const scored = await proceed();
      if (trial.number === 1) await report(trial, 0, 0.9);
      return scored;
    };
    const trainTrial: Override<'trainTrial'> = async (input, proceed) => {
      if (input.number === 0) await report(input, 0, 0.1);
      return proceed();
    };
    const { search, scenario } = await run('late', { pruner: 'asha', trials: 2, parallel: 1, sampler: 'random' }, { trainTrial, scoreTrial });
    const { succeeded, pruned } = search();
    expect(succeeded + pruned).toBe(2);
    expect(scenario.trials.size).toBe(2);
  });
});

describe('the budget', () => {
  it('admits a trial only if its reservation fits, and keeps the best so far', async () => {
    const trainTrial: Override<'trainTrial'> = async () => ({ trained: trainedModel, seconds: 90 });
    const { search, scenario } = await run('budget', { trials: 20, parallel: 3, sampler: 'random', budget: { minutes: 8, trialMinutes: 2 } }, { trainTrial });
    // Three reserve 6 of 8 min and use 4.5; one more fits (2 of 3.5), then another one no more than once (2 of 2), then none.
    expect(search()).toMatchObject({ trials: 5, succeeded: 5, endedBy: 'budget', trainedSeconds: 450 });
    expect(search().trainedSeconds).toBeLessThanOrEqual(480);
    expect(scenario.trials.size).toBe(5);
  });

  it('stops a trial that used its reservation up, in money too', async () => {
    const trainTrial: Override<'trainTrial'> = async (input) => {
      if (input.number === 0) throw ApplicationFailure.nonRetryable('passed its deadline', 'TrainerTimedOut');
      return { trained: trainedModel, seconds: input.seconds };
    };
    const { search } = await run('money', { trials: 20, parallel: 1, sampler: 'random', budget: { money: 1, pricePerMinute: 0.1, trialMinutes: 3 } }, { trainTrial });
    expect(search()).toMatchObject({ trials: 3, cancelled: 1, succeeded: 2, endedBy: 'budget', trainedSeconds: 540 });
  });
});

describe('failures', () => {
  it('of a trainer are the end of their trial, not of the search', async () => {
    const trainTrial: Override<'trainTrial'> = async ({ number }, proceed, attempt) => {
      if (number === 1) throw ApplicationFailure.nonRetryable('min_data_in_leaf', 'TrainerRejectedInput');
      if (number === 2) throw ApplicationFailure.retryable('killed', 'TrainerCrashed');
      if (number === 3 && attempt < 3) throw new Error('the worker lost its connection');
      return proceed();
    };
    const { search, scenario } = await run('failures', { trials: 6, parallel: 3, sampler: 'random' }, { trainTrial });
    expect(search()).toMatchObject({ trials: 6, succeeded: 4, failed: 2 });
    expect([1, 2, 3].map((number) => scenario.trials.get(number)?.state)).toEqual(['failed', 'failed', 'succeeded']);
    expect(scenario.calls.filter((name) => name === 'trainTrial').length).toBe(6 + 2 + 2);
  });

  it('of everything end the search with the last of them', async () => {
    const trainTrial: Override<'trainTrial'> = async () => {
      throw ApplicationFailure.nonRetryable('no such parameter', 'TrainerRejectedInput');
    };
    const { scenario, result, runId } = await startSearch('hopeless', { trials: 40, parallel: 4, sampler: 'random' }, { trainTrial });
    expect(await codeOf(result())).toBe('SearchFoundNothing');
    expect(scenario.trials.size).toBe(12);
    expect(scenario.ends.get(runId)).toMatchObject({ state: 'failed', failure: { code: 'SearchFoundNothing', message: 'none of 12 trials succeeded: TrainerRejectedInput: no such parameter' } });
    expect(scenario.steps.get('search')).toMatchObject({ state: 'failed' });
  });

  it('that are no trial’s own end the search, and the other trials are cancelled first', async () => {
    const trainTrial: Override<'trainTrial'> = async ({ number }, proceed) => {
      if (number === 1) throw ApplicationFailure.nonRetryable('the rows are gone', 'ArtifactNotFound');
      if (number === 0) await trainForLong();
      return proceed();
    };
    const { scenario, result, runId } = await startSearch('infrastructure', { trials: 4, parallel: 2, sampler: 'random' }, { trainTrial });
    expect(await codeOf(result())).toBe('ArtifactNotFound');
    expect(await statusOf(runId, 0)).toBe('CANCELLED');
    expect(scenario.trials.get(0)).toMatchObject({ state: 'cancelled' });
  });
});

describe('a cancelled run', () => {
  it('cancels its search, whose trials end first', async () => {
    const control: { cancel?: () => Promise<unknown> } = {};
    const trainTrial: Override<'trainTrial'> = async ({ number }, proceed) => {
      if (number < 2) return proceed();
      if (number === 2) await control.cancel?.();
      await trainForLong();
      return proceed();
    };
    const started = await startSearch('cancelled', { trials: 8, parallel: 2, sampler: 'random' }, { trainTrial });
    control.cancel = started.cancel;
    expect(await codeOf(started.result())).toBe('WorkflowFailedError');
    const { scenario, runId } = started;
    expect(scenario.ends.get(runId)).toMatchObject({ state: 'cancelled' });
    expect([await statusOf(runId, 2), await statusOf(runId, 3)]).toEqual(['CANCELLED', 'CANCELLED']);
    expect([2, 3].map((number) => scenario.trials.get(number)?.state)).toEqual(['cancelled', 'cancelled']);
    expect((await environment.client.workflow.getHandle(searchWorkflowId(runId)).describe()).status.name).toBe('CANCELLED');
    expect(scenario.trials.size).toBe(4);
  });
});

describe('a long search', () => {
  it('continues as new between two batches, and goes on where it was', async () => {
    const { search, scenario, runId } = await run('long', { trials: 104, parallel: 50, pruner: 'none', sampler: 'tpe' });
    expect(search()).toMatchObject({ trials: 104, succeeded: 104, trainedSeconds: 104 * 60 });
    expect(scenario.trials.size).toBe(104);
    expect(scenario.calls.filter((name) => name === 'trainTrial').length).toBe(104);
    expect(scenario.calls.filter((name) => name === 'prepareSearch').length).toBe(1);
    const executions = (await environment.histories()).filter(({ workflowId }) => workflowId === searchWorkflowId(runId));
    expect(executions).toHaveLength(2);
  });
});
