/** Rows of runs and their steps, as the step activities write them. */
import { sql, type Kysely } from 'kysely';
import type { Pool } from 'pg';
import type { Database } from '../../adapters/postgres/schema.ts';
import type { AttemptUse } from '../../contracts/resources.ts';
import type { FailureRecord, RunOutcome, RunState, RunTrigger, StepState } from '../../contracts/run.ts';
import type { RunReason } from './run-schemas.ts';

export type RunRow = {
  runId: string;
  pipeline: string;
  pipelineVersion: number;
  model: string | null;
  workflowId: string;
  trigger: RunTrigger;
  state: RunState;
  outcome: RunOutcome | null;
  failure: FailureRecord | null;
  retryOf: string | null;
  startedAt: string;
  finishedAt: string | null;
};

export type StepRow = {
  step: string;
  position: number;
  pool: string;
  state: StepState;
  attempts: number;
  worker: string | null;
  input: unknown;
  output: unknown;
  failure: FailureRecord | null;
  startedAt: string | null;
  finishedAt: string | null;
  /** What its attempts used, as far as it was measured. */
  uses: AttemptUse[] | null;
};

/** A run as a row has it: instants are dates, or in JSON texts of PostgreSQL's. */
type Raw<T> = Omit<T, 'startedAt' | 'finishedAt'> & { startedAt: Date | string | null; finishedAt: Date | string | null };

const RUN = `r.run_id as "runId", r.pipeline, r.pipeline_version as "pipelineVersion", r.model, r.workflow_id as "workflowId", r.trigger,
  r.state, r.outcome, r.failure, r.retry_of as "retryOf", r.started_at as "startedAt", r.finished_at as "finishedAt"`;

const READ_RUN = `
  select ${RUN}, now() as now, (
    select json_agg(s order by s.position) from (
      select step, position, pool, state, attempts, worker, input, output, failure, started_at as "startedAt", finished_at as "finishedAt", (
        select json_agg(u order by u.attempt) from (
          select attempt, waiting_seconds as "waitingSeconds", duration_seconds as "durationSeconds", cpu_seconds as "cpuSeconds",
            memory_gib_seconds as "memoryGibSeconds", peak_memory_bytes as "peakMemoryBytes", gpu_seconds as "gpuSeconds",
            gpu_peak_memory_bytes as "gpuPeakMemoryBytes", stored_bytes as "storedBytes"
          from step_resources where run_id = run_steps.run_id and step = run_steps.step) u) as uses
      from run_steps where run_id = r.run_id) s) as steps
  from runs r where r.run_id = $1`;

const isoOf = (instant: Date | string | null): string | null => (instant === null ? null : new Date(instant).toISOString());

const withTimes = <T>(raw: Raw<T>): T => ({ ...raw, startedAt: isoOf(raw.startedAt), finishedAt: isoOf(raw.finishedAt) }) as T;

export type RunRows = {
  run: RunRow;
  steps: StepRow[];
  /** Milliseconds since a row of the run last changed, by the clock of the database. */
  quietMs: number;
};

const quietMsOf = (now: Date, run: RunRow, steps: readonly StepRow[]): number =>
  now.getTime() - Math.max(...[run.startedAt, ...steps.flatMap((step) => [step.startedAt, step.finishedAt])].map((time) => (time === null ? 0 : Date.parse(time))));

/** One run with its steps, in one question: this is what clients poll, so it is a prepared statement (a sixth of the time). */
export const readRun = async (pool: Pick<Pool, 'query'>, runId: string): Promise<RunRows | undefined> => {
  const { rows } = await pool.query<Raw<RunRow> & { steps: Raw<StepRow>[] | null; now: Date }>({ name: 'read-run', text: READ_RUN, values: [runId] });
  const [row] = rows;
  if (row === undefined) return undefined;
  const { steps: rawSteps, now, ...raw } = row;
  const [run, steps] = [withTimes<RunRow>(raw), (rawSteps ?? []).map(withTimes<StepRow>)];
  return { run, steps, quietMs: quietMsOf(now, run, steps) };
};

/** A trigger is coalesced into the run, or into the queued trigger that then became the run. */
const READ_REASONS = `
  with started as (select pipeline, trigger_id from triggers where run_id = $1)
  select kind, reason, count(*)::int as events, bool_or(outcome = 'ran') as started, min(at) as "firstAt", max(at) as "lastAt"
  from (
    select * from triggers where run_id = $1
    union all select * from triggers where coalesced_into = $1
    union all select t.* from started s join triggers t on t.coalesced_into = s.trigger_id and t.pipeline = s.pipeline) t
  group by kind, reason order by started desc, min(at), reason limit 50`;

/** Why the run was started, by the trigger ledger. */
export const readReasons = async (pool: Pick<Pool, 'query'>, runId: string): Promise<RunReason[]> => {
  const { rows } = await pool.query<Omit<RunReason, 'firstAt' | 'lastAt'> & { firstAt: Date; lastAt: Date }>({ name: 'read-reasons', text: READ_REASONS, values: [runId] });
  return rows.map((row) => ({ ...row, firstAt: row.firstAt.toISOString(), lastAt: row.lastAt.toISOString() }));
};

export type StepMark = { name: string; state: StepState; durationMs: number | null };

/** The steps that these runs have begun, in their order: states and durations alone. */
export const readStepMarks = async (database: Kysely<Database>, runIds: readonly string[]): Promise<Map<string, StepMark[]>> => {
  const marks = new Map<string, StepMark[]>(runIds.map((runId) => [runId, []]));
  if (runIds.length === 0) return marks;
  const rows = await database.selectFrom('run_steps').select(['run_id', 'step', 'state', 'started_at', 'finished_at']).where('run_id', 'in', [...runIds]).orderBy('position').execute();
  for (const { run_id, step, state, started_at, finished_at } of rows) {
    marks.get(run_id)?.push({ name: step, state: state as StepState, durationMs: started_at === null || finished_at === null ? null : finished_at.getTime() - started_at.getTime() });
  }
  return marks;
};

export type RunFilter = { pipeline?: string | undefined; state?: string | undefined; before?: string | undefined; limit: number };

/** Runs, newest first; `before` is the run id after which the page begins. */
export const listRuns = async (database: Kysely<Database>, { pipeline, state, before, limit }: RunFilter): Promise<RunRow[]> => {
  const { rows } = await sql<Raw<RunRow>>`
    select ${sql.raw(RUN)} from runs r
    where ${pipeline === undefined ? sql`true` : sql`r.pipeline = ${pipeline}`}
      and ${state === undefined ? sql`true` : sql`r.state = ${state}`}
      and ${before === undefined ? sql`true` : sql`(r.started_at, r.run_id) < (select b.started_at, b.run_id from runs b where b.run_id = ${before})`}
    order by r.started_at desc, r.run_id desc limit ${limit}`.execute(database);
  return rows.map(withTimes<RunRow>);
};
