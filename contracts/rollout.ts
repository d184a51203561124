/** Rollouts: what the workflow is given, what it sees, what it says. */
import { z } from 'zod';
import type { RolloutPlan } from './rollout-plan.ts';

/** Input of the `rollout` workflow. */
export type RolloutInput = {
  model: string;
  version: number;
  plan: RolloutPlan;
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
  /** Why and since when an inconclusive step waits for somebody. */
  undecided?: { sinceMs: number; reason: string } | null;
  decisions: number;
};

/** Numbers of one analysis: the canary's counters summed over gateways since the step began. */
export type ServingWindow = {
  requests: number;
  failures: number;
  fallbacks: number;
  latencyP50Ms: number | null;
  latencyP95Ms: number | null;
  /** The stable version's own counters of the same time, where the plan compares with it; they include what it answered for the canary. */
  stable?: { requests: number; failures: number };
  /** Of a shadow, whose copies are the requests: those that were not tried, and the scored ones that differ from stable's answer. */
  shadow?: { dropped: number; differing: number; maximumDifference: number };
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
  /** A shadow that was to change nothing came to its end. */
  | { kind: 'observed'; model: string; version: number; reason: string; generation: number }
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

/** Body of the requests that steer a rollout. */
export const RolloutReason = z.strictObject({ reason: z.string().min(1).max(500).default('requested by a person') });
