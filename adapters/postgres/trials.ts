/** Rows of trials in PostgreSQL. */
import { sql, type Kysely } from 'kysely';
import type { Trials } from '../../domain/ports/trials.ts';
import { asJson, askDatabase } from './client.ts';
import type { Database } from './schema.ts';

const start = (database: Kysely<Database>, { runId, number, params, attempt, worker }: Parameters<Trials['start']>[0]) => sql`
  insert into search_trials (run_id, number, params, state, attempts, worker) values (${runId}, ${number}, ${asJson(params)}::jsonb, 'running', ${attempt}, ${worker})
  on conflict (run_id, number) do update set attempts = greatest(search_trials.attempts, excluded.attempts), worker = excluded.worker
  where search_trials.state = 'running'`.execute(database);

/** Keys of `reports` are rungs; what is there already wins. */
const report = (database: Kysely<Database>, runId: string, { number, rung, value }: Parameters<Trials['report']>[1]) => sql`
  update search_trials set reports = jsonb_build_object(${String(rung)}::text, ${value}::float8) || reports where run_id = ${runId} and number = ${number}`.execute(database);

const succeed = (database: Kysely<Database>, { runId, number, value, seconds }: Parameters<Trials['succeed']>[0]) => sql`
  update search_trials set state = 'succeeded', value = ${value}, seconds = ${seconds}, failure = null, finished_at = coalesce(finished_at, now())
  where run_id = ${runId} and number = ${number} and state in ('running', 'succeeded')`.execute(database);

const end = (database: Kysely<Database>, { runId, number, params, state, value, seconds, failure }: Parameters<Trials['end']>[0]) => sql`
  insert into search_trials (run_id, number, params, state, value, seconds, failure, finished_at)
  values (${runId}, ${number}, ${asJson(params)}::jsonb, ${state}, ${value}, ${seconds}, ${failure === null ? null : asJson(failure)}::jsonb, now())
  on conflict (run_id, number) do update set state = excluded.state, value = excluded.value, seconds = excluded.seconds, failure = excluded.failure,
    finished_at = coalesce(search_trials.finished_at, excluded.finished_at)`.execute(database);

/** Trials count as attempts of the search step, from 1, so that the cost of a run holds them. */
const account = (database: Kysely<Database>, ...[{ context, number, pool }, use]: Parameters<Trials['account']>) =>
  database
    .insertInto('step_resources')
    .values({
      run_id: context.runId,
      step: context.step,
      attempt: number + 1,
      pipeline: context.pipeline,
      model: context.model ?? null,
      pool,
      outcome: 'succeeded',
      waiting_seconds: use.waitingSeconds,
      duration_seconds: use.durationSeconds,
      cpu_seconds: use.cpuSeconds,
      memory_gib_seconds: use.memoryGibSeconds,
      peak_memory_bytes: use.peakMemoryBytes,
      gpu_seconds: use.gpuSeconds,
      gpu_peak_memory_bytes: use.gpuPeakMemoryBytes,
      stored_bytes: use.storedBytes,
    })
    .onConflict((conflict) => conflict.columns(['run_id', 'step', 'attempt']).doNothing())
    .execute();

/** @throws PerennialFailure PostgresUnavailable */
export const createTrials = (database: Kysely<Database>): Trials => ({
  start: async (trial) => void (await askDatabase(() => start(database, trial))),
  report: async (runId, value) => void (await askDatabase(() => report(database, runId, value))),
  account: async (trial, use) => void (await askDatabase(() => account(database, trial, use))),
  succeed: async (trial) => void (await askDatabase(() => succeed(database, trial))),
  end: async (trial) => void (await askDatabase(() => end(database, trial))),
});
