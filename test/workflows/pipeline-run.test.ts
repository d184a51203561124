import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startEnvironment, type Environment } from './support/environment.ts';
import { modelPipeline, runInput, stepsPipeline } from './support/specs.ts';

let environment: Environment;
beforeAll(async () => {
  environment = await startEnvironment();
});
afterEach(async () => {
  expect(await environment.replayAll()).toEqual([]);
});
afterAll(() => environment.stop());

describe('a steps pipeline', () => {
  it('is one activity per step and nothing else', async () => {
    const scenario = environment.world.scenario('chain');
    const input = runInput(stepsPipeline('chain', 7));
    const handle = await environment.startRun(input);
    expect(await handle.result()).toEqual({ kind: 'succeeded' });
    expect(scenario.calls).toEqual(Array(7).fill('noop'));
    expect(scenario.ends.get(input.runId)?.state).toBe('succeeded');
    const { events } = await handle.fetchHistory();
    expect(events?.filter((event) => event.timerStartedEventAttributes)).toEqual([]);
  });
});

describe('a model pipeline', () => {
  it('goes from data to a promoted version', async () => {
    const scenario = environment.world.scenario('flights');
    const input = runInput(modelPipeline('flights'));
    const handle = await environment.startRun(input);
    expect(await handle.result()).toMatchObject({ kind: 'succeeded', model: 'flights', version: 2, rollout: { kind: 'promoted', previous: 1 } });
    console.log(scenario.calls, scenario.deployment, scenario.decisions, scenario.steps, scenario.ends);
  });
});
