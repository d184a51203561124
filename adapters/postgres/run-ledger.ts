/** Rows of runs and steps in PostgreSQL. */
import { sql, type Kysely } from 'kysely';
import type pg from 'pg';
import type { RunState } from '../../contracts/run.ts';
import type { RunLedger } from '../../domain/ports/run-ledger.ts';
import { asJson, askDatabase } from './client.ts';
import { failStep, finishRun, finishStep, startStep, type Statement } from './run-statements.ts';
import type { Database } from './schema.ts';

type Connection = { database: Kysely<Database>; pool: pg.Pool };

/**
 * Takes the runs that were looked at longest ago, so that many open ones (waiting for an approval, say) do not hide a closed one,
 * and two workers look at different ones.
 */
const takeUnsettled = (database: Kysely<Database>, limit: number) =>
  sql<{ run_id: string; workflow_id: string; state: string }>`
    update runs set settlement_checked_at = now()
    where run_id in (select run_id from runs where history is null order by settlement_checked_at nulls first, started_at limit ${limit} for update skip locked)
    returning run_id, workflow_id, state`.execute(database);

/** Steps that a broken-off run left open end with it. A row that has its end gets the history alone. */
const settleRun = (database: Kysely<Database>, ...[runId, { state, failure, history }]: Parameters<RunLedger['settleRun']>) => {
  const record = failure === undefined ? null : asJson(failure);
  return sql`
    with steps as (
      update run_steps set state = ${state === 'cancelled' ? 'cancelled' : 'failed'}, failure = coalesce(failure, ${record}::jsonb), finished_at = now()
      where run_id = ${runId} and state in ('waiting', 'running') and ${['failed', 'cancelled', 'terminated'].includes(state)})
    update runs set history = ${asJson(history)}::jsonb, state = case when finished_at is null then ${state} else state end,
      failure = case when finished_at is null then ${record}::jsonb else failure end, finished_at = coalesce(finished_at, now())
    where run_id = ${runId}`.execute(database);
};

const settlement = (database: Kysely<Database>): Pick<RunLedger, 'unsettledRuns' | 'settleRun'> => ({
  unsettledRuns: async (limit) => {
    const { rows } = await askDatabase(() => takeUnsettled(database, limit));
    return rows.map((row) => ({ runId: row.run_id, workflowId: row.workflow_id, state: row.state as RunState }));
  },
  settleRun: async (runId, end) => {
    await askDatabase(() => settleRun(database, runId, end));
  },
});

/** What steps left behind: the outputs of a run, and content-addressed rows, of which the first stands. */
const products = (database: Kysely<Database>): Pick<RunLedger, 'outputsOf' | 'datasetManifest' | 'previousDataset' | 'recordDataset' | 'recordFeatureSet'> => ({
  outputsOf: (runId) =>
    askDatabase(() =>
      database
        .selectFrom('run_steps')
        .select(['step', 'position', 'output'])
        .where('run_id', '=', runId)
        .where('state', 'in', ['succeeded', 'reused'])
        .orderBy('position')
        .execute(),
    ),
  datasetManifest: async (name, version) =>
    (await askDatabase(() => database.selectFrom('datasets').select('manifest').where('name', '=', name).where('version', '=', version).executeTakeFirst()))?.manifest,
  previousDataset: async (name, version) =>
    (
      await askDatabase(() =>
        database
          .selectFrom('datasets as earlier')
          .select('earlier.manifest')
          .where('earlier.name', '=', name)
          .where(({ eb, selectFrom }) => eb('earlier.created_at', '<', selectFrom('datasets as own').select('own.created_at').where('own.name', '=', name).where('own.version', '=', version)))
          .orderBy('earlier.created_at', 'desc')
          .limit(1)
          .executeTakeFirst(),
      )
    )?.manifest,
  recordDataset: async ({ name, version, manifest, rows, bytes, runId }) => {
    const row = { name, version, manifest: asJson(manifest), rows, bytes, run_id: runId };
    // The same version again has the same content: only its estimates may differ, or its shape, where an older release wrote it.
    await askDatabase(() => database.insertInto('datasets').values(row).onConflict((conflict) => conflict.columns(['name', 'version']).doUpdateSet({ manifest: row.manifest })).execute());
  },
  recordFeatureSet: async ({ name, version, manifest, rows, runId }) => {
    const row = { name, version, manifest: asJson(manifest), rows, run_id: runId };
    await askDatabase(() => database.insertInto('feature_sets').values(row).onConflict((conflict) => conflict.doNothing()).execute());
  },
});

/** The ledger on PostgreSQL. Every method throws PostgresUnavailable in an outage. */
export const createRunLedger = ({ database, pool }: Connection): RunLedger => {
  const execute = async (statement: Statement): Promise<void> => {
    await askDatabase(() => pool.query(statement));
  };
  return {
    startStep: (context, attempt) => execute(startStep(context, attempt)),
    finishStep: (context, output, use) => execute(finishStep(context, output, use)),
    failStep: (context, failure, state, use) => execute(failStep(context, { failure, state }, use)),
    finishRun: (context, end) => execute(finishRun(context, end)),
    ...settlement(database),
    ...products(database),
  };
};
