import { describe, expect, it } from 'vitest';
import { CancelledFailure } from '@temporalio/activity';
import { createRegisterActivity } from '../../../activities/register.ts';
import { createRolloutActivities, type RolloutPorts } from '../../../activities/rollout.ts';
import { createDeployments } from '../../../adapters/postgres/deployments.ts';
import { createGatewayControl } from '../../../adapters/postgres/gateway-control.ts';
import { createModelRegistry } from '../../../adapters/postgres/model-registry.ts';
import { createPipelines } from '../../../adapters/postgres/pipelines.ts';
import { createRunLedger } from '../../../adapters/postgres/run-ledger.ts';
import type { Deployments } from '../../../domain/ports/deployments.ts';
import type { RolloutActivities } from '../../../contracts/activities.ts';
import { runActivity } from '../../support/activity.ts';
import { databasePerTest } from '../../support/database-per-test.ts';
import type { TestDatabase } from '../../support/database.ts';
import { evaluationReport, lineage, memoryArtifactStore, registration, rolloutPlan, servingOptions, signature, silentReports, stepContext, trainedModel } from '../../support/fakes.ts';

let test: TestDatabase;
let reached: string[];
let activities: RolloutActivities;

const portsOf = (changes: Partial<RolloutPorts> = {}): RolloutPorts => ({
  deployments: createDeployments(test.database),
  registry: createModelRegistry(test.database),
  pipelines: createPipelines(test.database),
  workflows: silentReports.workflows,
  facts: silentReports.facts,
  faults: { reach: (name) => void reached.push(name) },
  ...changes,
});

databasePerTest(async (fresh) => {
  test = fresh;
  reached = [];
  activities = createRolloutActivities(portsOf());
  await createModelRegistry(test.database).registerVersion(registration('flights.r1'));
});

const start = { rolloutId: 'flights.x', workflowId: 'rollout/flights', model: 'flights', version: 1, plan: rolloutPlan, requestedBy: 'api' };

describe('a rollout', () => {
  it('begins with what is served, and only for a version that exists', async () => {
    expect(await runActivity(activities.prepareRollout, start)).toEqual({ stable: null, generation: 0 });
    await expect(runActivity(activities.prepareRollout, { ...start, version: 7 })).rejects.toMatchObject({ type: 'ModelVersionNotFound', nonRetryable: true });
  });

  it('ends in the same state when each activity runs twice', async () => {
    const shift = { rolloutId: 'flights.x', model: 'flights', requestId: 'flights.x/0', expectedGeneration: 0, split: { stable: null, canary: 1, canaryWeight: 5 }, options: servingOptions };
    const promotion = { rolloutId: 'flights.x', model: 'flights', version: 1, requestId: 'flights.x/promote', expectedGeneration: 1, options: servingOptions };
    const undo = { rolloutId: 'flights.x', model: 'flights', requestId: 'flights.x/undo', stable: null, options: servingOptions };
    for (const attempt of [1, 2]) expect(await runActivity(activities.shiftTraffic, shift, { attempt })).toEqual({ generation: 1 });
    for (const attempt of [1, 2]) expect(await runActivity(activities.promote, promotion, { attempt })).toEqual({ generation: 2, previous: null });
    for (const attempt of [1, 2]) expect(await runActivity(activities.restoreTraffic, undo, { attempt })).toEqual({ generation: 3 });
    expect(reached).toEqual(['shift-traffic.after-commit', 'promote.after-commit', 'restore-traffic.after-commit'].flatMap((name) => [name, name]));
    expect(await test.database.selectFrom('promotions').selectAll().execute()).toHaveLength(1);
  });

  it('reads the numbers of the version it is compared with beside its own', async () => {
    const counters = { model: 'flights', generation: 3, fallbacks: 0, unlogged: 0, latency: [] };
    await createGatewayControl({ database: test.database, url: test.url }).writeCounters({ gatewayId: 'g', incarnation: 'i' }, [
      { ...counters, version: 1, role: 'stable', requests: 900, failures: 4 },
      { ...counters, version: 2, role: 'canary', requests: 100, failures: 1 },
    ]);
    const window = { requests: 100, failures: 1, fallbacks: 0, latencyP50Ms: null, latencyP95Ms: null };
    expect(await runActivity(activities.readServingWindow, { model: 'flights', version: 2, generation: 3 })).toEqual(window);
    expect(await runActivity(activities.readServingWindow, { model: 'flights', version: 2, generation: 3, against: 1 })).toEqual({ ...window, stable: { requests: 900, failures: 4 } });
  });

  it('finds the monitor of the pipeline version that made the model version', async () => {
    expect(await runActivity(activities.monitorSpecOf, { model: 'flights', version: 1 })).toBeNull();
    await test.database.insertInto('pipelines').values({ name: 'flights', current_version: 1 }).execute();
    const spec = JSON.stringify({ kind: 'model', monitor: { everySeconds: 5 } });
    await test.database.insertInto('pipeline_versions').values({ pipeline: 'flights', version: 1, spec, spec_hash: 'h', created_by: 'test' }).execute();
    expect(await runActivity(activities.monitorSpecOf, { model: 'flights', version: 1 })).toEqual({ pipeline: 'flights', spec: { everySeconds: 5 } });
  });
});

type Acknowledgements = Awaited<ReturnType<Deployments['acknowledgements']>>;

describe('waiting for the gateways', () => {
  const wait = (answers: Acknowledgements[], onStart?: Parameters<typeof runActivity>[2]) => {
    let asked = 0;
    const deployments = { ...createDeployments(test.database), acknowledgements: async () => answers[Math.min(asked++, answers.length - 1)]! };
    return runActivity(createRolloutActivities(portsOf({ deployments })).awaitGateways, { model: 'flights', generation: 4 }, onStart);
  };

  it('ends when all that live have acknowledged, without those whose lease ran out', async () => {
    const none = { live: 2, acknowledged: 0, failures: [] };
    expect(await wait([none, { ...none, acknowledged: 1 }, { ...none, acknowledged: 2 }])).toEqual({ gateways: 2 });
    expect(await wait([none, { ...none, acknowledged: 1 }, { live: 1, acknowledged: 1, failures: [] }])).toEqual({ gateways: 1 });
  });

  it('fails for good when one could not load the version, retryably when there is none', async () => {
    const failure = { live: 2, acknowledged: 1, failures: [{ gateway: 'gateway-2', error: 'bad graph' }] };
    await expect(wait([failure])).rejects.toMatchObject({ type: 'GatewayLoadFailed', nonRetryable: true, message: expect.stringContaining('gateway-2') });
    await expect(wait([{ live: 0, acknowledged: 0, failures: [] }])).rejects.toMatchObject({ type: 'GatewaysUnavailable', nonRetryable: false });
  });

  it('ends when it is cancelled', async () => {
    const waiting = wait([{ live: 1, acknowledged: 0, failures: [] }], { onStart: (environment) => void setTimeout(() => environment.cancel('CANCELLED'), 300) });
    await expect(waiting).rejects.toBeInstanceOf(CancelledFailure);
  });
});

describe('registration', () => {
  const artifacts = memoryArtifactStore();
  const input = async (runId: string) => {
    const trained = { ...trainedModel(), model: await artifacts.put(Buffer.from(runId)), signature: await artifacts.put(Buffer.from(JSON.stringify(signature))) };
    const featureSet = {} as never;
    return { context: stepContext({ runId, step: 'register', position: 6 }), trained, evaluation: evaluationReport(), gates: [], lineage: lineage(runId), featureSet };
  };
  const register = () => createRegisterActivity({ ...portsOf(), ledger: createRunLedger(test), artifacts });

  it('of a run is one version, however often it is retried', async () => {
    const { register: activity } = register();
    const first = await runActivity(activity, await input('flights.r2'));
    expect(first).toEqual({ model: 'flights', version: 2 });
    expect(await runActivity(activity, await input('flights.r2'), { attempt: 2 })).toEqual(first);
  });

  it('is refused when the bytes are gone', async () => {
    const lost = await input('flights.r3');
    artifacts.delete(lost.trained.model);
    await expect(runActivity(register().register, lost)).rejects.toMatchObject({ type: 'ArtifactNotFound', nonRetryable: true });
    expect(await createModelRegistry(test.database).version('flights', 2)).toBeUndefined();
  });
});
