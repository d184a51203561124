import { describe, expect, it } from 'vitest';
import { RolloutPlan, StartRolloutRequest } from '../../../contracts/rollout-plan.ts';
import { analysisOf, decisionMs, stepsOf } from '../../../domain/rollout-steps.ts';

const weights = (plan: unknown, stable: number | null = 1): number[] => stepsOf(stable, 2, RolloutPlan.parse(plan)).map(({ weight }) => weight);

describe('RolloutPlan', () => {
  it('is a canary unless it says otherwise', () => expect(RolloutPlan.parse({})).toMatchObject({ strategy: 'canary', deadlineMs: 1_000 }));
  it('refuses a field of another strategy', () => expect(RolloutPlan.safeParse({ strategy: 'allAtOnce', steps: [] }).success).toBe(false));
  it('refuses a strategy that is none', () => expect(RolloutPlan.safeParse({ strategy: 'yolo' }).success).toBe(false));
  it('starts with a version, whatever its strategy', () => {
    expect(StartRolloutRequest.parse({ version: 2 })).toMatchObject({ strategy: 'canary', version: 2 });
    expect(StartRolloutRequest.parse({ version: 2, strategy: 'blueGreen' })).toMatchObject({ keepWarmSeconds: 600 });
    expect(StartRolloutRequest.safeParse({ strategy: 'allAtOnce' }).success).toBe(false);
  });
});

describe('stepsOf', () => {
  it.each([
    ['the plan against a stable version', {}, [5, 25, 50, 100]],
    ['all traffic at once', { strategy: 'allAtOnce' }, [100]],
    ['a preview without traffic, then the switch', { strategy: 'blueGreen' }, [0, 100]],
    ['copies only', { strategy: 'shadow' }, [0]],
    ['a fixed share', { strategy: 'ab' }, [50]],
  ])('walks %s', (_name, plan, expected) => expect(weights(plan)).toEqual(expected));
  it.each([{}, { strategy: 'allAtOnce' }, { strategy: 'blueGreen' }, { strategy: 'ab' }, { strategy: 'shadow', then: 'promote' }])('goes straight to all traffic for a first version: %j', (plan) => {
    expect(stepsOf(null, 1, RolloutPlan.parse(plan))).toMatchObject([{ weight: 100, seconds: 0, minimumRequests: 0 }]);
  });
  it('compares in an A/B test, whatever the plan says of it', () => {
    const plan = RolloutPlan.parse({ strategy: 'ab', objective: 'better' });
    expect(stepsOf(1, 2, plan)).toMatchObject([{ significanceShare: 1, mustBeBetter: true }]);
    expect(analysisOf(plan).comparison).toEqual({ maximumDifference: 0.01, significance: 0.05 });
  });
  it('has nothing to walk for the stable version itself', () => expect(stepsOf(2, 2, RolloutPlan.parse({}))).toEqual([]));
  it('never passes a preview by hand by itself', () => {
    expect(stepsOf(1, 2, RolloutPlan.parse({ strategy: 'blueGreen', switch: 'byHand' }))).toMatchObject([{ isByHand: true, isPreview: true }, { seconds: 600 }]);
  });
});

it('a plan from before there was a time to decide has none', () => {
  const { decisionSeconds: _none, ...old } = analysisOf(RolloutPlan.parse({}));
  expect(decisionMs(old)).toBe(0);
  expect(decisionMs(analysisOf(RolloutPlan.parse({})))).toBe(3_600_000);
});
