/** A deployment table in memory, with the promises of the real one: compare-and-set, request ids, one promotion per request. */
import { ApplicationFailure } from '@temporalio/common';
import type { TrafficSplit } from '../../../contracts/deployment.ts';

export type Deployment = {
  generation: number;
  split: TrafficSplit;
  champion: number | null;
  promotions: { version: number; requestId: string }[];
  /** Request ids in the order in which they took effect, with the generation that each made. */
  requests: Map<string, number>;
  /** Every split that was served, in order. */
  history: TrafficSplit[];
};

export const stableAt = (version: number | null): TrafficSplit => ({ stable: version, canary: null, canaryWeight: 0 });

export const createDeployment = (stable: number | null): Deployment => ({
  generation: stable === null ? 0 : 1,
  split: stableAt(stable),
  champion: stable,
  promotions: [],
  requests: new Map(),
  history: [stableAt(stable)],
});

const apply = (deployment: Deployment, requestId: string, split: TrafficSplit): { generation: number } => {
  deployment.generation += 1;
  deployment.split = split;
  deployment.history.push(split);
  deployment.requests.set(requestId, deployment.generation);
  return { generation: deployment.generation };
};

const once = (deployment: Deployment, requestId: string, act: () => { generation: number }): { generation: number } => {
  const done = deployment.requests.get(requestId);
  return done === undefined ? act() : { generation: done };
};

const requireGeneration = (deployment: Deployment, expected: number): void => {
  if (deployment.generation === expected) return;
  const message = `generation ${deployment.generation} is not ${expected}`;
  throw ApplicationFailure.nonRetryable(message, 'DeploymentConflict');
};

export const shift = (deployment: Deployment, change: { requestId: string; expectedGeneration: number; split: TrafficSplit }): { generation: number } =>
  once(deployment, change.requestId, () => {
    requireGeneration(deployment, change.expectedGeneration);
    return apply(deployment, change.requestId, change.split);
  });

export const promote = (
  deployment: Deployment,
  change: { requestId: string; expectedGeneration: number; version: number },
): { generation: number; previous: number | null } => {
  const previous = deployment.champion;
  const done = once(deployment, change.requestId, () => {
    requireGeneration(deployment, change.expectedGeneration);
    deployment.champion = change.version;
    deployment.promotions.push({ version: change.version, requestId: change.requestId });
    return apply(deployment, change.requestId, stableAt(change.version));
  });
  return { ...done, previous };
};

export const restore = (deployment: Deployment, change: { requestId: string; stable: number | null }): { generation: number } =>
  once(deployment, change.requestId, () => {
    deployment.champion = change.stable;
    return apply(deployment, change.requestId, stableAt(change.stable));
  });
