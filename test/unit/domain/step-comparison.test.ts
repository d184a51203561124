import { describe, expect, it } from 'vitest';
import { RolloutPlan } from '../../../contracts/rollout-plan.ts';
import type { ServingWindow } from '../../../contracts/rollout.ts';
import { judgeStep } from '../../../domain/rollout.ts';
import { analysisOf, stepsOf } from '../../../domain/rollout-steps.ts';

const plan = RolloutPlan.parse({ analysis: { maximumFailureShare: 1, comparison: { maximumDifference: 0.02 } } });
const steps = stepsOf(1, 2, plan);
const window: ServingWindow = { requests: 2_000, failures: 0, fallbacks: 0, latencyP50Ms: 2, latencyP95Ms: 9, stable: { requests: 10_000, failures: 5 } };

const judge = (changes: Partial<ServingWindow>, place = 0, seconds = 60) =>
  judgeStep({ step: steps[place] as (typeof steps)[number], analysis: analysisOf(plan), window: { ...window, ...changes }, elapsedMs: seconds * 1_000 });

it('the steps with traffic on both sides share the significance', () => {
  expect(steps.map(({ significanceShare }) => significanceShare)).toEqual([1 / 3, 1 / 3, 1 / 3, undefined]);
});

describe('a step that compares', () => {
  it('passes when the canary is surely no worse', () => expect(judge({})).toMatchObject({ verdict: 'pass' }));
  it('fails at once when it is surely worse', () => {
    expect(judge({ failures: 200, fallbacks: 200 }, 0, 1)).toMatchObject({ verdict: 'fail', reason: expect.stringMatching(/between 7\.\d+ and 13 points, at most 2 allowed/) as string });
  });
  it('waits while neither is sure, and is inconclusive in the end', () => {
    expect(judge({ requests: 150 })).toMatchObject({ verdict: 'continue' });
    expect(judge({ requests: 150 }, 0, 3_600)).toMatchObject({ verdict: 'inconclusive' });
  });
  it('waits without numbers of stable', () => {
    const { stable: _none, ...alone } = window;
    expect(judgeStep({ step: steps[0] as (typeof steps)[number], analysis: analysisOf(plan), window: alone, elapsedMs: 3_600_000 })).toMatchObject({ verdict: 'inconclusive' });
  });
  it('fails on numbers that are none', () => expect(judge({ stable: { requests: Number.NaN, failures: 0 } })).toMatchObject({ verdict: 'fail' }));
  it('does not count against stable what it failed at in place of the canary', () => {
    // Both fail on 5 % of the inputs: at 50 % of the traffic stable counts every failure of the canary too.
    expect(judge({ requests: 10_000, failures: 500, fallbacks: 0, stable: { requests: 10_500, failures: 1_000 } }, 2)).toMatchObject({ verdict: 'pass' });
    // The canary fails on 5 %, all of which stable can answer.
    expect(judge({ requests: 10_000, failures: 500, fallbacks: 500, stable: { requests: 10_500, failures: 0 } }, 2)).toMatchObject({ verdict: 'fail' });
  });
  it('may have to be better, not only no worse', () => {
    const better = { ...(steps[0] as (typeof steps)[number]), mustBeBetter: true as const };
    const verdictOf = (failures: number) => judgeStep({ step: better, analysis: analysisOf(plan), window: { ...window, stable: { requests: 10_000, failures } }, elapsedMs: 60_000 }).verdict;
    expect(verdictOf(20)).toBe('continue');
    expect(verdictOf(500)).toBe('pass');
  });
  it('looks at the canary alone when stable has no traffic', () => expect(judge({ failures: 1_000 }, 3)).toMatchObject({ verdict: 'pass' }));
});
