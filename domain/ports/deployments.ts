import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { DeploymentSnapshot, ServingCounters, ServingOptions, ServingResources, TrafficSplit } from '../../contracts/deployment.ts';
import type { RefusalCount } from '../../contracts/live-inputs.ts';
import type { RolloutOutcome, ServingWindow, StepVerdict } from '../../contracts/rollout.ts';
import type { RolloutPlan } from '../../contracts/rollout-plan.ts';
import type { ShadowCounters, ShadowWindow } from '../../contracts/shadow.ts';

/**
 * Deployments, their generations and the record of rollouts. Every change raises the generation by one and tells the gateways
 * (NOTIFY). `requestId` is unique per model: a request that took effect gives its first answer again.
 */
export interface Deployments {
  /** Generation 0 and an empty split when the model was never deployed. */
  current(model: string): Promise<{ generation: number; split: TrafficSplit; rolloutId: string | null }>;
  /** Throws DeploymentConflict when the generation is not the expected one. */
  setSplit(change: { model: string; requestId: string; expectedGeneration: number; split: TrafficSplit; options: ServingOptions; rolloutId: string; reason: string }): Promise<{ generation: number }>;
  /** Promotion row, champion alias and split in one transaction. */
  promote(change: { model: string; version: number; requestId: string; expectedGeneration: number; options: ServingOptions; rolloutId: string }): Promise<{ generation: number; previous: number | null }>;
  /** Unconditional: the split becomes all stable; a champion alias that this rollout moved goes back. */
  restore(change: { model: string; requestId: string; stable: number | null; options: ServingOptions; rolloutId: string; reason: string }): Promise<{ generation: number }>;
  /** What gateways with a live lease say of a generation. */
  acknowledgements(model: string, generation: number): Promise<{ live: number; acknowledged: number; failures: { gateway: string; error: string }[] }>;
  /** Counters of one version summed over gateways, from a generation on. */
  servingWindow(model: string, version: number, fromGeneration: number): Promise<ServingWindow>;
  /** What a candidate's copies showed, summed over gateways, from a generation on. */
  shadowWindow(model: string, version: number, fromGeneration: number): Promise<ShadowWindow>;
  beginRollout(rollout: { rolloutId: string; workflowId: string; model: string; version: number; plan: RolloutPlan; requestedBy: string; runId?: string }): Promise<void>;
  recordDecision(decision: { rolloutId: string; sequence: number; step: number; weight: number; verdict: StepVerdict; window: ServingWindow | null; by?: string }): Promise<void>;
  finishRollout(rolloutId: string, outcome: RolloutOutcome): Promise<void>;
}

/** The gateway's side of the same tables. */
export interface GatewayControl {
  /** Renews the lease of this gateway process. */
  renewLease(gateway: { gatewayId: string; incarnation: string; url: string; leaseMs: number }): Promise<void>;
  /** Every deployment, with what is needed to load its versions. */
  snapshots(): Promise<DeploymentSnapshot[]>;
  acknowledge(ack: { gatewayId: string; incarnation: string; model: string; generation: number; error: string | null }): Promise<void>;
  /** Absolute upsert of cumulative counters. */
  writeCounters(gateway: { gatewayId: string; incarnation: string }, counters: ServingCounters[]): Promise<void>;
  /** Absolute upsert of what copies to candidates showed. */
  writeShadows(gateway: { gatewayId: string; incarnation: string }, shadows: ShadowCounters[]): Promise<void>;
  /** Absolute upsert of the refusals of a span. */
  writeRefusals(gateway: { gatewayId: string; incarnation: string }, refusals: RefusalCount[]): Promise<void>;
  /** Absolute upsert of what model hosts used. */
  writeResources(gateway: { gatewayId: string; incarnation: string }, resources: ServingResources[]): Promise<void>;
  /** Records a shipped segment of the prediction log; the same segment id again is the same segment. */
  recordSegment(segment: { segmentId: string; gatewayId: string; model: string; artifact: ArtifactRef; rows: number; rowsByVersion: Record<string, number>; firstAt: string; lastAt: string }): Promise<void>;
  /** Calls back after a deployment changed (LISTEN); a lost connection is opened again. Returns the way to stop. */
  listen(onChange: (model: string) => void): Promise<() => Promise<void>>;
}
