/** A deployment: what the gateways serve for a model. */
import { z } from 'zod';
import { ArtifactRef } from './artifact.ts';
import { ModelSignature } from './features.ts';
import { ShadowSettings } from './shadow.ts';

/** Role of a version in a deployment. */
export const ServingRole = z.enum(['stable', 'canary']);
export type ServingRole = z.infer<typeof ServingRole>;

/**
 * Absolute traffic split. `stable` is null while the model has never been deployed (or was withdrawn).
 * `canaryWeight` is the percentage of requests that the canary gets, 0 to 100; the stable version gets the rest
 * and stays loaded even at 100, because a failing canary answer falls back to it.
 */
export const TrafficSplit = z.strictObject({
  stable: z.number().int().positive().nullable(),
  canary: z.number().int().positive().nullable(),
  canaryWeight: z.number().min(0).max(100),
});
export type TrafficSplit = z.infer<typeof TrafficSplit>;

/** What a gateway does when its prediction log cannot be written. */
export const LogFailurePolicy = z.enum(['refuse', 'answer']);
export type LogFailurePolicy = z.infer<typeof LogFailurePolicy>;

/** One version as a gateway needs it: the bytes to load and their signature. */
export const ServedVersion = z.object({
  version: z.number().int().positive(),
  model: ArtifactRef,
  signature: ModelSignature,
});
export type ServedVersion = z.infer<typeof ServedVersion>;

/**
 * The atomic snapshot that a gateway applies: a higher generation replaces a lower one, all of it or nothing.
 * `salt` enters the sticky hash: a rollout keeps one, so that a key that is on the canary stays there while its weight grows.
 * `deadlineMs` bounds a canary answer before the gateway falls back to stable. With `shadow` the canary gets copies of requests that stable answered.
 */
export const DeploymentSnapshot = z.object({
  model: z.string(),
  generation: z.number().int().nonnegative(),
  split: TrafficSplit,
  salt: z.string(),
  deadlineMs: z.number().int().positive(),
  onLogFailure: LogFailurePolicy,
  shadow: ShadowSettings.optional(),
  versions: z.array(ServedVersion),
});
export type DeploymentSnapshot = z.infer<typeof DeploymentSnapshot>;

/** Serving behaviour that a split carries to the gateways. */
export type ServingOptions = { salt: string; deadlineMs: number; onLogFailure: LogFailurePolicy; shadow?: ShadowSettings };

/** The channel on which PostgreSQL tells gateways that a deployment changed; the payload is the model's name. */
export const DEPLOYMENT_CHANNEL = 'perennial_deployment';

/** Upper bounds of the latency buckets, in milliseconds; one more bucket counts everything slower. */
export const LATENCY_BUCKETS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];

/**
 * Counters of one version at one gateway process in one generation, cumulative since that process first served it in
 * that generation: writing them twice changes nothing. `latency` has LATENCY_BUCKETS_MS.length + 1 counts of answers given by this
 * version; `failures` are answers that this version owed and did not give (error, deadline, host lost), whether or not stable
 * answered instead; `unlogged` are answers given without a log record (policy "answer").
 */
export const ServingCounters = z.object({
  model: z.string(),
  version: z.number().int(),
  generation: z.number().int(),
  role: ServingRole,
  requests: z.number().int(),
  failures: z.number().int(),
  fallbacks: z.number().int(),
  unlogged: z.number().int(),
  latency: z.array(z.number().int()),
});
export type ServingCounters = z.infer<typeof ServingCounters>;

/** What the hosts of one version at one gateway process used on one day (UTC, YYYY-MM-DD), cumulative: writing it twice changes nothing. */
export type ServingResources = { model: string; version: number; day: string; cpuSeconds: number; memoryGibSeconds: number; peakMemoryBytes: number };
