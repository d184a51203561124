/** Promotion and its undo: the rows that decide which version is champion. */
import type { Transaction } from 'kysely';
import { CHAMPION } from '../../contracts/ids.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { Deployments } from '../../domain/ports/deployments.ts';
import { lockAlias, moveAlias } from './aliases.ts';
import type { Database } from './schema.ts';
import { generationOfRequest, lockDeployment, writeGeneration, type DeploymentRow, type TrafficChange } from './traffic.ts';

type Promotion = Parameters<Deployments['promote']>[0];
type Restoration = Parameters<Deployments['restore']>[0];
type Answer = { generation: number; previous: number | null };

/** @throws PerennialFailure DeploymentConflict when the deployment is not at the expected generation */
export const requireGeneration = (model: string, current: DeploymentRow, expected: number): void => {
  if (current.generation === expected) return;
  throw new PerennialFailure(
    'DeploymentConflict',
    `the deployment of ${model} is at generation ${current.generation}, not at ${expected}: someone else changed it`,
  );
};

/** Moves traffic once per request id; a repeated request gets its first generation, whatever happened since. */
export const moveTraffic = async (transaction: Transaction<Database>, current: DeploymentRow, change: TrafficChange & { expectedGeneration: number }): Promise<number> => {
  const done = await generationOfRequest(transaction, change.model, change.requestId);
  if (done !== undefined) return done;
  requireGeneration(change.model, current, change.expectedGeneration);
  return writeGeneration(transaction, current, change);
};

/** True for the first time. The unique constraint decides, not what this process read. */
const insertPromotion = async (transaction: Transaction<Database>, { model, version, requestId, expectedGeneration }: Promotion, previous: number | null): Promise<boolean> => {
  const row = await transaction
    .insertInto('promotions')
    .values({ model, version, alias: CHAMPION, request_id: requestId, generation: expectedGeneration + 1, previous })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
};

const recordedPromotion = async (transaction: Transaction<Database>, { model, version, requestId }: Promotion): Promise<Answer> =>
  transaction
    .selectFrom('promotions')
    .select(['generation', 'previous'])
    .where('model', '=', model)
    .where('version', '=', version)
    .where('alias', '=', CHAMPION)
    .where('request_id', '=', requestId)
    .executeTakeFirstOrThrow();

/** One promotion in one transaction; a repeated one touches nothing and gives the first answer. */
export const promote = async (transaction: Transaction<Database>, change: Promotion): Promise<Answer> => {
  const { model, version, requestId } = change;
  const current = await lockDeployment(transaction, model);
  const previous = current.split.stable;
  if (!(await insertPromotion(transaction, change, previous))) return recordedPromotion(transaction, change);
  const split = { stable: version, canary: null, canaryWeight: 0 };
  const generation = await moveTraffic(transaction, current, { ...change, split, reason: 'promoted' });
  await moveAlias(transaction, { model, alias: CHAMPION, version, requestId, reason: 'promoted' });
  return { generation, previous };
};

/** The champion that a promotion of this rollout replaced; undefined when the rollout promoted nothing. */
const replacedChampion = (transaction: Transaction<Database>, model: string, rolloutId: string) =>
  transaction
    .selectFrom('model_alias_moves as move')
    .innerJoin('deployment_generations as generation', (join) =>
      join.onRef('generation.model', '=', 'move.model').onRef('generation.request_id', '=', 'move.request_id'),
    )
    .select(['move.from_version', 'move.to_version'])
    .where('move.model', '=', model)
    .where('move.alias', '=', CHAMPION)
    .where('move.reason', '=', 'promoted')
    .where('generation.rollout_id', '=', rolloutId)
    .orderBy('move.id')
    .executeTakeFirst();

/** Gives the alias back where this rollout moved it, unless it has moved on since. */
const giveChampionBack = async (transaction: Transaction<Database>, { model, requestId, rolloutId, reason }: Restoration): Promise<void> => {
  const move = await replacedChampion(transaction, model, rolloutId);
  if (move === undefined || move.to_version !== (await lockAlias(transaction, model, CHAMPION))) return;
  await moveAlias(transaction, { model, alias: CHAMPION, version: move.from_version, requestId, reason });
};

/** All traffic to `stable`, whatever the generation. */
export const restore = async (transaction: Transaction<Database>, change: Restoration): Promise<{ generation: number }> => {
  const current = await lockDeployment(transaction, change.model);
  const done = await generationOfRequest(transaction, change.model, change.requestId);
  if (done !== undefined) return { generation: done };
  await giveChampionBack(transaction, change);
  const split = { stable: change.stable, canary: null, canaryWeight: 0 };
  return { generation: await writeGeneration(transaction, current, { ...change, split }) };
};
