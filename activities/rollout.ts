/** Steps of a rollout. Every change of traffic carries a request id, so doing it again is the same change. */
import type { RolloutActivities } from '../contracts/activities.ts';
import type { ServingWindow } from '../contracts/rollout.ts';
import { PerennialFailure } from '../domain/failure.ts';
import type { Deployments } from '../domain/ports/deployments.ts';
import type { FaultPoints } from '../domain/ports/fault-points.ts';
import type { ModelRegistry, VersionRecord } from '../domain/ports/model-registry.ts';
import type { Pipelines } from '../domain/ports/monitoring.ts';
import type { WorkflowControl } from '../domain/ports/workflow-control.ts';
import { awaitGateways } from './await-gateways.ts';
import { reportFinishedRollout, type ReportPorts } from './alert-reports.ts';
import { effect } from './boundary.ts';

export type RolloutPorts = ReportPorts & {
  deployments: Deployments;
  registry: ModelRegistry;
  pipelines: Pipelines;
  workflows: WorkflowControl;
  faults: FaultPoints;
};

type Input<Name extends keyof RolloutActivities> = Parameters<RolloutActivities[Name]>[0];

const requireVersion = async (registry: ModelRegistry, model: string, version: number): Promise<VersionRecord> => {
  const record = await registry.version(model, version);
  if (record !== undefined) return record;
  throw new PerennialFailure('ModelVersionNotFound', `${model} has no version ${version}`);
};

const prepareRollout = async ({ registry, deployments }: RolloutPorts, input: Input<'prepareRollout'>) => {
  await requireVersion(registry, input.model, input.version);
  await deployments.beginRollout(input);
  const { generation, split } = await deployments.current(input.model);
  return { stable: split.stable, generation };
};

const monitorSpecOf = async ({ registry, pipelines }: RolloutPorts, { model, version }: Input<'monitorSpecOf'>) => {
  const { lineage } = await requireVersion(registry, model, version);
  const spec = await pipelines.version(lineage.pipeline, lineage.pipelineVersion);
  return spec?.kind === 'model' && spec.monitor !== undefined ? { pipeline: lineage.pipeline, spec: spec.monitor } : null;
};

/** Reads only, so that reading again is harmless. */
const readServingWindow = async ({ deployments }: RolloutPorts, { model, version, generation, against, isShadow }: Input<'readServingWindow'>): Promise<ServingWindow> => {
  if (isShadow === true) {
    const { copies, dropped, failures, differing, maximumDifference, latencyP50Ms, latencyP95Ms } = await deployments.shadowWindow(model, version, generation);
    return { requests: copies, failures, fallbacks: 0, latencyP50Ms, latencyP95Ms, shadow: { dropped, differing, maximumDifference } };
  }
  const window = await deployments.servingWindow(model, version, generation);
  if (against === undefined) return window;
  const { requests, failures } = await deployments.servingWindow(model, against, generation);
  return { ...window, stable: { requests, failures } };
};

const finishRollout = async (ports: RolloutPorts, { rolloutId, outcome }: Input<'finishRollout'>): Promise<void> => {
  await ports.deployments.finishRollout(rolloutId, outcome);
  await reportFinishedRollout(ports, { rolloutId, outcome });
};

/** The changes of traffic; after each the process may die before it can say so, which fault tests do at these points. */
const trafficActivities = ({ deployments, faults }: RolloutPorts): Pick<RolloutActivities, 'shiftTraffic' | 'promote' | 'restoreTraffic'> => ({
  shiftTraffic: effect(async (input: Input<'shiftTraffic'>) => {
    const answer = await deployments.setSplit({ ...input, reason: 'step of a rollout' });
    faults.reach('shift-traffic.after-commit');
    return answer;
  }),
  promote: effect(async (input: Input<'promote'>) => {
    const answer = await deployments.promote(input);
    faults.reach('promote.after-commit');
    return answer;
  }),
  restoreTraffic: effect(async (input: Input<'restoreTraffic'>) => {
    const answer = await deployments.restore({ ...input, reason: 'undo of a rollout' });
    faults.reach('restore-traffic.after-commit');
    return answer;
  }),
});

export const createRolloutActivities = (ports: RolloutPorts): RolloutActivities => ({
  prepareRollout: effect((input: Input<'prepareRollout'>) => prepareRollout(ports, input)),
  ...trafficActivities(ports),
  awaitGateways: effect((input: Input<'awaitGateways'>) => awaitGateways(ports.deployments, input)),
  readServingWindow: effect((input: Input<'readServingWindow'>) => readServingWindow(ports, input)),
  recordRolloutDecision: effect((input: Input<'recordRolloutDecision'>) => ports.deployments.recordDecision(input)),
  finishRollout: effect((input: Input<'finishRollout'>) => finishRollout(ports, input)),
  startMonitor: effect((input: Input<'startMonitor'>) => ports.workflows.startMonitor(input)),
  monitorSpecOf: effect((input: Input<'monitorSpecOf'>) => monitorSpecOf(ports, input)),
});
