/**
 * Rows of runs and steps. The hot writes, at the start and the end of every step, are one statement each:
 * they are the whole cost that the record adds to a step.
 */
import { sql, type Kysely, type RawBuilder } from 'kysely';
import type pg from 'pg';
import type { RunOutcome, RunState, StepContext } from '../../contracts/run.ts';
import type { RunLedger } from '../../domain/ports/run-ledger.ts';
import { asJson, askDatabase } from './client.ts';
import type { Database } from './schema.ts';

const json = (value: unknown): RawBuilder<unknown> => sql`${value === undefined ? null : asJson(value)}::jsonb`;

type RunEnd = { state: RunState; outcome?: RunOutcome; failure?: unknown };

const endOf = (outcome: RunOutcome | undefined): RunEnd | undefined => (outcome === undefined ? undefined : { state: outcome.kind, outcome });

/** The run row, inserted when it is not there; with an end, a row that is still open gets it, and one with an end keeps its own. */
const runRow = (context: StepContext, end?: RunEnd): RawBuilder<unknown> => sql`
  insert into runs (run_id, pipeline, pipeline_version, model, workflow_id, trigger, retry_of, state, outcome, failure, finished_at)
  values (${context.runId}, ${context.pipeline}, ${context.pipelineVersion}, ${context.model ?? null}, ${context.workflowId},
    ${json(context.trigger)}, ${context.retryOf ?? null}, ${end?.state ?? 'running'}, ${json(end?.outcome)}, ${json(end?.failure)},
    ${end === undefined ? sql`null` : sql`now()`})
  ${
    end === undefined
      ? sql`on conflict (run_id) do nothing`
      : sql`on conflict (run_id) do update set state = excluded.state, outcome = excluded.outcome, failure = excluded.failure,
          finished_at = excluded.finished_at where runs.finished_at is null`
  }`;

const BROKEN_OFF: readonly RunState[] = ['failed', 'cancelled', 'terminated'];

/** Steps that a broken-off run left open: nobody else will write them. */
const closeOpenSteps = (runId: string, { state, failure }: RunEnd): RawBuilder<unknown> => sql`
  update run_steps set state = ${state === 'cancelled' ? 'cancelled' : 'failed'}, failure = coalesce(failure, ${json(failure)}), finished_at = now()
  where run_id = ${runId} and state in ('waiting', 'running') and ${BROKEN_OFF.includes(state)}`;

const startStep = (context: StepContext, attempt: { number: number; worker: string; input: unknown }): RawBuilder<unknown> => sql`
  with run as (${runRow(context)})
  insert into run_steps (run_id, step, position, pool, state, attempts, worker, input, started_at)
  values (${context.runId}, ${context.step}, ${context.position}, ${context.pool}, 'running', ${attempt.number}, ${attempt.worker}, ${json(attempt.input)}, now())
  on conflict (run_id, step) do update set state = 'running', attempts = excluded.attempts, worker = excluded.worker, input = excluded.input,
    output = null, failure = null, started_at = coalesce(run_steps.started_at, excluded.started_at), finished_at = null
  where run_steps.attempts <= excluded.attempts`;

const finishStep = (context: StepContext, output: unknown): RawBuilder<unknown> => sql`
  with run as (${runRow(context, endOf(context.finishesRun))})
  insert into run_steps (run_id, step, position, pool, state, attempts, output, started_at, finished_at)
  values (${context.runId}, ${context.step}, ${context.position}, ${context.pool}, 'succeeded', 1, ${json(output)}, now(), now())
  on conflict (run_id, step) do update set state = 'succeeded', output = excluded.output, failure = null, finished_at = now()`;

/** An attempt that was given up and fails late must not undo the success of the next one. */
const failStep = (context: StepContext, failure: unknown, state: 'failed' | 'cancelled'): RawBuilder<unknown> => sql`
  with run as (${runRow(context)})
  insert into run_steps (run_id, step, position, pool, state, attempts, failure, started_at, finished_at)
  values (${context.runId}, ${context.step}, ${context.position}, ${context.pool}, ${state}, 1, ${json(failure)}, now(), now())
  on conflict (run_id, step) do update set state = excluded.state, failure = excluded.failure, finished_at = now()
  where run_steps.state <> 'succeeded'`;

/**
 * Takes the runs that were looked at longest ago, so that many open ones (waiting for an approval, say) do not hide a closed one,
 * and two workers look at different ones.
 */
const takeUnsettled = (limit: number): RawBuilder<{ run_id: string; workflow_id: string; state: string }> => sql`
  update runs set settlement_checked_at = now()
  where run_id in (select run_id from runs where history is null order by settlement_checked_at nulls first, started_at limit ${limit} for update skip locked)
  returning run_id, workflow_id, state`;

/**
 * Runs a hot statement by name, so that a connection parses and plans it once: planning costs more than running it.
 * The same name is always the same text.
 */
const executePrepared = async ({ database, pool }: { database: Kysely<Database>; pool: pg.Pool }, name: string, statement: RawBuilder<unknown>): Promise<void> => {
  const { sql: text, parameters } = statement.compile(database);
  await askDatabase(() => pool.query({ name, text, values: [...parameters] }));
};

/** The ledger on PostgreSQL. Every method throws PostgresUnavailable in an outage. */
export const createRunLedger = (connection: { database: Kysely<Database>; pool: pg.Pool }): RunLedger => {
  const { database } = connection;
  const execute = async (statement: RawBuilder<unknown>): Promise<void> => {
    await askDatabase(() => statement.execute(database));
  };
  return {
    startStep: (context, attempt) => executePrepared(connection, 'start-step', startStep(context, attempt)),
    finishStep: (context, output) => executePrepared(connection, context.finishesRun === undefined ? 'finish-step' : 'finish-last-step', finishStep(context, output)),
    failStep: (context, failure, state) => execute(failStep(context, failure, state)),
    finishRun: (context, end) => execute(sql`with steps as (${closeOpenSteps(context.runId, end)}) ${runRow(context, end)}`),
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
    unsettledRuns: async (limit) => {
      const { rows } = await askDatabase(() => takeUnsettled(limit).execute(database));
      return rows.map((row) => ({ runId: row.run_id, workflowId: row.workflow_id, state: row.state as RunState }));
    },
    settleRun: (runId, { history, ...end }) =>
      execute(sql`
        with steps as (${closeOpenSteps(runId, end)})
        update runs set history = ${json(history)}, state = case when finished_at is null then ${end.state} else state end,
          failure = case when finished_at is null then ${json(end.failure)} else failure end, finished_at = coalesce(finished_at, now())
        where run_id = ${runId}`),
    recordDataset: ({ name, version, manifest, rows, bytes, runId }) =>
      execute(sql`insert into datasets (name, version, manifest, rows, bytes, run_id)
        values (${name}, ${version}, ${json(manifest)}, ${rows}, ${bytes}, ${runId}) on conflict do nothing`),
    recordFeatureSet: ({ name, version, manifest, rows, runId }) =>
      execute(sql`insert into feature_sets (name, version, manifest, rows, run_id)
        values (${name}, ${version}, ${json(manifest)}, ${rows}, ${runId}) on conflict do nothing`),
  };
};
