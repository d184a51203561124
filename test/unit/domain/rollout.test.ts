import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ServingWindow, StepVerdict } from '../../../contracts/rollout.ts';
import {
  elapsedMs, judgeStep, nextAction, pauseClock, resumeClock, untilNextLookMs, type BakeClock, type RolloutAction,
} from '../../../domain/rollout.ts';

const step = { weight: 10, seconds: 60, minimumRequests: 100, maximumSeconds: 600, stage: 'a test' };
const analysis = { intervalSeconds: 5, maximumFailureShare: 0.01, maximumLatencyP95Ms: 50, decisionSeconds: 0 };
const healthy: ServingWindow = { requests: 200, failures: 0, fallbacks: 0, latencyP50Ms: 2, latencyP95Ms: 9 };
const judge = (window: Partial<ServingWindow>, seconds: number, changes = {}): StepVerdict['verdict'] =>
  judgeStep({ step: { ...step, ...changes }, analysis, window: { ...healthy, ...window }, elapsedMs: seconds * 1_000 }).verdict;

describe('judgeStep', () => {
  it.each([
    ['healthy, before its time', {}, 59, 'continue'],
    ['healthy, at its time', {}, 60, 'pass'],
    ['too few requests', { requests: 99 }, 60, 'continue'],
    ['too few requests for too long', { requests: 99 }, 600, 'inconclusive'],
    ['failures exactly at the share', { requests: 1_000, failures: 10 }, 60, 'pass'],
    ['failures above the share, at once', { requests: 200, failures: 3 }, 1, 'fail'],
    ['one failure of few requests', { requests: 10, failures: 1 }, 1, 'continue'],
    ['five failures of few requests', { requests: 10, failures: 5 }, 1, 'fail'],
    ['more failures than requests', { requests: 0, failures: 5 }, 1, 'fail'],
    ['slow, at once', { latencyP95Ms: 51 }, 1, 'fail'],
    ['slow first answer', { requests: 1, latencyP95Ms: 900 }, 1, 'continue'],
    ['no latency although there is a limit', { latencyP95Ms: null }, 60, 'continue'],
    ['no latency for too long', { latencyP95Ms: null }, 600, 'inconclusive'],
    ['numbers that are none', { requests: Number.NaN }, 60, 'fail'],
    ['negative numbers', { failures: -1 }, 60, 'fail'],
    ['latency that is no number', { latencyP95Ms: Number.NaN }, 60, 'fail'],
  ] as const)('%s', (_name, window, seconds, verdict) => expect(judge(window, seconds)).toBe(verdict));

  it('a step without time and requests passes at once', () => {
    expect(judge({ requests: 0, latencyP95Ms: null }, 0, { seconds: 0, minimumRequests: 0 })).toBe('pass');
  });

  it('maximumSeconds shorter than seconds does not cut the step', () => {
    expect(judge({ requests: 0 }, 30, { maximumSeconds: 10 })).toBe('continue');
  });

  it('never passes a breach, whatever the numbers', () => {
    const count = fc.oneof(fc.nat(10_000), fc.constant(Number.NaN), fc.integer());
    fc.assert(
      fc.property(count, count, fc.double(), fc.nat(2_000), (requests, failures, latencyP95Ms, seconds) => {
        if (judge({ requests, failures, latencyP95Ms }, seconds) !== 'pass') return;
        expect(failures / requests).toBeLessThanOrEqual(0.01);
        expect(latencyP95Ms).toBeLessThanOrEqual(50);
        expect(requests).toBeGreaterThanOrEqual(100);
        expect(seconds).toBeGreaterThanOrEqual(60);
      }),
    );
  });
});

describe('the bake clock', () => {
  it('counts the time outside of pauses, whatever their order', () => {
    const event = fc.record({ kind: fc.constantFrom('pause', 'resume', 'tick'), afterMs: fc.nat(10_000) });
    fc.assert(
      fc.property(fc.array(event), (events) => {
        let clock: BakeClock = { startedAtMs: 1_000, pausedAtMs: null };
        let nowMs = 1_000;
        let expected = 0;
        for (const { kind, afterMs } of events) {
          if (clock.pausedAtMs === null) expected += afterMs;
          nowMs += afterMs;
          if (kind === 'pause') clock = pauseClock(clock, nowMs);
          if (kind === 'resume') clock = resumeClock(clock, nowMs);
          expect(elapsedMs(clock, nowMs)).toBe(expected);
        }
      }),
    );
  });

  it('looks every interval, and exactly at the end of the time of the step', () => {
    expect(untilNextLookMs(step, analysis, 0)).toBe(5_000);
    expect(untilNextLookMs(step, analysis, 58_000)).toBe(2_000);
    expect(untilNextLookMs(step, analysis, 60_000)).toBe(5_000);
  });
});

describe('precedence: abort > breach > time to decide is up > pause > promote > timer', () => {
  const wishes = fc.record({
    abort: fc.boolean(),
    pause: fc.boolean(),
    promote: fc.boolean(),
    isUndecidedTooLong: fc.boolean(),
    verdict: fc.constantFrom<StepVerdict['verdict']>('pass', 'fail', 'continue', 'inconclusive'),
  });

  it('holds for every combination', () => {
    fc.assert(
      fc.property(wishes, (wish) => {
        const action = nextAction(wish);
        if (wish.abort) expect(action).toBe('abort');
        else if (wish.verdict === 'fail' || wish.isUndecidedTooLong) expect(action).toBe('rollBack');
        else if (wish.pause) expect(action).toBe('hold');
        else if (wish.promote) expect(action).toBe('promote');
        else expect(action).toBe({ pass: 'advance', inconclusive: 'ask', continue: 'wait', fail: 'rollBack' }[wish.verdict]);
      }),
    );
  });

  /** A rollout of three steps as the workflow drives it: words set flags, looks decide. */
  type Message = 'abort' | 'pause' | 'resume' | 'promote' | { look: StepVerdict['verdict'] };
  type Model = { abort: boolean; pause: boolean; promote: boolean; step: number; end: RolloutAction | null; trace: string[] };

  const take = (model: Model, message: Message): void => {
    if (model.end !== null) return;
    if (message === 'abort') model.abort = true;
    else if (message === 'pause') Object.assign(model, { pause: true, promote: false });
    else if (message === 'resume') model.pause = false;
    else if (message === 'promote') model.promote ||= !model.pause;
    const verdict = typeof message === 'object' ? message.look : 'continue';
    const action = nextAction({ abort: model.abort, pause: model.pause, promote: model.promote, isUndecidedTooLong: false, verdict });
    if (action === 'ask') model.pause = true;
    model.trace.push(action);
    if (action === 'advance') model.step += 1;
    const isOver = action === 'abort' || action === 'rollBack' || action === 'promote' || model.step === 3;
    if (isOver) model.end = model.step === 3 ? 'promote' : action;
  };

  it('over random interleavings: a promotion follows no abort, no breach, and no pause that still holds', () => {
    const look = fc.constantFrom<StepVerdict['verdict']>('pass', 'fail', 'continue', 'inconclusive').map((verdict) => ({ look: verdict }));
    const message = fc.oneof(fc.constantFrom<Message>('abort', 'pause', 'resume', 'promote'), look);
    fc.assert(
      fc.property(fc.array(message, { maxLength: 40 }), (messages) => {
        const model: Model = { abort: false, pause: false, promote: false, step: 0, end: null, trace: [] };
        for (const next of messages) {
          const before = { ...model };
          take(model, next);
          if (before.end !== null) expect(model).toEqual(before);
          if (model.step > before.step) expect(model.abort || model.pause).toBe(false);
          if (model.end === 'promote' && before.end === null) {
            expect(model.abort || model.pause).toBe(false);
            expect(typeof next === 'object' && next.look === 'fail').toBe(false);
          }
          if (typeof next === 'object' && next.look === 'fail' && before.end === null) expect(['abort', 'rollBack']).toContain(model.end);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
