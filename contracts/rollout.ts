/** Rollouts: how a version gets its traffic, step by step. */
import { z } from 'zod';
import { LogFailurePolicy } from './deployment.ts';

/**
 * One step of a canary. `weight` is the canary's percentage. The step is judged after `seconds` at the earliest and needs
 * `minimumRequests` canary answers; when they have not come within `maximumSeconds`, the step is inconclusive, which is no.
 */
export const RolloutStep = z.strictObject({
  weight: z.number().min(1).max(100),
  seconds: z.number().min(0).max(2_592_000).default(60),
  minimumRequests: z.number().int().min(0).default(100),
  maximumSeconds: z.number().min(1).max(31_536_000).default(3_600),
});
export type RolloutStep = z.infer<typeof RolloutStep>;

/**
 * Rules of the analysis, checked every `intervalSeconds` during a step. A step fails as soon as the canary's failure share is above
 * `maximumFailureShare` with at least `minimumRequests` answers seen (or with 5 failures), or its p95 latency is above the limit.
 */
export const RolloutAnalysis = z.strictObject({
  intervalSeconds: z.number().min(0.2).max(3_600).default(5),
  maximumFailureShare: z.number().min(0).max(1).default(0.01),
  maximumLatencyP95Ms: z.number().positive().optional(),
});
export type RolloutAnalysis = z.infer<typeof RolloutAnalysis>;

const defaultSteps = [5, 25, 50, 100].map((weight) => ({ weight }));

/** The rollout part of a pipeline, and of POST /models/{m}/rollouts. */
export const RolloutSpec = z.strictObject({
  strategy: z.literal('canary').default('canary'),
  steps: z.array(RolloutStep).min(1).max(50).prefault(defaultSteps),
  analysis: RolloutAnalysis.prefault({}),
  /** A canary answer later than this counts as failed and stable answers instead, in milliseconds. */
  deadlineMs: z.number().int().min(1).max(600_000).default(1_000),
  onLogFailure: LogFailurePolicy.default('refuse'),
  /** How long a run may wait for another rollout of the model to end, in seconds. */
  queueSeconds: z.number().int().min(1).max(2_592_000).default(86_400),
});
export type RolloutSpec = z.infer<typeof RolloutSpec>;

/** Input of the `rollout` workflow. */
export type RolloutInput = {
  model: string;
  version: number;
  plan: RolloutSpec;
  /** What asked for it: a run id, or `api` with the key's name. */
  requestedBy: string;
  runId?: string;
  pipeline?: string;
  /** Carried over continue-as-new; absent at the first start. */
  resume?: RolloutResume;
};

export type RolloutResume = {
  rolloutId: string;
  previous: { stable: number | null; generation: number };
  stepIndex: number;
  generation: number;
  /** Milliseconds since the epoch (workflow time) at which the step began, pauses taken out. */
  stepStartedAtMs: number;
  paused: boolean;
  decisions: number;
};

/** Numbers of one analysis: the canary's counters summed over gateways since the step began. */
export type ServingWindow = {
  requests: number;
  failures: number;
  fallbacks: number;
  latencyP50Ms: number | null;
  latencyP95Ms: number | null;
};

export type StepVerdict =
  | { verdict: 'pass'; reason: string }
  | { verdict: 'fail'; reason: string }
  | { verdict: 'continue'; reason: string }
  | { verdict: 'inconclusive'; reason: string };

/** How a rollout ends: business endings are values, never errors. */
export type RolloutOutcome =
  | { kind: 'promoted'; model: string; version: number; generation: number; previous: number | null }
  | { kind: 'rolledBack'; model: string; version: number; reason: string; step: number; generation: number }
  | { kind: 'aborted'; model: string; version: number; reason: string; generation: number };

/** Answer of the `status` query of a rollout. */
export type RolloutStatus = {
  rolloutId: string;
  model: string;
  version: number;
  stable: number | null;
  state: 'starting' | 'running' | 'paused' | 'promoting' | 'rollingBack' | 'done';
  /** Index of the present step and the number of steps. */
  step: number;
  steps: number;
  weight: number;
  generation: number;
  stepElapsedSeconds: number;
  lastWindow: ServingWindow | null;
  lastVerdict: StepVerdict | null;
  waitingFor: string | null;
  outcome: RolloutOutcome | null;
};

/** Body of POST /api/v1/models/{m}/rollouts. */
export const StartRolloutRequest = RolloutSpec.extend({ version: z.number().int().positive() });
export const RolloutReason = z.strictObject({ reason: z.string().min(1).max(500).default('requested by a person') });
