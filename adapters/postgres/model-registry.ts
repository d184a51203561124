/** Registered models, versions and aliases in PostgreSQL. */
import { sql, type Kysely, type Transaction } from 'kysely';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { ModelSignature } from '../../contracts/features.ts';
import { CHALLENGER } from '../../contracts/ids.ts';
import type { EvaluationReport, Lineage } from '../../contracts/model.ts';
import type { ModelRegistry } from '../../domain/ports/model-registry.ts';
import { moveAlias } from './aliases.ts';
import { asJson, askDatabase } from './client.ts';
import type { Database } from './schema.ts';

type Registration = Parameters<ModelRegistry['registerVersion']>[0];

/** The lock on the model's row puts registrations in a row: numbers neither repeat nor leave a gap. */
const lockModel = async (transaction: Transaction<Database>, model: string): Promise<void> => {
  await transaction.insertInto('registered_models').values({ name: model }).onConflict((conflict) => conflict.doNothing()).execute();
  await transaction.selectFrom('registered_models').select('name').where('name', '=', model).forUpdate().execute();
};

const versionOfRun = (transaction: Transaction<Database>, model: string, runId: string) =>
  transaction.selectFrom('model_versions').select('version').where('model', '=', model).where('run_id', '=', runId).executeTakeFirst();

const nextVersion = async (transaction: Transaction<Database>, model: string): Promise<number> => {
  const { last_version: next } = await transaction
    .updateTable('registered_models')
    .set({ last_version: sql<number>`greatest(last_version, (select max(version) from registered_versions v where v.model = registered_models.name)) + 1`, updated_at: new Date() })
    .where('name', '=', model)
    .returning('last_version')
    .executeTakeFirstOrThrow();
  return next;
};

const insertVersion = (transaction: Transaction<Database>, version: number, input: Registration) =>
  transaction
    .insertInto('model_versions')
    .values({
      model: input.model,
      version,
      run_id: input.runId,
      artifact: asJson(input.trained.model),
      model_sha256: input.trained.model.sha256,
      signature: asJson(input.signature),
      metrics: asJson(input.evaluation.candidate),
      evaluation: asJson(input.evaluation),
      gates: asJson(input.gates),
      lineage: asJson(input.lineage),
    })
    .execute();

const register = async (transaction: Transaction<Database>, input: Registration): Promise<number> => {
  await lockModel(transaction, input.model);
  const existing = await versionOfRun(transaction, input.model, input.runId);
  if (existing !== undefined) return existing.version;
  const version = await nextVersion(transaction, input.model);
  await insertVersion(transaction, version, input);
  await moveAlias(transaction, { model: input.model, alias: CHALLENGER, version, requestId: input.runId, reason: 'registered' });
  return version;
};

/** The registry on PostgreSQL. Every method throws PostgresUnavailable in an outage. */
export const createModelRegistry = (database: Kysely<Database>): ModelRegistry => ({
  registerVersion: async (input) => {
    const version = await askDatabase(() => database.transaction().execute((transaction) => register(transaction, input)));
    return { model: input.model, version };
  },
  version: async (model, version) => {
    const row = await askDatabase(() =>
      database.selectFrom('model_versions').selectAll().where('model', '=', model).where('version', '=', version).executeTakeFirst(),
    );
    if (row === undefined) return undefined;
    return {
      model: row.model,
      version: row.version,
      runId: row.run_id,
      artifact: row.artifact as ArtifactRef,
      signature: row.signature as ModelSignature,
      evaluation: row.evaluation as EvaluationReport,
      lineage: row.lineage as Lineage,
      createdAt: row.created_at.toISOString(),
    };
  },
  alias: async (model, alias) => {
    const row = await askDatabase(() =>
      database.selectFrom('model_aliases').select('version').where('model', '=', model).where('alias', '=', alias).executeTakeFirst(),
    );
    return row?.version;
  },
});
