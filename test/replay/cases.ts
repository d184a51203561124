/**
 * The histories of the corpus: each case drives one workflow through one way to end, on the time-skipping server with stub activities. The corpus
 * stands for the executions that are open while a new version of the code is deployed.
 */
import { ApplicationFailure } from '@temporalio/common';
import { abortUpdate, approveUpdate, championChangedSignal, pauseUpdate, promoteUpdate, resumeUpdate } from '../../contracts/messages.ts';
import { MonitorSpec, type MonitorInput } from '../../contracts/monitor.ts';
import type { RunPresence } from '../../contracts/schedule.ts';
import type { Trigger, TriggerKind } from '../../contracts/trigger.ts';
import { evaluationReport, monitorWindow } from '../workflows/support/artifacts.ts';
import type { Environment } from '../workflows/support/environment.ts';
import { modelPipeline, rolloutInput, rolloutPlan, runInput, stepsPipeline, strategyPlan } from '../workflows/support/specs.ts';
import { alertCases } from './alert-cases.ts';
import { searchCases } from './search-cases.ts';

type Execution = { workflowId: string; runId: string };

/** Drives a workflow in a scenario of this name, and says which execution it was. */
export type Case = (environment: Environment, name: string) => Promise<Execution>;

type Started = { workflowId: string; firstExecutionRunId: string; result: () => Promise<unknown> };

const word: { args: [{ by: string; reason: string }] } = { args: [{ by: 'grace', reason: 'because' }] };

const executionOf = ({ workflowId, firstExecutionRunId }: Started): Execution => ({ workflowId, runId: firstExecutionRunId });

const toTheEnd = async (handle: Started): Promise<Execution> => {
  await handle.result().catch(() => undefined);
  return executionOf(handle);
};

const runOf = (environment: Environment, name: string, changes: Parameters<typeof modelPipeline>[1] = {}) =>
  environment.startRun(runInput(modelPipeline(name, changes)));

export const pipelineRunCases = {
  'pipelineRun-steps': async (environment, name) => toTheEnd(await environment.startRun(runInput(stepsPipeline(name, 3)))),
  'pipelineRun-promoted': async (environment, name) => toTheEnd(await runOf(environment, name)),
  'pipelineRun-reproduced': async (environment, name) => toTheEnd(await environment.startRun(runInput(modelPipeline(name), { trigger: { kind: 'manual', id: 'again', reason: 'a test', reproduces: { model: name, version: 1 } } }))),
  'pipelineRun-rejected': async (environment, name) => {
    environment.world.scenario(name, { overrides: { evaluate: async () => ({ ...evaluationReport, rows: 3 }) } });
    return toTheEnd(await runOf(environment, name, { gates: [{ kind: 'rows', min: 100 }] }));
  },
  'pipelineRun-crashed': async (environment, name) => {
    const train = async () => Promise.reject(ApplicationFailure.retryable('killed', 'TrainerCrashed'));
    environment.world.scenario(name, { overrides: { train } });
    return toTheEnd(await runOf(environment, name));
  },
  'pipelineRun-approved': async (environment, name) => {
    const handle = await runOf(environment, name, { gates: [{ kind: 'approval' }] });
    await environment.temporal.sleep('1 day');
    await handle.executeUpdate(approveUpdate, { args: [{ by: 'ada', comment: '' }] });
    return toTheEnd(handle);
  },
  'pipelineRun-cancelled': async (environment, name) => {
    const handle = await runOf(environment, name);
    await environment.temporal.sleep('30 seconds');
    await handle.cancel();
    return toTheEnd(handle);
  },
  'pipelineRun-queued': async (environment, name) => {
    environment.world.scenario(`${name}-model`);
    const running = await environment.startRollout(rolloutInput(`${name}-model`));
    environment.world.scenario(name, { overrides: { register: async () => ({ model: `${name}-model`, version: 3 }) } });
    const execution = await toTheEnd(await runOf(environment, name, { model: `${name}-model` }));
    await running.result();
    return execution;
  },
} satisfies Record<string, Case>;

export const rolloutCases = {
  'rollout-promoted': async (environment, name) => {
    environment.world.scenario(name, { overrides: { monitorSpecOf: async () => ({ pipeline: name, spec: MonitorSpec.parse({}) }) } });
    return toTheEnd(await environment.startRollout(rolloutInput(name)));
  },
  'rollout-rolledBack': async (environment, name) => {
    const scenario = environment.world.scenario(name);
    scenario.window = { ...scenario.window, failures: 900 };
    return toTheEnd(await environment.startRollout(rolloutInput(name)));
  },
  'rollout-aborted': async (environment, name) => {
    const handle = await environment.startRollout(rolloutInput(name));
    await environment.temporal.sleep('40 seconds');
    await handle.executeUpdate(abortUpdate, word);
    return toTheEnd(handle);
  },
  'rollout-paused': async (environment, name) => {
    const handle = await environment.startRollout(rolloutInput(name));
    await environment.temporal.sleep('10 seconds');
    await handle.executeUpdate(pauseUpdate, word);
    await environment.temporal.sleep('2 minutes');
    await handle.executeUpdate(resumeUpdate, word);
    await environment.temporal.sleep('5 seconds');
    await handle.executeUpdate(promoteUpdate, word);
    return toTheEnd(handle);
  },
  'rollout-continued': async (environment, name) => {
    const scenario = environment.world.scenario(name);
    scenario.deployment.generation = 2;
    const resume = { rolloutId: `${name}.first`, previous: { stable: 1, generation: 1 }, stepIndex: 0, generation: 2, stepStartedAtMs: await environment.temporal.currentTimeMs(), paused: false, decisions: 1 };
    return toTheEnd(await environment.startRollout(rolloutInput(name, { resume })));
  },
  'rollout-blueGreen': async (environment, name) => {
    const plan = strategyPlan({ strategy: 'blueGreen', switch: 'byHand', preview: { seconds: 10 }, keepWarmSeconds: 60, analysis: { intervalSeconds: 30 } });
    const handle = await environment.startRollout(rolloutInput(name, { plan }));
    await environment.temporal.sleep('1 minute');
    await handle.executeUpdate(promoteUpdate, word);
    return toTheEnd(handle);
  },
  'rollout-inconclusive': async (environment, name) => {
    const scenario = environment.world.scenario(name);
    scenario.window = { ...scenario.window, requests: 3 };
    return toTheEnd(await environment.startRollout(rolloutInput(name, { plan: rolloutPlan({ analysis: { intervalSeconds: 60, decisionSeconds: 180 } }) })));
  },
  'rollout-shadow': async (environment, name) => {
    const scenario = environment.world.scenario(name);
    scenario.window = { ...scenario.window, shadow: { dropped: 0, differing: 3, maximumDifference: 0.5 } };
    return toTheEnd(await environment.startRollout(rolloutInput(name, { plan: strategyPlan({ strategy: 'shadow', seconds: 60, analysis: { intervalSeconds: 30 } }) })));
  },
  'rollout-ab': async (environment, name) => {
    const scenario = environment.world.scenario(name);
    scenario.window = { ...scenario.window, requests: 5_000, stable: { requests: 5_000, failures: 10 } };
    return toTheEnd(await environment.startRollout(rolloutInput(name, { plan: strategyPlan({ strategy: 'ab', seconds: 60, analysis: { intervalSeconds: 30 } }) })));
  },
  'rollout-compared': async (environment, name) => {
    const scenario = environment.world.scenario(name);
    scenario.window = { ...scenario.window, requests: 5_000, stable: { requests: 20_000, failures: 10 } };
    return toTheEnd(await environment.startRollout(rolloutInput(name, { plan: rolloutPlan({ analysis: { intervalSeconds: 30, comparison: {} } }) })));
  },
} satisfies Record<string, Case>;

const monitorOf = (environment: Environment, name: string, resume?: MonitorInput['resume']) =>
  environment.startMonitor({ model: name, pipeline: name, version: 1, spec: MonitorSpec.parse({ everySeconds: 1_800 }), resume });

/** Monitors and ledgers have no end of their own. */
const end = async (environment: Environment, handle: Started): Promise<Execution> => {
  await environment.temporal.sleep('2 hours');
  await environment.client.workflow.getHandle(handle.workflowId).terminate();
  return executionOf(handle);
};

export const modelMonitorCases = {
  'modelMonitor-drifted': async (environment, name) => {
    const evaluateMonitorWindows = async () => ({ nextWindow: 1, changed: [monitorWindow(0, 1, { drifted: true, driftScore: 0.5 })] });
    environment.world.scenario(name, { overrides: { evaluateMonitorWindows } });
    return end(environment, await monitorOf(environment, name));
  },
  'modelMonitor-changed': async (environment, name) => {
    const handle = await monitorOf(environment, name);
    await environment.temporal.sleep('45 minutes');
    await handle.signal(championChangedSignal, { version: 2, pipeline: name, spec: MonitorSpec.parse({ everySeconds: 3_600 }) });
    return end(environment, handle);
  },
  'modelMonitor-alerted': async (environment, name) => {
    const evaluateMonitorWindows = async ({ nextWindow }: { nextWindow: number }) => ({ nextWindow: nextWindow + 1, changed: [monitorWindow(nextWindow, 1, { drifted: nextWindow === 1, driftScore: 0.5 })] });
    environment.world.scenario(name, { overrides: { evaluateMonitorWindows } });
    return end(environment, await monitorOf(environment, name));
  },
  'modelMonitor-continued': async (environment, name) => end(environment, await monitorOf(environment, name, { nextWindow: 400, windowsReported: ['3/drift'] })),
} satisfies Record<string, Case>;

const trigger = (kind: TriggerKind, id: string): Trigger => ({ id, kind, reason: 'a test', at: '2026-01-01T00:00:00.000Z', source: 'a test' });

const resumed = (inFlight: { runId: string; triggerId: string } | null, next: Trigger[]) => ({ recentIds: [], pending: [], inFlight, next, lastAutomaticRunAtMs: null });

export const pipelineTriggersCases = {
  'pipelineTriggers-ran': async (environment, name) => {
    environment.world.scenario(name, { spec: modelPipeline(name, { triggers: { drift: true } }) });
    const handle = await environment.startLedger({ pipeline: name });
    for (const id of ['a', 'b', 'c']) await environment.submitTrigger(name, trigger('drift', id));
    await environment.temporal.sleep('1 minute');
    await environment.submitTrigger(name, trigger('manual', 'd'));
    return end(environment, handle);
  },
  'pipelineTriggers-rejected': async (environment, name) => {
    const handle = await environment.startLedger({ pipeline: name });
    await environment.submitTrigger(name, trigger('manual', 'a'));
    return end(environment, handle);
  },
  'pipelineTriggers-continued': async (environment, name) => {
    const spec = modelPipeline(name, { gates: [{ kind: 'approval', expiresSeconds: 60 }] });
    environment.world.scenario(name, { spec });
    const run = runInput(spec);
    await environment.startRun(run);
    return end(environment, await environment.startLedger({ pipeline: name, resume: resumed({ runId: run.runId, triggerId: 'x' }, [trigger('data', 'y')]) }));
  },
} satisfies Record<string, Case>;

const tick = (environment: Environment, name: string) => environment.startTick({ pipeline: name, schedule: 'default', timeZone: 'UTC', once: 'perInstant' }, '2026-01-05T06:00:00Z');

const tickTo = (environment: Environment, name: string, presences: RunPresence[]) => {
  const resolutions = ['pending', 'run'] as const;
  let [asked, looked] = [0, 0];
  const resolveTrigger = async () => (resolutions[asked++] === 'run' ? { kind: 'run' as const, runId: `${name}.one`, own: true } : { kind: 'pending' as const });
  const runPresence = async () => presences[Math.min(looked++, presences.length - 1)] ?? 'open';
  return environment.world.scenario(name, { overrides: { resolveTrigger, runPresence } });
};

export const scheduledTriggerCases = {
  'scheduledTrigger-ran': async (environment, name) => {
    tickTo(environment, name, ['open', 'open', 'ended']);
    return toTheEnd(await tick(environment, name));
  },
  'scheduledTrigger-failed': async (environment, name) => {
    tickTo(environment, name, ['open', 'failed']);
    return toTheEnd(await tick(environment, name));
  },
  'scheduledTrigger-rejected': async (environment, name) => {
    environment.world.scenario(name, { overrides: { resolveTrigger: async () => ({ kind: 'rejected', reason: 'a test' }) } });
    return toTheEnd(await tick(environment, name));
  },
  'scheduledTrigger-cancelled': async (environment, name) => {
    tickTo(environment, name, [...Array.from({ length: 12 }, () => 'open' as const), 'cancelled']);
    const handle = await tick(environment, name);
    await environment.temporal.sleep('10 seconds');
    await handle.cancel();
    return toTheEnd(handle);
  },
} satisfies Record<string, Case>;

export const cases: Record<string, Case> = { ...pipelineRunCases, ...rolloutCases, ...modelMonitorCases, ...pipelineTriggersCases, ...scheduledTriggerCases, ...alertCases, ...searchCases };
