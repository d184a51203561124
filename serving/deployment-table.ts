/** What this gateway serves: per model one applied deployment, replaced as a whole. */
import type { DeploymentSnapshot, ServingCounters, ServingRole, TrafficSplit } from '../contracts/deployment.ts';
import type { ModelSignature } from '../contracts/features.ts';
import { PerennialFailure } from '../domain/failure.ts';
import type { InferenceReader } from '../domain/inference.ts';
import type { VersionMetrics } from './metrics.ts';
import type { Shadow } from './shadow-copy.ts';
import type { VersionHost } from './version-host.ts';

/** One version in its role in one generation: all that a request needs, found once and not per request. */
export type Variant = {
  model: string;
  version: number;
  role: ServingRole;
  generation: number;
  signature: ModelSignature;
  /** The same object for versions of the same signature. */
  reader: InferenceReader;
  host: VersionHost;
  counters: ServingCounters;
  metrics: VersionMetrics;
  /** JSON of the VersionLine of the prediction log. */
  logHeader: string;
};

export type AppliedDeployment = {
  /** What the control plane wants, as it came. */
  snapshot: DeploymentSnapshot;
  /** What is done: the wanted split, without the canary while that is not loaded. */
  split: TrafficSplit;
  stable: Variant | null;
  canary: Variant | null;
  /** Where copies of answered requests go; null for nearly every deployment. */
  shadow: Shadow | null;
  /** Requests that were routed by this deployment and have no answer yet. */
  inFlight: number;
  isSuperseded: boolean;
  /** Releases the versions; called once, when it is superseded and its last request is answered. */
  release(): void;
};

export type DeploymentTable = {
  get(model: string): AppliedDeployment | undefined;
  all(): AppliedDeployment[];
  /** From now on requests are routed by this deployment; the one before is released when its last request is answered. */
  put(deployment: AppliedDeployment): void;
};

/** A model is known, and no version of it can answer. */
export const notDeployed = (model: string): PerennialFailure => new PerennialFailure('ModelUnavailable', `No version of ${model} is deployed.`);

/** Marks the end of a request. */
export const leave = (deployment: AppliedDeployment): void => {
  deployment.inFlight -= 1;
  if (deployment.isSuperseded && deployment.inFlight === 0) deployment.release();
};

export const createDeploymentTable = (): DeploymentTable => {
  const byModel = new Map<string, AppliedDeployment>();
  return {
    get: (model) => byModel.get(model),
    all: () => [...byModel.values()],
    put: (deployment) => {
      const before = byModel.get(deployment.snapshot.model);
      byModel.set(deployment.snapshot.model, deployment);
      if (before === undefined) return;
      before.isSuperseded = true;
      if (before.inFlight === 0) before.release();
    },
  };
};

/** The variants that are there, stable first. */
export const variantsOf = ({ stable, canary }: AppliedDeployment): Variant[] => [stable, canary].filter((variant) => variant !== null);
