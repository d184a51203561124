/** What a step learns from the canary and stable side by side. */
import type { RolloutAnalysis } from '../contracts/rollout-plan.ts';
import type { ServingWindow, StepVerdict } from '../contracts/rollout.ts';
import type { WalkedStep } from './rollout-steps.ts';
import { compareFailures, type Arm } from './sequential-comparison.ts';

/**
 * The requests that were stable's own. A canary that fails is stood in for by stable, which counts the request too: such requests were the canary's, and
 * inputs on which every version fails would otherwise count against stable twice.
 */
const ownOfStable = ({ failures, fallbacks }: ServingWindow, stable: Arm): Arm => {
  const requests = Math.max(0, stable.requests - failures);
  return { requests, failures: Math.min(requests, Math.max(0, stable.failures - (failures - fallbacks))) };
};

const points = (share: number): string => `${Number((share * 100).toPrecision(3))}`;

/** `pass` where nothing is compared; `continue` until the test has said anything, with what it knows so far. */
export const compareStep = (step: WalkedStep, { comparison }: Pick<RolloutAnalysis, 'comparison'>, window: ServingWindow): StepVerdict => {
  if (comparison === undefined || step.significanceShare === undefined) return { verdict: 'pass', reason: 'nothing to compare' };
  const { stable } = window;
  if (stable === undefined) return { verdict: 'continue', reason: 'no numbers of the stable version' };
  const counts = [stable.requests, stable.failures, window.requests, window.failures, window.fallbacks];
  if (!counts.every((count) => Number.isFinite(count) && count >= 0)) return { verdict: 'fail', reason: 'the numbers of the window are not valid' };
  const canary = { requests: Math.max(window.requests, window.failures), failures: window.failures };
  const alpha = comparison.significance * step.significanceShare;
  const { kind, low, high } = compareFailures(canary, ownOfStable(window, stable), { maximumDifference: comparison.maximumDifference, alpha });
  const said = `the canary's failure share less stable's is between ${points(low)} and ${points(high)} points, at most ${points(comparison.maximumDifference)} allowed`;
  if (kind === 'worse') return { verdict: 'fail', reason: said };
  const isEnough = kind === 'better' || (kind === 'noWorse' && step.mustBeBetter !== true);
  return { verdict: isEnough ? 'pass' : 'continue', reason: said };
};
