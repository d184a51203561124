/** How a version gets its traffic: the one type of plan, told apart by its strategy. */
import { z } from 'zod';
import { LogFailurePolicy } from './deployment.ts';
import { ShadowSettings } from './shadow.ts';

const MONTH_SECONDS = 2_592_000;
const YEAR_SECONDS = 31_536_000;

const seconds = z.number().min(0).max(MONTH_SECONDS);
const minimumRequests = z.number().int().min(0);
const maximumSeconds = z.number().min(1).max(YEAR_SECONDS).default(3_600);

/**
 * One step of a canary. `weight` is the canary's percentage. The step is judged after `seconds` at the earliest and needs
 * `minimumRequests` canary answers; when they have not come within `maximumSeconds`, the step is inconclusive.
 */
export const RolloutStep = z.strictObject({
  weight: z.number().min(1).max(100),
  seconds: seconds.default(60),
  minimumRequests: minimumRequests.default(100),
  maximumSeconds,
});
export type RolloutStep = z.infer<typeof RolloutStep>;

/**
 * The canary against stable, at the same time. A step fails when the canary's failure share is surely above stable's by more than `maximumDifference`, and passes
 * only when it is surely not; `significance` bounds the chance of a wrong verdict in the whole rollout, however often it is looked at.
 */
export const RolloutComparison = z.strictObject({
  maximumDifference: z.number().min(0.0001).max(1).default(0.01),
  significance: z.number().min(0.0001).max(0.5).default(0.05),
});
export type RolloutComparison = z.infer<typeof RolloutComparison>;

/**
 * Rules of the analysis, checked every `intervalSeconds` during a step. A step fails as soon as the canary's failure share is above
 * `maximumFailureShare` with at least `minimumRequests` answers seen (or with 5 failures), or its p95 latency is above the limit.
 * An inconclusive step is paused at its weight for `decisionSeconds`, in which a person may resume, promote or abort it; then it is
 * rolled back. It is never promoted by itself.
 */
export const RolloutAnalysis = z.strictObject({
  intervalSeconds: z.number().min(0.2).max(3_600).default(5),
  maximumFailureShare: z.number().min(0).max(1).default(0.01),
  maximumLatencyP95Ms: z.number().positive().optional(),
  comparison: RolloutComparison.optional(),
  decisionSeconds: seconds.default(3_600),
});
export type RolloutAnalysis = z.infer<typeof RolloutAnalysis>;

/** What every plan has. */
const common = {
  /** A canary answer later than this counts as failed and stable answers instead, in milliseconds. */
  deadlineMs: z.number().int().min(1).max(600_000).default(1_000),
  onLogFailure: LogFailurePolicy.default('refuse'),
  /** How long a run may wait for another rollout of the model to end, in seconds. */
  queueSeconds: z.number().int().min(1).max(MONTH_SECONDS).default(86_400),
};

const defaultSteps = [5, 25, 50, 100].map((weight) => ({ weight }));

/** Traffic grows in steps, each judged. The strategy of a plan that names none. */
export const CanaryPlan = z.strictObject({
  strategy: z.literal('canary').optional().default('canary'),
  steps: z.array(RolloutStep).min(1).max(50).prefault(defaultSteps),
  analysis: RolloutAnalysis.prefault({}),
  ...common,
});
export type CanaryPlan = z.infer<typeof CanaryPlan>;

/** All traffic as soon as every gateway has loaded the version; nothing is judged. */
export const AllAtOncePlan = z.strictObject({ strategy: z.literal('allAtOnce'), ...common });

/**
 * The version is loaded and warm on every gateway without traffic, where a path that names it previews it; then all traffic moves
 * in one generation, and the version before stays warm for `keepWarmSeconds`, so that going back is one generation that loads nothing.
 * `preview.minimumRequests` counts requests that named the version. With `switch: byHand` the preview ends by `promote` only.
 */
export const BlueGreenPlan = z.strictObject({
  strategy: z.literal('blueGreen'),
  preview: z.strictObject({ seconds: seconds.default(60), minimumRequests: minimumRequests.default(0), maximumSeconds }).prefault({}),
  switch: z.enum(['automatic', 'byHand']).default('automatic'),
  keepWarmSeconds: seconds.default(600),
  analysis: RolloutAnalysis.prefault({}),
  ...common,
});
export type BlueGreenPlan = z.infer<typeof BlueGreenPlan>;

/**
 * Copies of a share of the requests go to the version after their answers have been sent; nobody gets its answers, which are compared with
 * stable's and counted. `minimumRequests` counts copies. It fails as any step does, and, where that is said, as soon as more than `maximumDifferingShare` of the
 * copies differ. At its end nothing is served differently, unless it says `then: promote`.
 */
export const ShadowPlan = z.strictObject({
  strategy: z.literal('shadow'),
  percent: ShadowSettings.shape.percent.default(10),
  tolerance: ShadowSettings.shape.tolerance.default(0.000_001),
  seconds: seconds.default(600),
  minimumRequests: minimumRequests.default(100),
  maximumSeconds,
  maximumDifferingShare: z.number().min(0).max(1).optional(),
  then: z.enum(['end', 'promote']).default('end'),
  analysis: RolloutAnalysis.prefault({}),
  ...common,
});
export type ShadowPlan = z.infer<typeof ShadowPlan>;

/**
 * Both versions get a fixed share of the requests, each key (header x-perennial-key) always the same version, until the comparison of their failure
 * shares has said something: `notWorse` promotes the version when it surely fails no more often than allowed, `better` only when it surely fails less often than stable.
 */
export const AbPlan = z.strictObject({
  strategy: z.literal('ab'),
  weight: z.number().min(1).max(99).default(50),
  objective: z.enum(['notWorse', 'better']).default('notWorse'),
  seconds: seconds.default(600),
  minimumRequests: minimumRequests.default(100),
  maximumSeconds: z.number().min(1).max(YEAR_SECONDS).default(604_800),
  analysis: RolloutAnalysis.extend({ comparison: RolloutComparison.prefault({}) }).prefault({}),
  ...common,
});
export type AbPlan = z.infer<typeof AbPlan>;

/** The rollout part of a pipeline. */
export const RolloutPlan = z.discriminatedUnion('strategy', [CanaryPlan, AllAtOncePlan, BlueGreenPlan, ShadowPlan, AbPlan]);
export type RolloutPlan = z.infer<typeof RolloutPlan>;

const withVersion = { version: z.number().int().positive() };

/** Body of POST /api/v1/models/{m}/rollouts: a plan and the version that it is for. */
export const StartRolloutRequest = z.discriminatedUnion('strategy', [CanaryPlan.extend(withVersion), AllAtOncePlan.extend(withVersion), BlueGreenPlan.extend(withVersion), ShadowPlan.extend(withVersion), AbPlan.extend(withVersion)]);
