/** Aliases of model versions: one row says where an alias points, another that it moved and why. */
import type { Transaction } from 'kysely';
import type { Database } from './schema.ts';

export type AliasMove = { model: string; alias: string; version: number | null; requestId: string; reason: string };

/** The version that an alias names; null when it is not set. The row stays locked until the transaction ends. */
export const lockAlias = async (transaction: Transaction<Database>, model: string, alias: string): Promise<number | null> => {
  const row = await transaction
    .selectFrom('model_aliases')
    .select('version')
    .where('model', '=', model)
    .where('alias', '=', alias)
    .forUpdate()
    .executeTakeFirst();
  return row?.version ?? null;
};

const pointAlias = async (transaction: Transaction<Database>, { model, alias, version }: AliasMove): Promise<void> => {
  if (version === null) {
    await transaction.deleteFrom('model_aliases').where('model', '=', model).where('alias', '=', alias).execute();
    return;
  }
  await transaction
    .insertInto('model_aliases')
    .values({ model, alias, version })
    .onConflict((conflict) => conflict.columns(['model', 'alias']).doUpdateSet({ version, updated_at: new Date() }))
    .execute();
};

/** Points an alias at a version (null: nowhere) and records the move. The caller holds a lock of the model. */
export const moveAlias = async (transaction: Transaction<Database>, move: AliasMove): Promise<void> => {
  const from = await lockAlias(transaction, move.model, move.alias);
  await pointAlias(transaction, move);
  await transaction
    .insertInto('model_alias_moves')
    .values({ model: move.model, alias: move.alias, from_version: from, to_version: move.version, request_id: move.requestId, reason: move.reason })
    .execute();
};
