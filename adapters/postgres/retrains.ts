/** Runs of a model as the trigger ledger weighs them: what is open, what was spent, and whether retrains still beat the champion. */
import { sql, type Kysely, type Transaction } from 'kysely';
import { CHAMPION } from '../../contracts/ids.ts';
import type { RunState } from '../../contracts/run.ts';
import type { ChampionStanding, RetrainVerdict } from '../../contracts/trigger.ts';
import { championStanding, retrainVerdict } from '../../domain/champion-streak.ts';
import type { Retrains } from '../../domain/ports/monitoring.ts';
import { askDatabase } from './client.ts';
import type { Database } from './schema.ts';

const MOST_OPEN = 5;

type Scope = { pipeline: string; model: string | null };

const openRuns = async (database: Kysely<Database>, { pipeline, model }: Scope): Promise<string[]> => {
  const { rows } = await sql<{ run_id: string }>`
    select run_id from runs where state = 'running' and (pipeline = ${pipeline} or model = ${model}) order by started_at desc limit ${MOST_OPEN}`.execute(database);
  return rows.map((row) => row.run_id);
};

/** A step that runs on is counted up to now. */
const spentIn = async (database: Kysely<Database>, { pipeline, model }: Scope, periodSeconds: number) => {
  const { rows } = await sql<{ runs: number; seconds: number }>`
    select count(*)::int as runs, coalesce(sum(extract(epoch from coalesce(s.finished_at, now()) - s.started_at)), 0)::float8 as seconds
    from runs r left join run_steps s on s.run_id = r.run_id and s.step = 'train' and s.started_at is not null and s.state <> 'reused'
    where (r.pipeline = ${pipeline} or r.model = ${model}) and r.started_at > now() - make_interval(secs => ${periodSeconds})`.execute(database);
  return { runs: rows[0]?.runs ?? 0, trainSeconds: rows[0]?.seconds ?? 0 };
};

const hasChampion = async (transaction: Transaction<Database>, model: string): Promise<boolean> =>
  (await transaction.selectFrom('model_aliases').select('version').where('model', '=', model).where('alias', '=', CHAMPION).executeTakeFirst()) !== undefined;

const recorded = async (transaction: Transaction<Database>, runId: string): Promise<ChampionStanding | undefined> => {
  const row = await transaction.selectFrom('retrains').selectAll().where('run_id', '=', runId).executeTakeFirst();
  if (row === undefined) return undefined;
  const { model, unbeaten, unbeaten_limit: limit } = row;
  return { model, runId, verdict: row.verdict as RetrainVerdict, unbeaten, limit, isDue: unbeaten >= limit };
};

const recordRetrain = async (transaction: Transaction<Database>, { pipeline, runId, limit }: Parameters<Retrains['record']>[0]): Promise<ChampionStanding | null> => {
  const run = await transaction.selectFrom('runs').select(['model', 'state']).where('run_id', '=', runId).executeTakeFirst();
  if (run === undefined || run.model === null) return null;
  const { model } = run;
  // The streak is counted by one at a time.
  await sql`select pg_advisory_xact_lock(hashtext('retrains'), hashtext(${model}))`.execute(transaction);
  const known = await recorded(transaction, runId);
  if (known !== undefined) return known;
  const verdict = retrainVerdict({ state: run.state as RunState, hasChampion: await hasChampion(transaction, model) });
  if (verdict === null) return null;
  const before = await transaction.selectFrom('retrains').select('unbeaten').where('model', '=', model).orderBy('sequence', 'desc').limit(1).executeTakeFirst();
  const standing = championStanding(before?.unbeaten ?? 0, verdict, limit);
  await transaction.insertInto('retrains').values({ run_id: runId, model, pipeline, verdict, unbeaten: standing.unbeaten, unbeaten_limit: limit }).execute();
  return { model, runId, verdict, limit, ...standing };
};

/** @throws PerennialFailure PostgresUnavailable */
export const createRetrains = (database: Kysely<Database>): Retrains => ({
  facts: async ({ pipeline, model = null, periodSeconds }) => {
    const scope = { pipeline, model };
    const open = await askDatabase(() => openRuns(database, scope));
    if (periodSeconds === undefined) return { openRuns: open };
    return { openRuns: open, spent: await askDatabase(() => spentIn(database, scope, periodSeconds)) };
  },
  record: (input) => askDatabase(() => database.transaction().execute((transaction) => recordRetrain(transaction, input))),
});
