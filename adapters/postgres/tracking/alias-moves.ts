/** Moves of aliases: several at once, all or none, each only from the version that was expected; and the history of an alias. */
import type { Kysely, Transaction } from 'kysely';
import { CHAMPION } from '../../../contracts/ids.ts';
import { PerennialFailure } from '../../../domain/failure.ts';
import { lockAlias, moveAlias } from '../aliases.ts';
import type { Database } from '../schema.ts';

/** `version` null: the alias names nothing. `expected`: what it names before (null: nothing); undefined: whatever. */
export type AliasWish = { model: string; alias: string; version: number | null; expected?: number | null };

const nameOf = (version: number | null): string => (version === null ? 'no version' : `version ${version}`);

const lockModels = async (transaction: Transaction<Database>, wishes: readonly AliasWish[]): Promise<void> => {
  const names = [...new Set(wishes.map(({ model }) => model))];
  // In one order, so that two requests that share models do not wait for each other.
  const found = await transaction.selectFrom('registered_models').select('name').where('name', 'in', names).orderBy('name').forUpdate().execute();
  const known = new Set(found.map(({ name }) => name));
  const absent = names.find((name) => !known.has(name));
  if (absent !== undefined) throw new PerennialFailure('ModelNotFound', `there is no model "${absent}"`);
};

const isDeployed = async (transaction: Transaction<Database>, model: string): Promise<boolean> =>
  (await transaction.selectFrom('deployments').select('model').where('model', '=', model).executeTakeFirst()) !== undefined;

const requireVersion = async (transaction: Transaction<Database>, { model, version }: AliasWish): Promise<void> => {
  if (version === null) return;
  const row = await transaction.selectFrom('registered_versions').select('version').where('model', '=', model).where('version', '=', version).executeTakeFirst();
  if (row === undefined) throw new PerennialFailure('ModelVersionNotFound', `the model "${model}" has no version ${version}`);
};

const moveOne = async (transaction: Transaction<Database>, wish: AliasWish, by: { requestId: string; reason: string }): Promise<void> => {
  const { model, alias, version, expected } = wish;
  const current = await lockAlias(transaction, model, alias);
  if (expected !== undefined && current !== expected) {
    throw new PerennialFailure('AliasConflict', `the alias "${alias}" of "${model}" names ${nameOf(current)}, not ${nameOf(expected)}`);
  }
  if (current === version) return;
  if (alias === CHAMPION && (await isDeployed(transaction, model))) {
    throw new PerennialFailure('AliasFollowsRollout', `"${model}" is deployed: its rollout moves traffic and the alias "${CHAMPION}" together`);
  }
  await requireVersion(transaction, wish);
  await moveAlias(transaction, { model, alias, version, ...by });
};

/**
 * All moves in one transaction.
 * @throws PerennialFailure ModelNotFound, ModelVersionNotFound, AliasConflict, AliasFollowsRollout; then nothing has moved
 */
export const moveAliases = async (transaction: Transaction<Database>, wishes: readonly AliasWish[], by: { requestId: string; reason: string }): Promise<void> => {
  await lockModels(transaction, wishes);
  for (const wish of wishes) await moveOne(transaction, wish, by);
};

export type AliasMoveRow = { alias: string; from: number | null; to: number | null; reason: string; requestId: string; at: string };

/** Moves of the aliases of a model, newest first. */
export const aliasHistory = async (database: Kysely<Database>, { model, alias, limit }: { model: string; alias: string | undefined; limit: number }): Promise<AliasMoveRow[]> => {
  let query = database.selectFrom('model_alias_moves').selectAll().where('model', '=', model);
  if (alias !== undefined) query = query.where('alias', '=', alias);
  const rows = await query.orderBy('id', 'desc').limit(limit).execute();
  return rows.map((row) => ({ alias: row.alias, from: row.from_version, to: row.to_version, reason: row.reason, requestId: row.request_id, at: row.at.toISOString() }));
};
