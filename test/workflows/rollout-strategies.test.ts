import { describe, expect, it } from 'vitest';
import { abortUpdate, promoteUpdate, resumeUpdate, rolloutStatusQuery } from '../../contracts/messages.ts';
import { stableAt } from './support/deployments.ts';
import type { Environment } from './support/environment.ts';
import { replayedEnvironment } from './support/replayed-environment.ts';
import { rolloutInput, rolloutPlan, strategyPlan } from './support/specs.ts';
import { healthyWindow, type Overrides } from './support/world.ts';

const says: { args: [{ by: string; reason: string }] } = { args: [{ by: 'grace', reason: 'because' }] };

let environment: Environment;
replayedEnvironment((started) => {
  environment = started;
});

const start = (model: string, plan: Parameters<typeof strategyPlan>[0]) => environment.startRollout(rolloutInput(model, { plan: strategyPlan(plan) }));

describe('all at once', () => {
  it('moves everything as soon as the gateways have it, and looks at nothing', async () => {
    const scenario = environment.world.scenario('sudden');
    scenario.window = { ...healthyWindow, requests: 10, failures: 10 };
    expect(await (await start('sudden', { strategy: 'allAtOnce' })).result()).toMatchObject({ kind: 'promoted', previous: 1 });
    expect(scenario.deployment.history).toEqual([stableAt(1), { stable: 1, canary: 2, canaryWeight: 100 }, stableAt(2)]);
  });
});

describe('blue-green', () => {
  const analysis = { intervalSeconds: 300 };
  const preview = { stable: 1, canary: 2, canaryWeight: 0 };
  const switched = { stable: 1, canary: 2, canaryWeight: 100 };

  it('previews without traffic, switches in one generation, and keeps the version before until its time is up', async () => {
    const scenario = environment.world.scenario('green');
    const handle = await start('green', { strategy: 'blueGreen', preview: { seconds: 60 }, keepWarmSeconds: 600, analysis });
    await environment.temporal.sleep('30s');
    expect(await handle.query(rolloutStatusQuery)).toMatchObject({ step: 0, steps: 2, weight: 0 });
    await environment.temporal.sleep('1 minute');
    expect(scenario.deployment.split).toEqual(switched);
    expect(await handle.result()).toMatchObject({ kind: 'promoted', version: 2, generation: 4 });
    expect(scenario.deployment.history).toEqual([stableAt(1), preview, switched, stableAt(2)]);
  });

  it('goes back in one generation while the version before is warm', async () => {
    const scenario = environment.world.scenario('back');
    const handle = await start('back', { strategy: 'blueGreen', preview: { seconds: 10 }, keepWarmSeconds: 600, analysis });
    await environment.temporal.sleep('1 minute');
    await handle.executeUpdate(abortUpdate, says);
    expect(await handle.result()).toMatchObject({ kind: 'aborted', generation: 4 });
    expect(scenario.deployment.history.slice(-2)).toEqual([switched, stableAt(1)]);
  });

  it('a breach after the switch goes back by itself; one failure of few requests is none', async () => {
    const scenario = environment.world.scenario('green-breach');
    scenario.window = { ...healthyWindow, requests: 3, failures: 1 };
    const handle = await start('green-breach', { strategy: 'blueGreen', preview: { seconds: 10 }, keepWarmSeconds: 600, analysis });
    await environment.temporal.sleep('1 minute');
    scenario.window = { ...healthyWindow, failures: 500 };
    expect(await handle.result()).toMatchObject({ kind: 'rolledBack', step: 1 });
    expect(scenario.deployment.split).toEqual(stableAt(1));
  });

  it('switches by hand: a promote ends the preview, a second one the time to go back', async () => {
    const scenario = environment.world.scenario('by-hand');
    const handle = await start('by-hand', { strategy: 'blueGreen', switch: 'byHand', preview: { seconds: 10, maximumSeconds: 7_200 }, keepWarmSeconds: 86_400, analysis });
    await environment.temporal.sleep('1 hour');
    expect(scenario.deployment.split).toEqual(preview);
    await handle.executeUpdate(promoteUpdate, says);
    await environment.temporal.sleep('1 hour');
    expect(scenario.deployment.split).toEqual(switched);
    await handle.executeUpdate(promoteUpdate, says);
    expect(await handle.result()).toMatchObject({ kind: 'promoted', generation: 4 });
  });
});

describe('an inconclusive step', () => {
  const plan = rolloutPlan({ analysis: { intervalSeconds: 30, decisionSeconds: 1_800 } });

  it('pauses, passes by nothing that comes in later, and is rolled back when nobody decides', async () => {
    const scenario = environment.world.scenario('quiet');
    scenario.window = { ...healthyWindow, requests: 3 };
    const handle = await environment.startRollout(rolloutInput('quiet', { plan }));
    await environment.temporal.sleep('15 minutes');
    scenario.window = healthyWindow;
    await environment.temporal.sleep('5 minutes');
    expect(await handle.query(rolloutStatusQuery)).toMatchObject({ state: 'paused', step: 0, waitingFor: 'somebody to resume or abort it, at most 1800 s: 3 of 50 canary requests seen within 600 s' });
    expect(await handle.result()).toMatchObject({ kind: 'rolledBack', reason: '3 of 50 canary requests seen within 600 s, and nobody decided' });
    expect(scenario.deployment.split).toEqual(stableAt(1));
  });

  it('has its whole time again when a person resumes it', async () => {
    const scenario = environment.world.scenario('quiet-resumed');
    scenario.window = { ...healthyWindow, requests: 3 };
    const handle = await environment.startRollout(rolloutInput('quiet-resumed', { plan }));
    await environment.temporal.sleep('15 minutes');
    await handle.executeUpdate(resumeUpdate, says);
    await environment.temporal.sleep('5 minutes');
    expect(await handle.query(rolloutStatusQuery)).toMatchObject({ state: 'running', step: 0 });
    scenario.window = healthyWindow;
    expect(await handle.result()).toMatchObject({ kind: 'promoted' });
    expect(scenario.decisions.map(({ verdict }) => verdict.verdict)).toEqual(['inconclusive', 'continue', 'pass', 'pass']);
  });

  it('is rolled back at once where nobody is given time to decide', async () => {
    const scenario = environment.world.scenario('quiet-at-once');
    scenario.window = { ...healthyWindow, requests: 3 };
    const handle = await environment.startRollout(rolloutInput('quiet-at-once', { plan: rolloutPlan({ analysis: { intervalSeconds: 30, decisionSeconds: 0 } }) }));
    expect(await handle.result()).toMatchObject({ kind: 'rolledBack', reason: '3 of 50 canary requests seen within 600 s' });
  });
});

describe('a canary compared with stable', () => {
  const compared = { intervalSeconds: 30, maximumFailureShare: 1, comparison: { maximumDifference: 0.02 } };

  it('passes by the test, not by the absolute share, which both exceed', async () => {
    const scenario = environment.world.scenario('compared');
    const asked: unknown[] = [];
    scenario.overrides.readServingWindow = async ({ against }) => {
      asked.push(against);
      return { ...healthyWindow, requests: 20_000, failures: 2_000, ...(against === undefined ? {} : { stable: { requests: 22_000, failures: 4_000 } }) };
    };
    expect(await (await environment.startRollout(rolloutInput('compared', { plan: rolloutPlan({ analysis: compared }) }))).result()).toMatchObject({ kind: 'promoted' });
    // The last step has all traffic: there is nothing to compare with.
    expect([...new Set(asked)]).toEqual([1, undefined]);
  });

  it('is rolled back as soon as it is surely worse', async () => {
    const scenario = environment.world.scenario('worse');
    scenario.window = { ...healthyWindow, failures: 100, fallbacks: 100, stable: { requests: 9_000, failures: 0 } };
    const ending = await (await environment.startRollout(rolloutInput('worse', { plan: rolloutPlan({ analysis: compared }) }))).result();
    expect(ending).toMatchObject({ kind: 'rolledBack', step: 0, reason: expect.stringContaining("failure share less stable's is between") as string });
  });
});

describe('shadow', () => {
  const shadow = { strategy: 'shadow' as const, percent: 20, tolerance: 0.1, seconds: 300, minimumRequests: 50, analysis: { intervalSeconds: 100 } };
  const copies = { ...healthyWindow, shadow: { dropped: 3, differing: 40, maximumDifference: 0.5 } };

  it('gives the candidate copies and no traffic, and changes nothing at its end', async () => {
    const options: unknown[] = [];
    const shiftTraffic: Overrides['shiftTraffic'] = async (input, proceed) => {
      options.push(input.options.shadow);
      return proceed();
    };
    const scenario = environment.world.scenario('shadowed', { overrides: { shiftTraffic } });
    scenario.window = copies;
    expect(await (await start('shadowed', shadow)).result()).toMatchObject({ kind: 'observed', reason: '1000 copies, 0 failed, 300 s', generation: 3 });
    expect(options).toEqual([{ percent: 20, tolerance: 0.1 }]);
    expect(scenario.deployment.history).toEqual([stableAt(1), { stable: 1, canary: 2, canaryWeight: 0 }, stableAt(1)]);
    expect(scenario.rolloutEnds).toMatchObject([{ kind: 'observed' }]);
  });

  it('promotes where it was told to', async () => {
    const scenario = environment.world.scenario('shadow-promoted');
    scenario.window = copies;
    expect(await (await start('shadow-promoted', { ...shadow, then: 'promote' as const })).result()).toMatchObject({ kind: 'promoted' });
    expect(scenario.deployment.split).toEqual(stableAt(2));
  });

  it('ends as soon as too many answers differ', async () => {
    const scenario = environment.world.scenario('shadow-differs');
    scenario.window = copies;
    const ending = await (await start('shadow-differs', { ...shadow, maximumDifferingShare: 0.01 })).result();
    expect(ending).toMatchObject({ kind: 'rolledBack', reason: '40 of 1000 copies were answered differently (4 %), at most 1 % allowed' });
  });

  it('has nothing to look at where nothing is served', async () => {
    const scenario = environment.world.scenario('shadow-alone', { stable: null });
    expect(await (await start('shadow-alone', shadow)).result()).toMatchObject({ kind: 'observed', reason: 'there was nothing to observe: no other version is served' });
    expect(scenario.deployment.split).toEqual(stableAt(null));
  });
});

describe('an A/B test', () => {
  const plan = { strategy: 'ab', objective: 'better', maximumSeconds: 86_400, analysis: { intervalSeconds: 600, maximumFailureShare: 1 } } as const;

  it('goes on until the difference is significant, then promotes the better one', async () => {
    const scenario = environment.world.scenario('tested');
    scenario.window = { ...healthyWindow, requests: 200, failures: 2, fallbacks: 2, stable: { requests: 202, failures: 8 } };
    const handle = await start('tested', plan);
    await environment.temporal.sleep('2 hours');
    expect(await handle.query(rolloutStatusQuery)).toMatchObject({ state: 'running', weight: 50, lastVerdict: { verdict: 'continue' } });
    scenario.window = { ...healthyWindow, requests: 5_000, failures: 50, fallbacks: 50, stable: { requests: 5_050, failures: 200 } };
    expect(await handle.result()).toMatchObject({ kind: 'promoted' });
    expect(scenario.deployment.history).toEqual([stableAt(1), { stable: 1, canary: 2, canaryWeight: 50 }, stableAt(2)]);
  });
});
