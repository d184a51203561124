/** Deployments, what gateways say of them, and the record of rollouts, in PostgreSQL. */
import { sql, type Kysely } from 'kysely';
import type { TrafficSplit } from '../../contracts/deployment.ts';
import type { ServingWindow } from '../../contracts/rollout.ts';
import type { Deployments } from '../../domain/ports/deployments.ts';
import { asJson, askDatabase } from './client.ts';
import { latencyQuantile, sumOfHistograms } from './latency.ts';
import { moveTraffic, promote, restore } from './promotion.ts';
import type { Database } from './schema.ts';
import { readShadowWindow } from './shadow-comparisons.ts';
import { EMPTY_SPLIT, lockDeployment } from './traffic.ts';

type Acknowledgement = { gateway: string; acknowledged: boolean; error: string | null };

/**
 * One row per gateway with a live lease. An acknowledgement counts only from the gateway's present process: one that was
 * started again has loaded nothing yet. A later generation holds the earlier one.
 */
const liveGateways = (model: string, generation: number) => sql<Acknowledgement>`
  select gateway.gateway_id as gateway, bool_or(ack.gateway_id is not null and ack.error is null) as acknowledged,
    max(ack.error) filter (where ack.generation = ${generation}) as error
  from gateways gateway
  left join gateway_acknowledgements ack on ack.gateway_id = gateway.gateway_id and ack.incarnation = gateway.incarnation
    and ack.model = ${model} and ack.generation >= ${generation}
  where gateway.lease_expires_at > now()
  group by gateway.gateway_id order by gateway.gateway_id`;

const acknowledgements = async (database: Kysely<Database>, model: string, generation: number) => {
  const { rows } = await liveGateways(model, generation).execute(database);
  return {
    live: rows.length,
    acknowledged: rows.filter((row) => row.acknowledged).length,
    failures: rows.flatMap(({ gateway, error }) => (error === null ? [] : [{ gateway, error }])),
  };
};

type CounterRow = { requests: number; failures: number; fallbacks: number; latency: unknown };

const sumOf = (rows: readonly CounterRow[], count: (row: CounterRow) => number): number => rows.reduce((sum, row) => sum + count(row), 0);

const servingWindowOf = (rows: readonly CounterRow[]): ServingWindow => {
  const counts = sumOfHistograms(rows.map((row) => row.latency as number[]));
  return {
    requests: sumOf(rows, (row) => row.requests),
    failures: sumOf(rows, (row) => row.failures),
    fallbacks: sumOf(rows, (row) => row.fallbacks),
    latencyP50Ms: latencyQuantile(counts, 0.5),
    latencyP95Ms: latencyQuantile(counts, 0.95),
  };
};

const countersOf = (database: Kysely<Database>, model: string, version: number, fromGeneration: number) =>
  database
    .selectFrom('serving_counters')
    .select(['requests', 'failures', 'fallbacks', 'latency'])
    .where('model', '=', model)
    .where('version', '=', version)
    .where('generation', '>=', fromGeneration)
    .execute();

const currentDeployment = async (database: Kysely<Database>, model: string) => {
  const row = await database.selectFrom('deployments').select(['generation', 'split', 'rollout_id']).where('model', '=', model).executeTakeFirst();
  if (row === undefined) return { generation: 0, split: EMPTY_SPLIT, rolloutId: null };
  return { generation: row.generation, split: row.split as TrafficSplit, rolloutId: row.rollout_id };
};

/** The record of rollouts: each write is harmless when repeated. */
const rolloutRecord = (database: Kysely<Database>): Pick<Deployments, 'beginRollout' | 'recordDecision' | 'finishRollout'> => ({
  beginRollout: async ({ rolloutId, workflowId, model, version, plan, requestedBy, runId }) => {
    const row = { rollout_id: rolloutId, workflow_id: workflowId, model, version, plan: asJson(plan), requested_by: requestedBy, run_id: runId ?? null };
    await askDatabase(() => database.insertInto('rollouts').values(row).onConflict((conflict) => conflict.doNothing()).execute());
  },
  recordDecision: async ({ rolloutId, sequence, step, weight, verdict, window, by }) => {
    const row = { rollout_id: rolloutId, sequence, step, weight, verdict: asJson(verdict), serving_window: window === null ? null : asJson(window), decided_by: by ?? null };
    await askDatabase(() => database.insertInto('rollout_decisions').values(row).onConflict((conflict) => conflict.doNothing()).execute());
  },
  finishRollout: async (rolloutId, outcome) => {
    await askDatabase(() =>
      database
        .updateTable('rollouts')
        .set({ outcome: asJson(outcome), finished_at: sql<Date>`now()` })
        .where('rollout_id', '=', rolloutId)
        .where('finished_at', 'is', null)
        .execute(),
    );
  },
});

/** Deployments on PostgreSQL. Every method throws PostgresUnavailable in an outage. */
export const createDeployments = (database: Kysely<Database>): Deployments => ({
  current: (model) => askDatabase(() => currentDeployment(database, model)),
  setSplit: (change) =>
    askDatabase(() =>
      database.transaction().execute(async (transaction) => {
        const current = await lockDeployment(transaction, change.model);
        return { generation: await moveTraffic(transaction, current, change) };
      }),
    ),
  promote: (change) => askDatabase(() => database.transaction().execute((transaction) => promote(transaction, change))),
  restore: (change) => askDatabase(() => database.transaction().execute((transaction) => restore(transaction, change))),
  acknowledgements: (model, generation) => askDatabase(() => acknowledgements(database, model, generation)),
  servingWindow: async (model, version, fromGeneration) => servingWindowOf(await askDatabase(() => countersOf(database, model, version, fromGeneration))),
  shadowWindow: (model, version, fromGeneration) => askDatabase(() => readShadowWindow(database, model, version, fromGeneration)),
  ...rolloutRecord(database),
});
