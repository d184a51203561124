/** The steps that a plan walks: every strategy is steps of one kind, so that one walk, one judge and one undo serve them all. */
import type { AbPlan, BlueGreenPlan, CanaryPlan, RolloutAnalysis, RolloutPlan, RolloutStep, ShadowPlan } from '../contracts/rollout-plan.ts';
import type { ShadowSettings } from '../contracts/shadow.ts';

/** A step as it is walked. Its weight may be 0: the version is loaded and warm and only a path that names it reaches it. */
export type WalkedStep = RolloutStep & {
  /** What it is called in the Web UI's search attribute. */
  stage: string;
  /** Requests from which the failure share is judged; those that it needs to pass, unless said. */
  judgedFrom?: number;
  /** The part of the significance that this step may use up, if it compares the canary with stable: without traffic on both sides nothing is compared. */
  significanceShare?: number;
  /** It passes only when the canary surely fails less often than stable. */
  mustBeBetter?: true;
  /** Copies of requests go to the version. */
  shadow?: ShadowSettings;
  /** Largest share of copies whose answers may differ. */
  maximumDifferingShare?: number;
  /** A preview: `promote` ends this step, not the rollout. */
  isPreview?: true;
  /** It never passes by itself. */
  isByHand?: true;
};

/** All traffic, as soon as the gateways have loaded the version. */
const straight = (stage: string): WalkedStep => ({ weight: 100, seconds: 0, minimumRequests: 0, maximumSeconds: 1, stage });

/** Neither step of blue-green needs requests to pass, and one failed request of one is no failure share. */
const BLUE_GREEN_JUDGED_FROM = 100;

const blueGreenSteps = ({ preview, keepWarmSeconds, switch: how }: BlueGreenPlan): WalkedStep[] => [
  { weight: 0, ...preview, judgedFrom: BLUE_GREEN_JUDGED_FROM, stage: 'preview', isPreview: true, ...(how === 'byHand' ? { isByHand: true } : {}) },
  { weight: 100, seconds: keepWarmSeconds, minimumRequests: 0, maximumSeconds: Math.max(1, keepWarmSeconds), judgedFrom: BLUE_GREEN_JUDGED_FROM, stage: 'switched, the version before is kept warm' },
];

const shadowStep = ({ percent, tolerance, seconds, minimumRequests, maximumSeconds, maximumDifferingShare }: ShadowPlan): WalkedStep => {
  const limit = maximumDifferingShare === undefined ? {} : { maximumDifferingShare };
  return { weight: 0, seconds, minimumRequests, maximumSeconds, stage: `shadow ${percent} %`, shadow: { percent, tolerance }, ...limit };
};

const abStep = ({ weight, objective, seconds, minimumRequests, maximumSeconds }: AbPlan): WalkedStep => {
  const better = objective === 'better' ? { mustBeBetter: true as const } : {};
  return { weight, seconds, minimumRequests, maximumSeconds, stage: `A/B ${weight} %`, significanceShare: 1, ...better };
};

/** True for a plan that only looks: at its end everything is served as before. */
export const isObservation = (plan: RolloutPlan): boolean => plan.strategy === 'shadow' && plan.then === 'end';

const canarySteps = ({ steps, analysis }: CanaryPlan): WalkedStep[] => {
  const isCompared = ({ weight }: RolloutStep): boolean => analysis.comparison !== undefined && weight < 100;
  // A wrong verdict of any step is one of the rollout, so that the steps share the significance (Bonferroni).
  const significanceShare = 1 / steps.filter(isCompared).length;
  return steps.map((step) => ({ ...step, stage: `canary ${step.weight} %`, ...(isCompared(step) ? { significanceShare } : {}) }));
};

/**
 * The steps that a version walks. A first deployment has nothing to compare with and nothing to fall back to, so it goes
 * straight to all traffic as soon as the gateways have loaded it; a version that is already stable has no step to walk.
 */
export const stepsOf = (stable: number | null, version: number, plan: RolloutPlan): WalkedStep[] => {
  if (stable === version) return [];
  if (stable === null) return isObservation(plan) ? [] : [straight('first deployment')];
  if (plan.strategy === 'allAtOnce') return [straight('all at once')];
  if (plan.strategy === 'shadow') return [shadowStep(plan)];
  if (plan.strategy === 'ab') return [abStep(plan)];
  return plan.strategy === 'blueGreen' ? blueGreenSteps(plan) : canarySteps(plan);
};

/** For a plan that judges nothing: a look that cannot fail. */
const NO_ANALYSIS: RolloutAnalysis = { intervalSeconds: 5, maximumFailureShare: 1, decisionSeconds: 0 };

/** The rules by which the steps of a plan are judged. */
export const analysisOf = (plan: RolloutPlan): RolloutAnalysis => (plan.strategy === 'allAtOnce' ? NO_ANALYSIS : plan.analysis);

/** How long an inconclusive step waits for a person, in milliseconds; 0 for a rollout that began before there was such a time. */
export const decisionMs = ({ decisionSeconds }: Partial<RolloutAnalysis>): number => (decisionSeconds ?? 0) * 1_000;
