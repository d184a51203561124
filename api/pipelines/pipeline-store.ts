/** Pipelines and their versions, which never change once written. */
import { sql, type Kysely, type Transaction } from 'kysely';
import type { Database } from '../../adapters/postgres/schema.ts';
import { PipelineSpec } from '../../contracts/pipeline.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import { audit } from '../http/audit.ts';
import { canonicalJson, sha256 } from '../http/unique.ts';
import type { Principal } from '../keys/key-store.ts';
import { declareSchedules, type ScheduleChange } from '../schedules/schedule-rows.ts';

export type PipelineVersion = { name: string; version: number; spec: PipelineSpec };

export type PipelineStore = {
  /** Writes a changed pipeline as a new version; an unchanged one keeps its version. Its schedules are written with it. */
  apply(spec: PipelineSpec, principal: Principal): Promise<{ version: number; hash: string; created: boolean; schedules: ScheduleChange[] }>;
  /** @throws PerennialFailure PipelineNotFound */
  current(name: string): Promise<PipelineVersion>;
  /** @throws PerennialFailure PipelineNotFound */
  version(name: string, version: number): Promise<PipelineVersion>;
  /** Names of the pipelines whose name, or whose source's dataset, is `subject`. */
  subscribedTo(subject: string): Promise<string[]>;
};

const MOST_KEPT = 500;

const notFound = (name: string, version?: number): PerennialFailure =>
  new PerennialFailure('PipelineNotFound', version === undefined ? `there is no pipeline "${name}"` : `the pipeline "${name}" has no version ${version}`);

const applyIn = async (transaction: Transaction<Database>, spec: PipelineSpec): Promise<{ version: number; hash: string; created: boolean }> => {
  const hash = sha256(canonicalJson(spec));
  await transaction.insertInto('pipelines').values({ name: spec.name, current_version: 0 }).onConflict((conflict) => conflict.column('name').doNothing()).execute();
  // The lock orders two who apply at once: each version number is given once.
  const row = await transaction.selectFrom('pipelines').select('current_version').where('name', '=', spec.name).forUpdate().executeTakeFirstOrThrow();
  const present = await transaction.selectFrom('pipeline_versions').select('spec_hash').where('pipeline', '=', spec.name).where('version', '=', row.current_version).executeTakeFirst();
  if (present?.spec_hash === hash) return { version: row.current_version, hash, created: false };
  const version = row.current_version + 1;
  return { version, hash, created: true };
};

export const createPipelineStore = (database: Kysely<Database>): PipelineStore => {
  const kept = new Map<string, PipelineVersion>();

  const apply: PipelineStore['apply'] = (spec, principal) =>
    database.transaction().execute(async (transaction) => {
      const applied = await applyIn(transaction, spec);
      const schedules = await declareSchedules(transaction, spec, principal);
      if (!applied.created) return { ...applied, schedules };
      const { version, hash } = applied;
      await transaction.insertInto('pipeline_versions').values({ pipeline: spec.name, version, spec: JSON.stringify(spec), spec_hash: hash, created_by: principal.name }).execute();
      await transaction.updateTable('pipelines').set({ current_version: version }).where('name', '=', spec.name).execute();
      await audit(transaction, principal, { action: 'pipeline.apply', subject: spec.name, detail: { version, hash } });
      return { ...applied, schedules };
    });

  const version: PipelineStore['version'] = async (name, number) => {
    const key = `${name}@${number}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    const row = await database.selectFrom('pipeline_versions').select('spec').where('pipeline', '=', name).where('version', '=', number).executeTakeFirst();
    if (row === undefined) throw notFound(name, number);
    const found = { name, version: number, spec: PipelineSpec.parse(row.spec) };
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(key, found);
    return found;
  };

  const current: PipelineStore['current'] = async (name) => {
    const row = await database.selectFrom('pipelines').select('current_version').where('name', '=', name).where('current_version', '>', 0).executeTakeFirst();
    if (row === undefined) throw notFound(name);
    return version(name, row.current_version);
  };

  const subscribedTo: PipelineStore['subscribedTo'] = async (subject) => {
    const { rows } = await sql<{ name: string }>`
      select p.name from pipelines p join pipeline_versions v on v.pipeline = p.name and v.version = p.current_version
      where v.spec->>'kind' = 'model' and (p.name = ${subject} or v.spec->'source'->>'dataset' = ${subject}) order by p.name`.execute(database);
    return rows.map((row) => row.name);
  };

  return { apply, current, version, subscribedTo };
};
