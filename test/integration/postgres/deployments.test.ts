import { describe, expect, it } from 'vitest';
import pg from 'pg';
import { sql } from 'kysely';
import { createDeployments } from '../../../adapters/postgres/deployments.ts';
import { createModelRegistry } from '../../../adapters/postgres/model-registry.ts';
import { DEPLOYMENT_CHANNEL, LATENCY_BUCKETS_MS } from '../../../contracts/deployment.ts';
import type { Deployments } from '../../../domain/ports/deployments.ts';
import { databasePerTest } from '../../support/database-per-test.ts';
import type { TestDatabase } from '../../support/database.ts';
import { registration, rolloutPlan, servingOptions } from '../../support/fakes.ts';

let test: TestDatabase;
let deployments: Deployments;

databasePerTest(async (fresh) => {
  test = fresh;
  deployments = createDeployments(test.database);
  const registry = createModelRegistry(test.database);
  await registry.registerVersion(registration('flights.r1'));
  await registry.registerVersion(registration('flights.r2'));
});

const canary = (stable: number | null, version: number, canaryWeight: number) => ({ stable, canary: version, canaryWeight });
const shift = (requestId: string, expectedGeneration: number, split = canary(null, 1, 5)) =>
  deployments.setSplit({ model: 'flights', requestId, expectedGeneration, split, options: servingOptions, rolloutId: 'flights.x', reason: 'step' });
const promotion = (version: number, requestId: string, expectedGeneration: number, rolloutId = 'flights.x') =>
  deployments.promote({ model: 'flights', version, requestId, expectedGeneration, options: servingOptions, rolloutId });
const championOf = async () =>
  (await test.database.selectFrom('model_aliases').select('version').where('alias', '=', 'champion').executeTakeFirst())?.version;
const rowsOf = async (table: 'promotions' | 'deployment_generations' | 'model_alias_moves') => {
  const { rows } = await sql<{ rows: number }>`select count(*) as rows from ${sql.table(table)}`.execute(test.database);
  return rows[0]?.rows;
};

describe('a split', () => {
  it('is compared and set; a repeated request gets its first generation', async () => {
    expect(await deployments.current('flights')).toEqual({ generation: 0, split: { stable: null, canary: null, canaryWeight: 0 }, rolloutId: null });
    expect(await shift('x/1', 0)).toEqual({ generation: 1 });
    expect(await shift('x/2', 1, canary(null, 1, 50))).toEqual({ generation: 2 });
    expect(await shift('x/1', 0)).toEqual({ generation: 1 });
    await expect(shift('y/1', 1)).rejects.toMatchObject({ code: 'DeploymentConflict', retryable: false });
    expect(await deployments.current('flights')).toEqual({ generation: 2, split: canary(null, 1, 50), rolloutId: 'flights.x' });
  });

  it('is won by one of 12 that want the same generation', async () => {
    const answers = await Promise.allSettled(Array.from({ length: 12 }, (_, index) => shift(`x/${index}`, 0)));
    expect(answers.filter((answer) => answer.status === 'fulfilled')).toHaveLength(1);
    expect(await rowsOf('deployment_generations')).toBe(1);
  });

  it('tells the gateways after it was committed', async () => {
    const listener = new pg.Client({ connectionString: test.url });
    await listener.connect();
    await listener.query(`listen ${DEPLOYMENT_CHANNEL}`);
    const heard = new Promise((resolve) => listener.once('notification', (message) => resolve(message.payload)));
    await shift('x/1', 0);
    expect(await heard).toBe('flights');
    await listener.end();
  });
});

describe('a promotion', () => {
  it('happens once, however often and however many at once ask for it', async () => {
    await shift('x/1', 0);
    const answers = await Promise.all(Array.from({ length: 8 }, () => promotion(1, 'x/promote', 1)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(new Set([JSON.stringify({ generation: 2, previous: null })]));
    expect([await rowsOf('promotions'), await rowsOf('deployment_generations'), await championOf()]).toEqual([1, 2, 1]);
    expect((await deployments.current('flights')).split).toEqual({ stable: 1, canary: null, canaryWeight: 0 });
  });

  it('gives its first answer again after traffic moved on, and names what it replaced', async () => {
    await promotion(1, 'a/promote', 0);
    await shift('b/1', 1, canary(1, 2, 50));
    expect(await promotion(2, 'b/promote', 2, 'flights.b')).toEqual({ generation: 3, previous: 1 });
    expect(await promotion(1, 'a/promote', 0)).toEqual({ generation: 1, previous: null });
    expect(await championOf()).toBe(2);
  });

  it('of a deployment that someone else changed leaves nothing behind', async () => {
    await shift('x/1', 0);
    await expect(promotion(1, 'x/promote', 0)).rejects.toMatchObject({ code: 'DeploymentConflict' });
    expect([await rowsOf('promotions'), await championOf()]).toEqual([0, undefined]);
  });

  it('twice is prevented by the unique constraint: without it a retry promotes again', async () => {
    await sql`alter table promotions drop constraint promotions_once`.execute(test.database);
    await promotion(1, 'x/promote', 0);
    await promotion(1, 'x/promote', 0);
    expect(await rowsOf('promotions')).toBe(2);
  });
});

describe('the undo', () => {
  const undo = (rolloutId: string, stable: number | null, requestId = `${rolloutId}/undo`) =>
    deployments.restore({ model: 'flights', requestId, stable, options: servingOptions, rolloutId, reason: 'rolled back' });

  it('brings all traffic back whatever the generation, once', async () => {
    await promotion(1, 'a/promote', 0);
    await shift('b/1', 1, canary(1, 2, 50));
    expect(await undo('flights.b', 1)).toEqual({ generation: 3 });
    expect(await undo('flights.b', 1)).toEqual({ generation: 3 });
    expect(await deployments.current('flights')).toMatchObject({ generation: 3, split: { stable: 1, canary: null, canaryWeight: 0 } });
    expect(await championOf()).toBe(1);
  });

  it('gives the champion back where this rollout moved it', async () => {
    await promotion(1, 'a/promote', 0, 'flights.a');
    await promotion(2, 'b/promote', 1, 'flights.b');
    await undo('flights.b', 1);
    expect(await championOf()).toBe(1);
    await undo('flights.a', null, 'again');
    expect(await championOf()).toBeUndefined();
  });

  it('leaves a champion that has moved on since', async () => {
    await promotion(1, 'a/promote', 0, 'flights.a');
    await promotion(2, 'b/promote', 1, 'flights.b');
    await undo('flights.a', null);
    expect(await championOf()).toBe(2);
  });
});

const addGateway = async (gateway: string, incarnation: string, leaseMs: number): Promise<void> => {
  const row = { gateway_id: gateway, incarnation, url: 'http://127.0.0.1:1', lease_expires_at: new Date(Date.now() + leaseMs) };
  await test.database.insertInto('gateways').values(row).onConflict((conflict) => conflict.column('gateway_id').doUpdateSet(row)).execute();
};
const acknowledge = (gateway: string, incarnation: string, generation: number, error: string | null = null) =>
  test.database.insertInto('gateway_acknowledgements').values({ gateway_id: gateway, model: 'flights', generation, incarnation, error }).execute();

describe('acknowledgements', () => {
  it('count gateways with a live lease, by their present process, for this generation or a later one', async () => {
    await addGateway('g1', 'one', 60_000);
    await addGateway('g2', 'one', 60_000);
    await addGateway('dead', 'one', -1);
    await acknowledge('g1', 'one', 2);
    await acknowledge('dead', 'one', 2, 'no memory');
    expect(await deployments.acknowledgements('flights', 2)).toEqual({ live: 2, acknowledged: 1, failures: [] });
    await acknowledge('g2', 'one', 3);
    expect(await deployments.acknowledgements('flights', 2)).toEqual({ live: 2, acknowledged: 2, failures: [] });
    await addGateway('g2', 'two', 60_000);
    expect(await deployments.acknowledgements('flights', 2)).toEqual({ live: 2, acknowledged: 1, failures: [] });
  });

  it('name the gateway that could not load the version', async () => {
    await addGateway('g1', 'one', 60_000);
    await acknowledge('g1', 'one', 1, 'bad graph');
    expect(await deployments.acknowledgements('flights', 1)).toEqual({ live: 1, acknowledged: 0, failures: [{ gateway: 'g1', error: 'bad graph' }] });
  });
});

describe('the serving window', () => {
  const count = ([gateway, incarnation]: [string, string], generation: number, requests: number, latency: Record<number, number>) =>
    test.database
      .insertInto('serving_counters')
      .values({
        gateway_id: gateway, incarnation, model: 'flights', version: 2, generation, role: 'canary', requests, failures: 1, fallbacks: 1, unlogged: 0,
        latency: JSON.stringify([...LATENCY_BUCKETS_MS, Infinity].map((_, bucket) => latency[bucket] ?? 0)),
      })
      .execute();

  it('sums gateways, their earlier processes and generations, and interpolates quantiles', async () => {
    await count(['g1', 'one'], 1, 1_000, { 12: 1_000 });
    await count(['g1', 'one'], 2, 10, { 3: 10 });
    await count(['g1', 'two'], 2, 10, { 3: 10 });
    await count(['g2', 'one'], 3, 20, { 3: 18, 6: 2 });
    const window = await deployments.servingWindow('flights', 2, 2);
    expect(window).toMatchObject({ requests: 40, failures: 3, fallbacks: 3 });
    // 38 of 40 lie in the bucket of 5 to 10 ms, two in that of 50 to 100 ms
    expect(window.latencyP50Ms).toBeCloseTo(5 + (5 * 20) / 38, 10);
    expect(window.latencyP95Ms).toBeCloseTo(10, 10);
  });

  it('of a version that was not served yet is empty', async () => {
    expect(await deployments.servingWindow('flights', 9, 0)).toEqual({ requests: 0, failures: 0, fallbacks: 0, latencyP50Ms: null, latencyP95Ms: null });
  });
});

describe('the record of a rollout', () => {
  it('keeps the first of every row', async () => {
    const rollout = { rolloutId: 'flights.x', workflowId: 'rollout/flights', model: 'flights', version: 1, plan: rolloutPlan, requestedBy: 'api', runId: 'flights.r1' };
    await deployments.beginRollout(rollout);
    await deployments.beginRollout(rollout);
    const decision = { rolloutId: 'flights.x', sequence: 0, step: 0, weight: 5, verdict: { verdict: 'pass' as const, reason: 'good' }, window: null };
    await deployments.recordDecision(decision);
    await deployments.recordDecision({ ...decision, weight: 99 });
    await deployments.finishRollout('flights.x', { kind: 'promoted', model: 'flights', version: 1, generation: 5, previous: null });
    await deployments.finishRollout('flights.x', { kind: 'aborted', model: 'flights', version: 1, generation: 6, reason: 'late' });
    expect(await test.database.selectFrom('rollouts').selectAll().execute()).toMatchObject([{ version: 1, outcome: { kind: 'promoted' } }]);
    expect(await test.database.selectFrom('rollout_decisions').selectAll().execute()).toMatchObject([{ weight: 5, verdict: { verdict: 'pass' } }]);
  });
});
