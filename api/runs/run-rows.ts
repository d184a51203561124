/** Rows of runs and their steps, as the step activities write them. */
import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { Database } from '../../adapters/postgres/schema.ts';
import type { FailureRecord, RunOutcome, RunState, RunTrigger, StepState } from '../../contracts/run.ts';

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
};

const UTC = sql.lit('YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
const asUtc = (instant: RawBuilder<unknown>) => sql`to_char(${instant} at time zone 'utc', ${UTC})`;
const at = (column: string) => asUtc(sql.ref(column));

const RUN = sql`r.run_id as "runId", r.pipeline, r.pipeline_version as "pipelineVersion", r.model, r.workflow_id as "workflowId", r.trigger,
  r.state, r.outcome, r.failure, r.retry_of as "retryOf", ${at('r.started_at')} as "startedAt", ${at('r.finished_at')} as "finishedAt"`;

export type RunRows = {
  run: RunRow;
  steps: StepRow[];
  /** Milliseconds since a row of the run last changed, by the clock of the database. */
  quietMs: number;
};

const quietMsOf = (now: string, run: RunRow, steps: readonly StepRow[]): number =>
  Date.parse(now) - Math.max(...[run.startedAt, ...steps.flatMap((step) => [step.startedAt, step.finishedAt])].map((time) => (time === null ? 0 : Date.parse(time))));

/** One run with its steps, in one question: this is what clients poll. */
export const readRun = async (database: Kysely<Database>, runId: string): Promise<RunRows | undefined> => {
  const { rows } = await sql<RunRow & { steps: StepRow[] | null; now: string }>`
    select ${RUN}, ${asUtc(sql`now()`)} as now, (
      select json_agg(json_build_object('step', s.step, 'position', s.position, 'pool', s.pool, 'state', s.state, 'attempts', s.attempts,
        'worker', s.worker, 'input', s.input, 'output', s.output, 'failure', s.failure,
        'startedAt', ${at('s.started_at')}, 'finishedAt', ${at('s.finished_at')}) order by s.position)
      from run_steps s where s.run_id = r.run_id) as steps
    from runs r where r.run_id = ${runId}`.execute(database);
  const [row] = rows;
  if (row === undefined) return undefined;
  const { steps, now, ...run } = row;
  return { run, steps: steps ?? [], quietMs: quietMsOf(now, run, steps ?? []) };
};

export type RunFilter = { pipeline?: string | undefined; state?: string | undefined; before?: string | undefined; limit: number };

/** Runs, newest first; `before` is the run id after which the page begins. */
export const listRuns = async (database: Kysely<Database>, { pipeline, state, before, limit }: RunFilter): Promise<RunRow[]> => {
  const { rows } = await sql<RunRow>`
    select ${RUN} from runs r
    where ${pipeline === undefined ? sql`true` : sql`r.pipeline = ${pipeline}`}
      and ${state === undefined ? sql`true` : sql`r.state = ${state}`}
      and ${before === undefined ? sql`true` : sql`(r.started_at, r.run_id) < (select b.started_at, b.run_id from runs b where b.run_id = ${before})`}
    order by r.started_at desc, r.run_id desc limit ${limit}`.execute(database);
  return rows;
};
