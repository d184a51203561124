import { ApplicationFailure } from '@temporalio/common';
import { WorkflowUpdateFailedError, type WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { abortUpdate, pauseUpdate, promoteUpdate, resumeUpdate, rolloutStatusQuery } from '../../contracts/messages.ts';
import { MonitorSpec } from '../../contracts/monitor.ts';
import { runStatusQuery } from '../../contracts/messages.ts';
import { stableAt } from './support/deployments.ts';
import type { Environment } from './support/environment.ts';
import { replayedEnvironment } from './support/replayed-environment.ts';
import { modelPipeline, rolloutInput, rolloutPlan, runInput } from './support/specs.ts';
import { healthyWindow } from './support/world.ts';

const word = { by: 'grace', reason: 'because' };
const says = { args: [word] as [typeof word] };

let environment: Environment;
replayedEnvironment((started) => {
  environment = started;
});

/** When the workflow ended by its own history: the server's clock skips on while its answer is on the way to the client. */
const closedAtMs = async (workflowId: string): Promise<number> => {
  const { closeTime } = await environment.client.workflow.getHandle(workflowId).describe();
  if (closeTime === undefined) throw new Error(`${workflowId} is open`);
  return closeTime.getTime();
};

/**
 * Lets a second pass, which it can only when no activity is under way. The test server, unlike the real one, loses a workflow task that
 * cancels an activity in the very moment in which it ends.
 */
const quiet = (): Promise<void> => environment.temporal.sleep('1s');

const refusalOf = async (update: Promise<unknown>): Promise<unknown> => {
  const error = await update.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
  return (error as WorkflowUpdateFailedError).cause;
};

const continuations = async (handle: WorkflowHandleWithFirstExecutionRunId): Promise<number> => {
  let count = 0;
  let runId: string | null | undefined = handle.firstExecutionRunId;
  while (runId) {
    const { events } = await environment.client.workflow.getHandle(handle.workflowId, runId).fetchHistory();
    runId = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
    if (runId) count += 1;
  }
  return count;
};

describe('a rollout', () => {
  it('judges each step after its time, and its end starts the monitor', async () => {
    const overrides = { monitorSpecOf: async () => ({ pipeline: 'steady', spec: MonitorSpec.parse({}) }) };
    const scenario = environment.world.scenario('steady', { overrides });
    const handle = await environment.startRollout(rolloutInput('steady'));
    const rolloutId = `steady.${handle.firstExecutionRunId}`;
    expect(await handle.result()).toEqual({ kind: 'promoted', model: 'steady', version: 2, generation: 4, previous: 1 });
    expect([...scenario.deployment.requests.keys()]).toEqual([`${rolloutId}:step:0`, `${rolloutId}:step:1`, `${rolloutId}:promote`]);
    expect(scenario.decisions.map(({ step, weight, verdict }) => [step, weight, verdict.verdict])).toEqual([[0, 10, 'pass'], [1, 100, 'pass']]);
    expect(scenario.monitors).toEqual([{ version: 2 }]);
    expect(scenario.rolloutEnds).toMatchObject([{ kind: 'promoted' }]);
    expect(await handle.query(rolloutStatusQuery)).toMatchObject({ state: 'done', outcome: { kind: 'promoted' } });
  });

  it('of a first version goes straight to all traffic, without waiting for requests that cannot come', async () => {
    const scenario = environment.world.scenario('newborn', { stable: null });
    scenario.window = { ...healthyWindow, requests: 0, latencyP50Ms: null, latencyP95Ms: null };
    const handle = await environment.startRollout(rolloutInput('newborn', { version: 1 }));
    expect(await handle.result()).toMatchObject({ kind: 'promoted', previous: null });
    expect(scenario.deployment.history).toEqual([stableAt(null), { stable: null, canary: 1, canaryWeight: 100 }, stableAt(1)]);
  });

  it('of a first version that no gateway can load leaves nothing served', async () => {
    const awaitGateways = async () => Promise.reject(ApplicationFailure.nonRetryable('not an ONNX file', 'GatewayLoadFailed'));
    const scenario = environment.world.scenario('stillborn', { stable: null, overrides: { awaitGateways } });
    const handle = await environment.startRollout(rolloutInput('stillborn', { version: 1 }));
    expect(await handle.result()).toMatchObject({ kind: 'rolledBack', reason: 'GatewayLoadFailed: not an ONNX file' });
    expect(scenario.deployment).toMatchObject({ split: stableAt(null), champion: null });
  });

  it('of the version that is stable already only says so', async () => {
    const scenario = environment.world.scenario('same', { stable: 2 });
    expect(await (await environment.startRollout(rolloutInput('same'))).result()).toMatchObject({ kind: 'promoted', previous: 2 });
    expect(scenario.calls).not.toContain('shiftTraffic');
  });

  it('fails for a version that is not there, before anything moved', async () => {
    const prepareRollout = async () => Promise.reject(ApplicationFailure.nonRetryable('lost has no version 2', 'ModelVersionNotFound'));
    const scenario = environment.world.scenario('lost', { overrides: { prepareRollout } });
    const handle = await environment.startRollout(rolloutInput('lost'));
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'ModelVersionNotFound', message: 'lost has no version 2' } });
    expect(scenario.calls).toEqual(['prepareRollout']);
  });
});

describe('somebody else moved the deployment', () => {
  it('their newer decision stands: the rollout steps aside and overwrites nothing', async () => {
    const scenario = environment.world.scenario('contested');
    const handle = await environment.startRollout(rolloutInput('contested'));
    await environment.temporal.sleep('20s');
    scenario.deployment.split = stableAt(7);
    scenario.deployment.generation += 1;
    expect(await handle.result()).toMatchObject({ kind: 'aborted', reason: 'DeploymentConflict: generation 3 is not 2' });
    expect(scenario.deployment.split).toEqual(stableAt(7));
    expect(scenario.calls).not.toContain('restoreTraffic');
  });

  it('also when it happens just before the promotion', async () => {
    const promote = async () => Promise.reject(ApplicationFailure.nonRetryable('generation 9 is not 3', 'DeploymentConflict'));
    const scenario = environment.world.scenario('raced', { overrides: { promote } });
    expect(await (await environment.startRollout(rolloutInput('raced'))).result()).toMatchObject({ kind: 'aborted' });
    expect(scenario.calls).not.toContain('restoreTraffic');
    expect(scenario.rolloutEnds).toMatchObject([{ kind: 'aborted' }]);
  });
});

describe('what people say', () => {
  it('abort puts all traffic back at once, and its record names the person', async () => {
    const scenario = environment.world.scenario('aborted');
    const handle = await environment.startRollout(rolloutInput('aborted'));
    await environment.temporal.sleep('40s');
    await handle.executeUpdate(abortUpdate, says);
    expect(await handle.result()).toMatchObject({ kind: 'aborted', reason: 'aborted by grace: because' });
    expect(scenario.deployment.split).toEqual(stableAt(1));
    expect(scenario.decisions).toMatchObject([{ step: 0, by: 'grace', verdict: { reason: 'aborted by grace: because' } }]);
  });

  it('pause stops the clock of the step, and resume goes on where it stood', async () => {
    environment.world.scenario('paused');
    const handle = await environment.startRollout(rolloutInput('paused'));
    await environment.temporal.sleep('40s');
    await handle.executeUpdate(pauseUpdate, says);
    await environment.temporal.sleep('20 minutes');
    const paused = await handle.query(rolloutStatusQuery);
    expect(paused).toMatchObject({ state: 'paused', step: 0, weight: 10, waitingFor: 'somebody to resume it' });
    expect(paused.stepElapsedSeconds).toBeGreaterThanOrEqual(39);
    expect(paused.stepElapsedSeconds).toBeLessThan(60);
    await handle.executeUpdate(resumeUpdate, says);
    const startedAtMs = await environment.temporal.currentTimeMs();
    expect(await handle.result()).toMatchObject({ kind: 'promoted' });
    // 20 s of the first step were left, and the 60 s of the second.
    expect((await closedAtMs(handle.workflowId)) - startedAtMs).toBeLessThan(100_000);
  });

  it('a breach acts although the rollout is paused', async () => {
    const scenario = environment.world.scenario('paused-breach');
    const handle = await environment.startRollout(rolloutInput('paused-breach'));
    await environment.temporal.sleep('10s');
    await handle.executeUpdate(pauseUpdate, says);
    scenario.window = { ...healthyWindow, failures: 500 };
    expect(await handle.result()).toMatchObject({ kind: 'rolledBack', step: 0 });
    expect(scenario.deployment.split).toEqual(stableAt(1));
  });

  it('promote skips what is left, once the present split is acknowledged', async () => {
    const scenario = environment.world.scenario('hurried');
    const handle = await environment.startRollout(rolloutInput('hurried'));
    await environment.temporal.sleep('10s');
    await handle.executeUpdate(promoteUpdate, says);
    expect(await handle.result()).toMatchObject({ kind: 'promoted', generation: 3 });
    expect(scenario.deployment.history.at(-1)).toEqual(stableAt(2));
  });

  it('promote does not win over a breach', async () => {
    const scenario = environment.world.scenario('hurried-breach');
    const handle = await environment.startRollout(rolloutInput('hurried-breach'));
    await environment.temporal.sleep('10s');
    scenario.window = { ...healthyWindow, failures: 500 };
    await handle.executeUpdate(promoteUpdate, says);
    expect(await handle.result()).toMatchObject({ kind: 'rolledBack' });
  });

  it('is refused when it can change nothing', async () => {
    environment.world.scenario('refusing');
    const handle = await environment.startRollout(rolloutInput('refusing'));
    await environment.temporal.sleep('10s');
    expect(await refusalOf(handle.executeUpdate(resumeUpdate, says))).toMatchObject({ type: 'RolloutNotRunning', message: 'the rollout is not paused' });
    await handle.executeUpdate(pauseUpdate, says);
    expect(await refusalOf(handle.executeUpdate(promoteUpdate, says))).toMatchObject({ message: 'the rollout is paused: resume it first' });
    await quiet();
    await handle.executeUpdate(abortUpdate, says);
    expect(await handle.result()).toMatchObject({ kind: 'aborted' });
  });

  it('a cancel puts all traffic back, and the workflow ends as cancelled', async () => {
    const scenario = environment.world.scenario('cancelled');
    const handle = await environment.startRollout(rolloutInput('cancelled'));
    await environment.temporal.sleep('90s');
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow('cancelled');
    expect((await handle.describe()).status.name).toBe('CANCELLED');
    expect(scenario.deployment.split).toEqual(stableAt(1));
    expect(scenario.rolloutEnds).toMatchObject([{ kind: 'aborted', reason: 'the rollout was cancelled' }]);
  });

  it('cancelled outside of its run, it fails the run, which says where traffic is', async () => {
    const scenario = environment.world.scenario('cut-off');
    const handle = await environment.startRun(runInput(modelPipeline('cut-off')));
    await environment.temporal.sleep('30s');
    expect(await handle.query(runStatusQuery)).toMatchObject({ step: 'rollout', waitingFor: 'the rollout of version 2' });
    await environment.client.workflow.getHandle('rollout/cut-off').cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'Internal' } });
    expect(scenario.deployment.split).toEqual(stableAt(1));
  });
});

describe('a long rollout', () => {
  const plan = rolloutPlan({ steps: [{ weight: 50, seconds: 12_600, minimumRequests: 1 }], analysis: { intervalSeconds: 60 } });

  it('continues as new in the middle of a step: same step, same elapsed time, one shift', async () => {
    const scenario = environment.world.scenario('patient');
    const handle = await environment.startRollout(rolloutInput('patient', { plan }));
    const startedAtMs = await environment.temporal.currentTimeMs();
    expect(await handle.result()).toMatchObject({ kind: 'promoted' });
    const hours = ((await closedAtMs(handle.workflowId)) - startedAtMs) / 3_600_000;
    expect(await continuations(handle)).toBeGreaterThanOrEqual(1);
    expect(hours).toBeGreaterThanOrEqual(3.5);
    expect(hours).toBeLessThan(3.7);
    expect(scenario.calls.filter((name) => name === 'shiftTraffic').length).toBe(1);
    expect(scenario.deployment).toMatchObject({ generation: 3, split: stableAt(2) });
  });

  it('stays paused over it, keeps its clock, and takes words after it', async () => {
    const scenario = environment.world.scenario('patient-paused');
    const handle = await environment.startRollout(rolloutInput('patient-paused', { plan }));
    const latest = environment.client.workflow.getHandle(handle.workflowId);
    await environment.temporal.sleep('1 hour');
    await latest.executeUpdate(pauseUpdate, says);
    await environment.temporal.sleep('150 minutes');
    expect(await continuations(handle)).toBeGreaterThanOrEqual(1);
    const status = await latest.query(rolloutStatusQuery);
    expect(status).toMatchObject({ state: 'paused', step: 0, weight: 50, generation: 2 });
    expect(status.stepElapsedSeconds).toBeGreaterThanOrEqual(3_599);
    expect(status.stepElapsedSeconds).toBeLessThan(3_700);
    await latest.executeUpdate(abortUpdate, says);
    expect(await handle.result()).toMatchObject({ kind: 'aborted' });
    expect(scenario.deployment.split).toEqual(stableAt(1));
    expect(scenario.decisions.map(({ by }) => by)).toEqual(['grace', 'grace']);
  });
});
