/** Rollouts and rollback through the API on a real Temporal server: one at a time, steered by people, mended after a terminate. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createModelRegistry } from '../../../adapters/postgres/model-registry.ts';
import { createTestApi, eventually, type Answer, type AnswerBody, type TestApi } from '../../support/api.ts';
import { columnDrift, registration } from '../../support/fakes.ts';
import { startOrchestration, type Orchestration } from '../../support/orchestration.ts';

const MODEL = 'flights';

let orchestration: Orchestration;
let api: TestApi;

beforeAll(async () => {
  orchestration = await startOrchestration({ pools: ['workflows', 'data'] });
  const { database } = orchestration.test;
  api = await createTestApi(orchestration.test, orchestration.client);
  const registry = createModelRegistry(database);
  for (const run of ['flights.r1', 'flights.r2', 'flights.r3']) await registry.registerVersion(registration(run));
  // A gateway that has taken over whatever comes: what gateways do is tested elsewhere.
  const lease = new Date(Date.now() + 3_600_000);
  await database.insertInto('gateways').values({ gateway_id: 'g1', incarnation: 'i1', url: 'http://127.0.0.1:1', lease_expires_at: lease }).execute();
  await database.insertInto('gateway_acknowledgements').values({ gateway_id: 'g1', model: MODEL, generation: 1_000_000, incarnation: 'i1', error: null }).execute();
});

afterAll(async () => {
  await api?.app.close();
  await orchestration?.stop();
});

const post = (path: string, payload: object = {}, key?: string): Promise<Answer> =>
  api.as('operator', { method: 'POST', url: `/api/v1/models/${MODEL}/${path}`, payload, headers: key === undefined ? {} : { 'idempotency-key': key } });
const deployment = async (): Promise<AnswerBody> => (await api.as('viewer', { method: 'GET', url: `/api/v1/models/${MODEL}/deployment` })).body;
const until = (what: string, holds: (shown: AnswerBody) => boolean): Promise<AnswerBody> =>
  eventually(what, async () => {
    const shown = await deployment();
    return holds(shown) ? shown : undefined;
  });
const champion = async (): Promise<number | null> => (await api.as('viewer', { method: 'GET', url: '/api/v1/models' })).body.models[0].champion;

const AT_ONCE = [{ weight: 100, seconds: 0, minimumRequests: 0 }];
const SLOW = { steps: [{ weight: 50, seconds: 600, minimumRequests: 0 }, { weight: 100, seconds: 600, minimumRequests: 0 }], analysis: { intervalSeconds: 0.2 } };
const startSlow = async (version: number): Promise<string> => {
  const started = await post('rollouts', { version, ...SLOW });
  expect(started.status).toBe(202);
  await until(`version ${version} at 50 %`, (shown) => shown.split.canary === version && shown.split.canaryWeight === 50);
  return started.body.rolloutId;
};

describe('a first rollout', () => {
  it('deploys a version', async () => {
    expect(await deployment()).toMatchObject({ generation: 0, split: { stable: null, canary: null }, rollout: null, orphaned: false });
    const started = await post('rollouts', { version: 1, steps: AT_ONCE }, 'first');
    expect(started).toMatchObject({ status: 202, body: { workflowId: `rollout/${MODEL}`, model: MODEL, version: 1, rolloutId: expect.stringMatching(/^flights\./) } });
    const done = await until('version 1 is stable', (shown) => shown.split.stable === 1 && shown.rollout?.state === 'finished');
    expect(done).toMatchObject({ rollout: { rolloutId: started.body.rolloutId, version: 1, requestedBy: 'api/the operator', outcome: { kind: 'promoted' } } });
    expect(done.gateways).toMatchObject([{ gateway: 'g1', live: true, acknowledgedGeneration: 1_000_000, error: null }]);
    expect(await champion()).toBe(1);
    expect((await post('rollouts', { version: 1, steps: AT_ONCE }, 'first')).body.rolloutId).toBe(started.body.rolloutId);
  });
});

describe('a running rollout', () => {
  it('is the only one, is shown with its step, and is steered by people', async () => {
    const rolloutId = await startSlow(2);
    const second = await post('rollouts', { version: 3 });
    expect(second).toMatchObject({ status: 409, body: { code: 'RolloutAlreadyRunning', detail: expect.stringMatching(/version 2, asked for by api\/the operator/) } });
    const shown = await deployment();
    expect(shown).toMatchObject({ split: { stable: 1, canary: 2, canaryWeight: 50 }, rollout: { rolloutId, state: 'running', version: 2, status: { step: 0, steps: 2, weight: 50, state: 'running' } } });
    expect(shown.versions).toMatchObject([{ version: 1, requests: 0 }, { version: 2, requests: 0 }]);
    expect(await post('rollout/pause', { reason: 'look' })).toMatchObject({ status: 202, body: { accepted: 'pause' } });
    expect((await deployment()).rollout.status.state).toBe('paused');
    expect(await post('rollout/promote')).toMatchObject({ status: 409, body: { code: 'RolloutNotRunning', detail: expect.stringMatching(/paused/) } });
    expect((await post('rollout/resume')).status).toBe(202);
    expect((await post('rollout/promote', { reason: 'good' }, 'go')).status).toBe(202);
    expect((await post('rollout/promote', { reason: 'good' }, 'go')).status).toBe(202);
    await until('version 2 is stable', (after) => after.split.stable === 2 && after.rollout.state === 'finished');
    expect(await champion()).toBe(2);
    expect(await post('rollout/abort')).toMatchObject({ status: 409, body: { code: 'RolloutNotRunning' } });
    const actions = (await orchestration.test.database.selectFrom('audit').select('action').where('subject', '=', MODEL).orderBy('id').execute()).map((row) => row.action);
    expect(actions).toEqual(['rollout.start', 'rollout.start', 'rollout.pause', 'rollout.resume', 'rollout.promote']);
  });

  it('found by its own repeated request after a lost answer is the answer', async () => {
    const started = await post('rollouts', { version: 3, ...SLOW }, 'lost');
    await orchestration.test.database.updateTable('idempotency_keys').set({ status: null, response: null }).where('key', '=', 'lost').execute();
    expect((await post('rollouts', { version: 3, ...SLOW }, 'lost')).body).toEqual(started.body);
    await until('version 3 at 50 %', (shown) => shown.split.canary === 3);
    expect((await post('rollout/abort', { reason: 'enough' })).status).toBe(202);
    const aborted = await until('the abort', (shown) => shown.rollout.state === 'finished');
    expect(aborted).toMatchObject({ split: { stable: 2, canary: null }, rollout: { outcome: { kind: 'aborted' } } });
  });
});

describe('rollback', () => {
  it('goes to the champion before, once per key, and no further than there is one', async () => {
    const back = await post('rollback', { reason: 'complaints' }, 'back');
    expect(back).toMatchObject({ status: 200, body: { how: 'previous', split: { stable: 1, canary: null } } });
    expect(await champion()).toBe(1);
    // Even when the answer of the first request was lost before it was kept.
    await orchestration.test.database.updateTable('idempotency_keys').set({ status: null, response: null }).where('key', '=', 'back').execute();
    expect((await post('rollback', { reason: 'complaints' }, 'back')).body).toMatchObject({ how: 'previous', generation: back.body.generation, split: { stable: 1 } });
    expect(await post('rollback')).toMatchObject({ status: 409, body: { code: 'NothingToRollBackTo' } });
  });

  it('goes to a version that is named', async () => {
    expect((await post('rollback', { version: 2 })).body).toMatchObject({ how: 'version', split: { stable: 2 } });
    expect(await champion()).toBe(2);
    expect(await post('rollback', { version: 9 })).toMatchObject({ status: 404, body: { code: 'ModelVersionNotFound' } });
  });

  it('aborts a running rollout and answers when the traffic is back', async () => {
    await startSlow(3);
    expect((await post('rollback', { reason: 'stop' })).body).toMatchObject({ how: 'aborted', split: { stable: 2, canary: null, canaryWeight: 0 } });
    expect((await deployment()).rollout).toMatchObject({ state: 'finished', outcome: { kind: 'aborted', reason: expect.stringMatching(/the operator/) } });
  });

  it('mends what a terminated rollout left behind', async () => {
    await startSlow(3);
    await orchestration.client.workflow.getHandle(`rollout/${MODEL}`).terminate('by hand');
    const orphan = await until('the orphan', (shown) => shown.orphaned === true);
    expect(orphan).toMatchObject({ split: { canary: 3, canaryWeight: 50 }, rollout: { state: 'orphaned', version: 3 } });
    expect((await post('rollback', { reason: 'mend' })).body).toMatchObject({ how: 'restored', split: { stable: 2, canary: null, canaryWeight: 0 } });
    expect(await deployment()).toMatchObject({ orphaned: false, rollout: { state: 'finished', outcome: { kind: 'aborted' } } });
    expect(await champion()).toBe(2);
    await startSlow(3);
    expect((await post('rollout/abort')).status).toBe(202);
  });
});

describe('a shadow', () => {
  it('ends with everything served as before, and is shown with what it saw', async () => {
    const before = (await until('no rollout runs', ({ rollout }) => rollout?.state === 'finished')).split;
    const seen = { version: 3, generation: 1_000_000, against: before.stable, copies: 10, dropped: 1, failures: 0, differing: 4 };
    const examples = [{ id: 'a', output: 'score', stable: '[0.1]', candidate: '[0.9]' }];
    const row = { ...seen, gateway_id: 'g1', incarnation: 'i1', model: MODEL, maximum_difference: 0.8, latency: JSON.stringify([10]), examples: JSON.stringify(examples) };
    await orchestration.test.database.insertInto('shadow_comparisons').values(row).execute();
    expect((await post('rollouts', { version: 3, strategy: 'shadow', seconds: 0, minimumRequests: 10 })).status).toBe(202);
    const shown = await until('the shadow has ended', ({ rollout }) => rollout?.version === 3 && rollout.state === 'finished');
    expect(shown).toMatchObject({ split: before, rollout: { outcome: { kind: 'observed', reason: '10 copies, 0 failed, 0 s' } }, shadow: { ...seen, maximumDifference: 0.8, examples } });
    expect(await post('rollouts', { version: 3, strategy: 'blueGreen', percent: 5 })).toMatchObject({ status: 400 });
  });
});

describe('a monitor', () => {
  it('that does not run is said so, with the windows that there are', async () => {
    const window = { window: 0, version: 2, from: '2026-05-01T00:00:00.000Z', to: '2026-05-02T00:00:00.000Z', rows: 100, labelled: 60, driftScore: 0.5, drifted: true, columns: [columnDrift('distance', 0.4)], prediction: null, quality: 0.7, judgedQuality: 0.75, qualityDropped: false };
    await orchestration.test.database.insertInto('monitor_windows').values({ model: MODEL, version: 2, window_number: 0, from_at: window.from, to_at: window.to, rows: 100, labelled: 60, report: JSON.stringify(window), decision: 'drift: trigger sent' }).execute();
    const shown = (await api.as('viewer', { method: 'GET', url: `/api/v1/models/${MODEL}/monitor` })).body;
    expect(shown).toMatchObject({ model: MODEL, running: false, version: 2, windows: [{ ...window, decision: 'drift: trigger sent' }] });
  });
});
