/**
 * The statements of a step's start and end. They are what the record of a run costs, so each is one statement with a constant text,
 * which a connection parses and plans once.
 */
import type { AttemptUse } from '../../contracts/resources.ts';
import type { FailureRecord, RunOutcome, RunState, StepContext } from '../../contracts/run.ts';
import { asJson } from './client.ts';

/** As the pg client takes it: the same name is always the same text. */
export type Statement = { name: string; text: string; values: unknown[] };

export type RunEnd = { state: RunState; outcome?: RunOutcome; failure?: FailureRecord };
export type Attempt = { number: number; worker: string; input: unknown };

const json = (value: unknown): string | null => (value === undefined ? null : asJson(value));

/** Parameters 1 to 10; the statements below go on at 11. */
const runValues = (context: StepContext, end?: RunEnd): unknown[] => [
  context.runId,
  context.pipeline,
  context.pipelineVersion,
  context.model ?? null,
  context.workflowId,
  asJson(context.trigger),
  context.retryOf ?? null,
  end?.state ?? 'running',
  json(end?.outcome),
  json(end?.failure),
];

const INSERT_RUN = `
  insert into runs (run_id, pipeline, pipeline_version, model, workflow_id, trigger, retry_of, state, outcome, failure, finished_at)
  values ($1, $2, $3, $4, $5, $6::jsonb, $7, $8::text, $9::jsonb, $10::jsonb, case when $8::text = 'running' then null else now() end)`;

const KEEP_RUN = `${INSERT_RUN} on conflict (run_id) do nothing`;

/** A row that is still open gets its end, and one that has an end keeps it. */
const END_RUN = `${INSERT_RUN}
  on conflict (run_id) do update set state = excluded.state, outcome = excluded.outcome, failure = excluded.failure, finished_at = excluded.finished_at
  where runs.finished_at is null`;

/** An attempt that was given up and starts late must not hide the next one. */
const START_STEP = `
  with run as (${KEEP_RUN})
  insert into run_steps (run_id, step, position, pool, state, attempts, worker, input, started_at)
  values ($1, $11, $12, $13, 'running', $14, $15, $16::jsonb, now())
  on conflict (run_id, step) do update set state = 'running', attempts = excluded.attempts, worker = excluded.worker, input = excluded.input,
    output = null, failure = null, started_at = coalesce(run_steps.started_at, excluded.started_at), finished_at = null
  where run_steps.attempts <= excluded.attempts`;

export const startStep = (context: StepContext, attempt: Attempt): Statement => ({
  name: 'start-step',
  text: START_STEP,
  values: [...runValues(context), context.step, context.position, context.pool, attempt.number, attempt.worker, json(attempt.input)],
});

/** The account of the attempt that ends: parameter `use` is its JSON, or null where nothing was measured. */
const keepUse = (outcome: string, use: number): string => `
  use as (insert into step_resources (run_id, step, attempt, pipeline, model, pool, outcome, waiting_seconds, duration_seconds, cpu_seconds,
      memory_gib_seconds, peak_memory_bytes, gpu_seconds, gpu_peak_memory_bytes, stored_bytes)
    select $1, $11, attempt, $2, $4, $13, ${outcome}, "waitingSeconds", "durationSeconds", "cpuSeconds",
      "memoryGibSeconds", "peakMemoryBytes", "gpuSeconds", "gpuPeakMemoryBytes", "storedBytes"
    from jsonb_to_record($${use}::jsonb) as used (attempt int, "waitingSeconds" float8, "durationSeconds" float8, "cpuSeconds" float8,
      "memoryGibSeconds" float8, "peakMemoryBytes" bigint, "gpuSeconds" float8, "gpuPeakMemoryBytes" bigint, "storedBytes" bigint)
    where $${use}::jsonb is not null
    on conflict (run_id, step, attempt) do update set outcome = excluded.outcome, duration_seconds = excluded.duration_seconds,
      cpu_seconds = excluded.cpu_seconds, memory_gib_seconds = excluded.memory_gib_seconds, peak_memory_bytes = excluded.peak_memory_bytes,
      gpu_seconds = excluded.gpu_seconds, gpu_peak_memory_bytes = excluded.gpu_peak_memory_bytes, stored_bytes = excluded.stored_bytes)`;

const finishStepText = (run: string): string => `
  with run as (${run}), ${keepUse("'succeeded'", 15)}
  insert into run_steps (run_id, step, position, pool, state, attempts, output, started_at, finished_at)
  values ($1, $11, $12, $13, 'succeeded', 1, $14::jsonb, now(), now())
  on conflict (run_id, step) do update set state = 'succeeded', output = excluded.output, failure = null, finished_at = now()`;

const FINISH_STEP = { name: 'finish-step', text: finishStepText(KEEP_RUN) };
const FINISH_LAST_STEP = { name: 'finish-last-step', text: finishStepText(END_RUN) };

export const finishStep = (context: StepContext, output: unknown, use?: AttemptUse): Statement => {
  const outcome = context.finishesRun;
  const end = outcome === undefined ? undefined : { state: outcome.kind, outcome };
  const values = [...runValues(context, end), context.step, context.position, context.pool, json(output), json(use)];
  return { ...(end === undefined ? FINISH_STEP : FINISH_LAST_STEP), values };
};

/** An attempt that was given up and fails late must not undo the success of the next one. */
const FAIL_STEP = `
  with run as (${KEEP_RUN}), ${keepUse('$14::text', 16)}
  insert into run_steps (run_id, step, position, pool, state, attempts, failure, started_at, finished_at)
  values ($1, $11, $12, $13, $14::text, 1, $15::jsonb, now(), now())
  on conflict (run_id, step) do update set state = excluded.state, failure = excluded.failure, finished_at = now()
  where run_steps.state <> 'succeeded'`;

export const failStep = (context: StepContext, end: { failure: FailureRecord; state: 'failed' | 'cancelled' }, use?: AttemptUse): Statement => ({
  name: 'fail-step',
  text: FAIL_STEP,
  values: [...runValues(context), context.step, context.position, context.pool, end.state, asJson(end.failure), json(use)],
});

const FINISH_RUN = `
  with steps as (
    update run_steps set state = case when $8::text = 'cancelled' then 'cancelled' else 'failed' end, failure = coalesce(failure, $10::jsonb), finished_at = now()
    where run_id = $1 and state in ('waiting', 'running') and $8::text in ('failed', 'cancelled', 'terminated'))
  ${END_RUN}`;

/** Ends the run; steps that a broken-off run left open end with it, because nobody else will write them. */
export const finishRun = (context: StepContext, end: RunEnd): Statement => ({ name: 'finish-run', text: FINISH_RUN, values: runValues(context, end) });
