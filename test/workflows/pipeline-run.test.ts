import { ApplicationFailure } from '@temporalio/common';
import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { approveUpdate, rejectUpdate, runStatusQuery } from '../../contracts/messages.ts';
import type { CheckReport } from '../../contracts/check-report.ts';
import type { Reproduction } from '../../contracts/reproduction.ts';
import { checkReport, datasetVersion, evaluationReport, featureSet, trainedModel } from './support/artifacts.ts';
import type { Environment } from './support/environment.ts';
import { replayedEnvironment } from './support/replayed-environment.ts';
import { stableAt } from './support/deployments.ts';
import { modelPipeline, rolloutInput, rolloutPlan, runInput, stepsPipeline } from './support/specs.ts';

let environment: Environment;
replayedEnvironment((started) => {
  environment = started;
});

const failureOf = async (ending: Promise<unknown>): Promise<ApplicationFailure> => {
  const error = await ending.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(WorkflowFailedError);
  return (error as WorkflowFailedError).cause as ApplicationFailure;
};

describe('a steps pipeline', () => {
  it('is one activity per step and nothing else', async () => {
    const scenario = environment.world.scenario('chain');
    const input = runInput(stepsPipeline('chain', 7));
    const handle = await environment.startRun(input);
    expect(await handle.result()).toEqual({ kind: 'succeeded' });
    expect(scenario.calls).toEqual(Array(7).fill('noop'));
    expect(scenario.ends.get(input.runId)).toMatchObject({ state: 'succeeded', outcome: { kind: 'succeeded' } });
    const { events } = await handle.fetchHistory();
    expect(events?.filter((event) => event.timerStartedEventAttributes)).toEqual([]);
  });

  it('fails with the code of the step that failed', async () => {
    const noop = async () => Promise.reject(ApplicationFailure.nonRetryable('broken on purpose', 'DiskFull'));
    const scenario = environment.world.scenario('broken', { overrides: { noop } });
    const input = runInput(stepsPipeline('broken', 3));
    const failure = await failureOf((await environment.startRun(input)).result());
    expect(failure).toMatchObject({ type: 'DiskFull', message: 'broken on purpose' });
    expect(scenario.ends.get(input.runId)).toMatchObject({ state: 'failed', failure: { code: 'DiskFull' } });
  });
});

describe('a run that repeats a version', () => {
  const repeat = async (name: string, changes: object = {}) => {
    const compareReproduction = async (_input: unknown, proceed: () => Promise<Reproduction>) => ({ ...(await proceed()), ...changes });
    const scenario = environment.world.scenario(name, { overrides: { compareReproduction } });
    const input = runInput(modelPipeline(name), { trigger: { kind: 'manual', id: 'again', reason: 'a test', reproduces: { model: name, version: 1 } } });
    const outcome = await (await environment.startRun(input)).result();
    return { outcome, scenario };
  };
  const model = { what: 'model', recorded: 'a'.repeat(64), repeated: 'b'.repeat(64) };

  it('trains on the recorded data, compares, and changes nothing', async () => {
    const { outcome, scenario } = await repeat('again');
    expect(outcome).toMatchObject({ kind: 'succeeded', version: 1, reproduction: { identical: true } });
    expect(scenario.calls).toEqual(['loadRecord', 'features', 'train', 'compareReproduction', 'finishRun']);
  });

  it('is rejected with the first thing that differs', async () => {
    const { outcome } = await repeat('other', { identical: false, differences: [{ what: 'package lightgbm', recorded: '4.5.0', repeated: '4.6.0' }, model], largestDifference: 0.25 });
    expect(outcome).toMatchObject({ kind: 'rejected', reasons: ['package lightgbm was 4.5.0, is 4.6.0', expect.stringMatching(/^model was a/), 'predictions of the held-out rows differ by at most 0.25'] });
  });

  it('of a training that was resumed is compared by predictions', async () => {
    const { outcome } = await repeat('resumed', { identical: false, resumed: true, differences: [model], largestDifference: 0.125 });
    expect(outcome).toMatchObject({ kind: 'succeeded', reproduction: { identical: false, largestDifference: 0.125 } });
  });
});

describe('a model pipeline', () => {
  it('goes from data to a promoted version', async () => {
    const scenario = environment.world.scenario('flights');
    const input = runInput(modelPipeline('flights'));
    const handle = await environment.startRun(input);
    expect(await handle.result()).toMatchObject({ kind: 'succeeded', model: 'flights', version: 2, rollout: { kind: 'promoted', previous: 1 } });
    expect(scenario.calls.slice(0, 8)).toEqual(['ingest', 'check', 'features', 'train', 'evaluate', 'recordStep', 'register', 'recordStep']);
    expect(scenario.calls.at(-1)).toBe('finishRun');
    expect(scenario.deployment.history).toEqual([
      stableAt(1),
      { stable: 1, canary: 2, canaryWeight: 10 },
      { stable: 1, canary: 2, canaryWeight: 100 },
      stableAt(2),
    ]);
    expect(scenario.ends.get(input.runId)).toMatchObject({ state: 'succeeded' });
    const { typedSearchAttributes } = await handle.describe();
    const attributes = Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
    expect(attributes).toMatchObject({ PerennialPipeline: 'flights', PerennialModel: 'flights', PerennialStage: 'rollout', PerennialOutcome: 'succeeded', PerennialTrigger: 'manual' });
  });

  it('ends as rejected, a value, when a gate says no', async () => {
    const evaluate = async () => ({ ...evaluationReport, candidate: { ...evaluationReport.candidate, rocAuc: null } });
    const scenario = environment.world.scenario('refused', { overrides: { evaluate } });
    const input = runInput(modelPipeline('refused'));
    expect(await (await environment.startRun(input)).result()).toEqual({ kind: 'rejected', reasons: ['threshold rocAuc: rocAuc was not measured'] });
    expect(scenario.calls).not.toContain('register');
    expect(scenario.steps.get('gate')).toMatchObject({ state: 'succeeded', output: { passed: false } });
    expect(scenario.ends.get(input.runId)).toMatchObject({ state: 'rejected', outcome: { kind: 'rejected' } });
    expect(scenario.deployment.split).toEqual(stableAt(1));
  });

  it('fails when the data fails its checks', async () => {
    const result = { check: 'rowCount', table: 'flights', passed: false, severity: 'error' as const, failingRows: 1, rows: 0, share: 0, message: 'no rows', examples: [] };
    const report: CheckReport = { ...checkReport, passed: false, failed: 1, results: [result] };
    environment.world.scenario('dirty', { overrides: { check: async () => report } });
    const failure = await failureOf((await environment.startRun(runInput(modelPipeline('dirty')))).result());
    expect(failure).toMatchObject({ type: 'DataChecksFailed', message: '1 of 2 checks failed: flights: no rows' });
  });

  it('rolls back what fails live, and says so as a value', async () => {
    const scenario = environment.world.scenario('fragile');
    scenario.window = { ...scenario.window, failures: 100, fallbacks: 100 };
    const input = runInput(modelPipeline('fragile'));
    expect(await (await environment.startRun(input)).result()).toMatchObject({ kind: 'rolledBack', version: 2, rollout: { kind: 'rolledBack', step: 0 } });
    expect(scenario.deployment.split).toEqual(stableAt(1));
    expect(scenario.ends.get(input.runId)).toMatchObject({ state: 'rolledBack' });
  });
});

describe('training', () => {
  const crash = ApplicationFailure.retryable('killed by the kernel', 'TrainerCrashed');

  it('is tried three times when the trainer crashes, and then fails as TrainerFailed', async () => {
    const record = { code: 'TrainerCrashed', message: 'killed by the kernel', fix: '', logTail: ['out of memory'] };
    const train = async () => Promise.reject(ApplicationFailure.create({ message: record.message, type: 'TrainerCrashed', nonRetryable: false, details: [record] }));
    const scenario = environment.world.scenario('crashing', { overrides: { train } });
    const input = runInput(modelPipeline('crashing'));
    expect(await failureOf((await environment.startRun(input)).result())).toMatchObject({ type: 'TrainerFailed' });
    expect(scenario.calls.filter((name) => name === 'train').length).toBe(3);
    expect(scenario.ends.get(input.runId)?.failure).toMatchObject({ code: 'TrainerFailed', logTail: ['out of memory'] });
  });

  it('goes on after interruptions and lost attempts, however many', async () => {
    let attempts = 0;
    const train = async (_input: unknown, proceed: () => Promise<typeof trainedModel>) => {
      attempts += 1;
      if (attempts === 5) throw crash;
      if (attempts <= 12) throw ApplicationFailure.retryable('spot instance', 'TrainerInterrupted');
      return proceed();
    };
    environment.world.scenario('interrupted', { overrides: { train } });
    expect(await (await environment.startRun(runInput(modelPipeline('interrupted')))).result()).toMatchObject({ kind: 'succeeded' });
    expect(attempts).toBe(13);
  });

  it('waits for a worker of its pool, says for which, and ends as NoWorkerInPool', async () => {
    const scenario = environment.world.scenario('wants-gpu');
    const train = { trainer: 'lightgbm' as const, pool: 'gpu', scheduleToStartSeconds: 1 };
    const input = runInput(modelPipeline('wants-gpu', { train }));
    const handle = await environment.startRun(input);
    await expect.poll(() => handle.query(runStatusQuery), { timeout: 10_000 }).toMatchObject({ step: 'train', pool: 'gpu' });
    const failure = await failureOf(handle.result());
    expect(failure).toMatchObject({ type: 'NoWorkerInPool', message: 'no worker of the pool "gpu" took the step "train" in time' });
    expect(scenario.ends.get(input.runId)).toMatchObject({ state: 'failed', failure: { code: 'NoWorkerInPool' } });
  });
});

describe('approval', () => {
  const gates = [{ kind: 'approval' as const, expiresSeconds: 30 * 86_400 }];

  it('waits for weeks, takes one answer, and refuses answers that nobody asked for', async () => {
    const scenario = environment.world.scenario('approved');
    const handle = await environment.startRun(runInput(modelPipeline('approved', { gates })));
    await environment.temporal.sleep('20 days');
    expect(await handle.query(runStatusQuery)).toMatchObject({ step: 'gate', waitingForApproval: true });
    await handle.executeUpdate(approveUpdate, { args: [{ by: 'ada', comment: 'looks right' }] });
    expect(await handle.result()).toMatchObject({ kind: 'succeeded' });
    expect(scenario.steps.get('gate')?.output).toMatchObject({ passed: true, gates: [{ gate: 'approval', passed: true, reason: 'approved by ada: looks right' }] });
  });

  it('refuses an answer while the gate does not wait', async () => {
    const gpu = { trainer: 'lightgbm' as const, pool: 'gpu', scheduleToStartSeconds: 1 };
    environment.world.scenario('too-early');
    const handle = await environment.startRun(runInput(modelPipeline('too-early', { gates, train: gpu })));
    const answer = handle.executeUpdate(approveUpdate, { args: [{ by: 'ada', comment: '' }] });
    const error = await answer.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
    expect((error as WorkflowUpdateFailedError).cause).toMatchObject({ type: 'RunNotWaiting' });
    await failureOf(handle.result());
  });

  it('rejected by a person is a rejected run', async () => {
    environment.world.scenario('disliked');
    const handle = await environment.startRun(runInput(modelPipeline('disliked', { gates })));
    await environment.temporal.sleep('1 hour');
    await handle.executeUpdate(rejectUpdate, { args: [{ by: 'ada', comment: 'not in December' }] });
    expect(await handle.result()).toEqual({ kind: 'rejected', reasons: ['approval: rejected by ada: not in December'] });
  });

  it('expired is no', async () => {
    const scenario = environment.world.scenario('forgotten');
    const handle = await environment.startRun(runInput(modelPipeline('forgotten', { gates })));
    expect(await handle.result()).toMatchObject({ kind: 'rejected', reasons: ['approval: nobody approved within 2592000 s'] });
    expect(scenario.calls).not.toContain('register');
  });

  it('is not asked for when a measured gate says no', async () => {
    const strict = [...gates, { kind: 'threshold' as const, metric: 'rocAuc' as const, min: 0.9 }];
    environment.world.scenario('hopeless');
    const handle = await environment.startRun(runInput(modelPipeline('hopeless', { gates: strict })));
    expect(await handle.result()).toEqual({ kind: 'rejected', reasons: ['threshold rocAuc: rocAuc 0.76 is below 0.9'] });
  });

  it('a run cancelled while it waits ends as cancelled', async () => {
    const scenario = environment.world.scenario('withdrawn');
    const input = runInput(modelPipeline('withdrawn', { gates }));
    const handle = await environment.startRun(input);
    await environment.temporal.sleep('1 day');
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow('cancelled');
    expect(scenario.steps.get('gate')).toMatchObject({ state: 'cancelled' });
    expect(scenario.ends.get(input.runId)).toMatchObject({ state: 'cancelled' });
  });
});

describe('a retry', () => {
  const proven = {
    ingest: datasetVersion('retried'),
    check: checkReport,
    features: featureSet('retried'),
    train: trainedModel,
    evaluate: evaluationReport,
    gate: { passed: true, gates: [{ gate: 'threshold rocAuc', passed: true, reason: 'rocAuc is 0.76' }] },
    register: { model: 'retried', version: 2 },
  };
  const retry = (name: string, changes: object) => runInput(modelPipeline(name), { runId: `${name}.second`, retryOf: `${name}.first`, ...changes });

  it('begins at the step it is told, with the proven outputs before it', async () => {
    const asked: string[] = [];
    const loadProvenOutputs = async ({ before }: { before: string }) => {
      asked.push(before);
      return proven;
    };
    const scenario = environment.world.scenario('retried', { overrides: { loadProvenOutputs } });
    const handle = await environment.startRun(retry('retried', { retryFrom: 'evaluate' }));
    expect(await handle.result()).toMatchObject({ kind: 'succeeded' });
    expect(asked).toEqual(['evaluate']);
    expect(scenario.calls.slice(0, 3)).toEqual(['loadProvenOutputs', 'evaluate', 'recordStep']);
  });

  it('without a step does only what is not proven; the rollout is always done anew', async () => {
    const scenario = environment.world.scenario('rolled', { overrides: { loadProvenOutputs: async () => proven } });
    const handle = await environment.startRun(retry('rolled', {}));
    expect(await handle.result()).toMatchObject({ kind: 'succeeded', version: 2 });
    expect(scenario.calls.slice(0, 2)).toEqual(['loadProvenOutputs', 'recordStep']);
    expect(scenario.steps.has('gate')).toBe(false);
  });
});

describe('the turn of a rollout', () => {
  const manySteps = { steps: [{ weight: 10, seconds: 3_600, minimumRequests: 1 }], analysis: { intervalSeconds: 3_600 } };

  it('comes when the running rollout of the model has ended', async () => {
    environment.world.scenario('busy');
    const running = await environment.startRollout(rolloutInput('busy', { version: 2, plan: rolloutPlan(manySteps) }));
    await environment.temporal.sleep('1 minute');
    environment.world.scenario('busy-run', { overrides: { register: async () => ({ model: 'busy', version: 3 }) } });
    const handle = await environment.startRun(runInput(modelPipeline('busy-run', { model: 'busy' })));
    await environment.temporal.sleep('5 minutes');
    expect((await handle.query(runStatusQuery)).waitingFor).toBe('another rollout of busy to end');
    expect(await handle.result()).toMatchObject({ kind: 'succeeded', version: 3, rollout: { previous: 2 } });
    expect(await running.result()).toMatchObject({ kind: 'promoted', version: 2 });
  });

  it('does not come within queueSeconds: the run fails, the running rollout is left alone', async () => {
    environment.world.scenario('occupied');
    const running = await environment.startRollout(rolloutInput('occupied', { plan: rolloutPlan(manySteps) }));
    await environment.temporal.sleep('1 minute');
    const scenario = environment.world.scenario('impatient', { overrides: { register: async () => ({ model: 'occupied', version: 3 }) } });
    const rollout = { ...modelPipeline('impatient').rollout, queueSeconds: 600 };
    const handle = await environment.startRun(runInput(modelPipeline('impatient', { model: 'occupied', rollout })));
    expect(await failureOf(handle.result())).toMatchObject({ type: 'RolloutQueueTimedOut' });
    expect(scenario.steps.get('rollout')).toMatchObject({ state: 'failed', failure: { code: 'RolloutQueueTimedOut' } });
    expect(await running.result()).toMatchObject({ kind: 'promoted' });
  });
});
