/**
 * The decisions of a rollout: what a window of numbers says of a step, and which of several wishes wins.
 *
 * Precedence, when more than one holds at once: abort > breach > time to decide is up > pause > promote > timer. A person who stops it
 * always wins; a breach acts even while the rollout is paused; a pause holds back everything that would give the canary more traffic.
 * An inconclusive step pauses by itself: what comes in later does not make it pass, a person does.
 */
import type { RolloutAnalysis } from '../contracts/rollout-plan.ts';
import type { ServingWindow, StepVerdict } from '../contracts/rollout.ts';
import type { WalkedStep } from './rollout-steps.ts';
import { compareStep } from './step-comparison.ts';

/** This many failures are enough to judge the failure share, however few requests the step has seen. */
const FAILURES_THAT_SUFFICE = 5;

/** The p95 of fewer answers is nearly their maximum: one slow first answer would decide. */
const ANSWERS_FOR_LATENCY = 20;

/** What a step counts. */
const nounOf = ({ shadow }: WalkedStep): string => (shadow === undefined ? 'canary requests' : 'copies');

const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;

const isCount = (value: number): boolean => Number.isFinite(value) && value >= 0;

const differenceBreach = ({ maximumDifferingShare }: WalkedStep, { requests, failures, shadow }: ServingWindow): string | null => {
  if (maximumDifferingShare === undefined || shadow === undefined) return null;
  const scored = Math.max(requests - failures, shadow.differing);
  if (isCount(shadow.differing) && shadow.differing <= maximumDifferingShare * scored) return null;
  return `${shadow.differing} of ${scored} copies were answered differently (${percent(shadow.differing / scored)}), at most ${percent(maximumDifferingShare)} allowed`;
};

const breachOf = (step: WalkedStep, analysis: RolloutAnalysis, window: ServingWindow): string | null => {
  const { requests, failures, latencyP95Ms } = window;
  if (!isCount(requests) || !isCount(failures) || Number.isNaN(latencyP95Ms)) return 'the numbers of the window are not valid';
  // Every failure is an answer that was owed, so there are at least as many requests, however the two counters were read.
  const seen = Math.max(requests, failures);
  const share = seen === 0 ? 0 : failures / seen;
  const enough = seen >= (step.judgedFrom ?? step.minimumRequests) || failures >= FAILURES_THAT_SUFFICE;
  if (enough && share > analysis.maximumFailureShare) {
    return `${failures} of ${seen} ${nounOf(step)} failed (${percent(share)}), at most ${percent(analysis.maximumFailureShare)} allowed`;
  }
  const difference = differenceBreach(step, window);
  if (enough && difference !== null) return difference;
  const limit = analysis.maximumLatencyP95Ms;
  const enoughForLatency = seen >= Math.min(Math.max(step.minimumRequests, 1), ANSWERS_FOR_LATENCY);
  if (limit !== undefined && latencyP95Ms !== null && enoughForLatency && latencyP95Ms > limit) {
    return `the canary's p95 latency is ${latencyP95Ms} ms, at most ${limit} ms allowed`;
  }
  return null;
};

const lackOf = (step: WalkedStep, analysis: RolloutAnalysis, window: ServingWindow): string | null => {
  if (window.requests < step.minimumRequests) return `${window.requests} of ${step.minimumRequests} ${nounOf(step)} seen`;
  if (analysis.maximumLatencyP95Ms !== undefined && window.latencyP95Ms === null && step.minimumRequests > 0) return 'no canary latency measured';
  return null;
};

/**
 * Judges a step by the canary's numbers since it began. A breach is "fail" at any time; "pass" needs both the time and the requests
 * of the step; when the requests do not come within `maximumSeconds` it is "inconclusive": somebody has to decide.
 * @param elapsedMs time since the gateways acknowledged the step, pauses taken out
 */
export const judgeStep = (input: { step: WalkedStep; analysis: RolloutAnalysis; window: ServingWindow; elapsedMs: number }): StepVerdict => {
  const { step, analysis, window, elapsedMs } = input;
  const breach = breachOf(step, analysis, window);
  if (breach !== null) return { verdict: 'fail', reason: breach };
  const comparison = compareStep(step, analysis, window);
  if (comparison.verdict === 'fail') return comparison;
  if (elapsedMs < step.seconds * 1_000) return { verdict: 'continue', reason: `${Math.floor(elapsedMs / 1_000)} of ${step.seconds} s` };
  const lack = step.isByHand === true ? 'nobody said to go on' : (lackOf(step, analysis, window) ?? (comparison.verdict === 'pass' ? null : comparison.reason));
  if (lack === null) return { verdict: 'pass', reason: `${window.requests} ${nounOf(step)}, ${window.failures} failed, ${step.seconds} s` };
  if (elapsedMs >= Math.max(step.maximumSeconds, step.seconds) * 1_000) {
    return { verdict: 'inconclusive', reason: `${lack} within ${step.maximumSeconds} s` };
  }
  return { verdict: 'continue', reason: lack };
};

/** What people asked for, what the numbers say, and whether the time is up in which somebody should have decided of an inconclusive step. */
export type RolloutWishes = { abort: boolean; pause: boolean; promote: boolean; isUndecidedTooLong: boolean; verdict: StepVerdict['verdict'] };

export type RolloutAction = 'abort' | 'rollBack' | 'hold' | 'promote' | 'ask' | 'advance' | 'wait';

/** Chooses the one thing to do next: abort > breach > time to decide is up > pause > promote > timer. */
export const nextAction = ({ abort, pause, promote, isUndecidedTooLong, verdict }: RolloutWishes): RolloutAction => {
  if (abort) return 'abort';
  if (verdict === 'fail' || isUndecidedTooLong) return 'rollBack';
  if (pause) return 'hold';
  if (promote) return 'promote';
  if (verdict === 'inconclusive') return 'ask';
  return verdict === 'pass' ? 'advance' : 'wait';
};

/** The time that a step has baked: it stands still while the rollout is paused. All times in milliseconds since the epoch. */
export type BakeClock = { startedAtMs: number; pausedAtMs: number | null };

export const elapsedMs = (clock: BakeClock, nowMs: number): number => Math.max(0, (clock.pausedAtMs ?? nowMs) - clock.startedAtMs);

export const pauseClock = (clock: BakeClock, nowMs: number): BakeClock => (clock.pausedAtMs === null ? { ...clock, pausedAtMs: nowMs } : clock);

/** Moves the start by the length of the pause, so that time goes on where it stood. */
export const resumeClock = (clock: BakeClock, nowMs: number): BakeClock =>
  clock.pausedAtMs === null ? clock : { startedAtMs: clock.startedAtMs + (nowMs - clock.pausedAtMs), pausedAtMs: null };

/** Time until the window is read next: every interval, and exactly at the end of the step's time. */
export const untilNextLookMs = (step: WalkedStep, analysis: RolloutAnalysis, elapsed: number): number => {
  const intervalMs = analysis.intervalSeconds * 1_000;
  const remainingMs = step.seconds * 1_000 - elapsed;
  return Math.ceil(remainingMs > 0 ? Math.min(intervalMs, remainingMs) : intervalMs);
};
