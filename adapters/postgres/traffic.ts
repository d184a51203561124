/** The one way in which a deployment changes: under its row lock, one generation up, known by its request id, told to the gateways. */
import { sql, type Transaction } from 'kysely';
import { DEPLOYMENT_CHANNEL, type ServingOptions, type TrafficSplit } from '../../contracts/deployment.ts';
import { asJson } from './client.ts';
import type { Database } from './schema.ts';

export const EMPTY_SPLIT: TrafficSplit = { stable: null, canary: null, canaryWeight: 0 };

export type DeploymentRow = { generation: number; split: TrafficSplit };

/** Locks the deployment of a model until the transaction ends; a model without one gets an empty one of generation 0. */
export const lockDeployment = async (transaction: Transaction<Database>, model: string): Promise<DeploymentRow> => {
  await transaction
    .insertInto('deployments')
    .values({ model, generation: 0, split: asJson(EMPTY_SPLIT), options: asJson({}), rollout_id: null })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const row = await transaction.selectFrom('deployments').select(['generation', 'split']).where('model', '=', model).forUpdate().executeTakeFirstOrThrow();
  return { generation: row.generation, split: row.split as TrafficSplit };
};

/** The generation that a request made when it took effect; undefined when it did not yet. */
export const generationOfRequest = async (transaction: Transaction<Database>, model: string, requestId: string): Promise<number | undefined> => {
  const row = await transaction
    .selectFrom('deployment_generations')
    .select('generation')
    .where('model', '=', model)
    .where('request_id', '=', requestId)
    .executeTakeFirst();
  return row?.generation;
};

export type TrafficChange = { model: string; requestId: string; split: TrafficSplit; options: ServingOptions; rolloutId: string; reason: string };

/** Writes the next generation of a locked deployment; gateways hear of it when the transaction commits. */
export const writeGeneration = async (transaction: Transaction<Database>, current: DeploymentRow, change: TrafficChange): Promise<number> => {
  const generation = current.generation + 1;
  const written = { generation, split: asJson(change.split), options: asJson(change.options), rollout_id: change.rolloutId };
  await transaction.updateTable('deployments').set({ ...written, updated_at: sql<Date>`now()` }).where('model', '=', change.model).execute();
  await transaction
    .insertInto('deployment_generations')
    .values({ model: change.model, ...written, request_id: change.requestId, reason: change.reason })
    .execute();
  await sql`select pg_notify(${DEPLOYMENT_CHANNEL}, ${change.model})`.execute(transaction);
  return generation;
};
