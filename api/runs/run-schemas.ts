/** What the API shows of a run. */
import { z } from 'zod';
import { Instant, RunId } from '../http/schemas.ts';
import { StepResources } from './resources.ts';

export const FailureView = z.object({ code: z.string(), message: z.string(), fix: z.string(), logTail: z.array(z.string()).optional() });

export const ProgressView = z.object({ done: z.number(), total: z.number(), metrics: z.record(z.string(), z.number()).optional(), what: z.string().optional() });

/**
 * `notStarted` steps have not begun, `skipped` ones never will; `waiting` ones say for what in `waitingFor`; `reused` ones took
 * the proven output of the run that this one retries.
 */
export const StepStateView = z.enum(['notStarted', 'waiting', 'running', 'succeeded', 'failed', 'cancelled', 'reused', 'skipped']);

export const StepView = z
  .object({
    name: z.string(),
    state: StepStateView,
    waitingFor: z.string().nullable(),
    pool: z.string().nullable(),
    attempts: z.number().int(),
    progress: ProgressView.nullable(),
    heartbeatAgeSeconds: z.number().nullable().describe('Seconds since the running attempt last reported; it reports every 4 s.'),
    input: z.unknown(),
    output: z.unknown(),
    failure: FailureView.nullable().describe('Why the step failed, or why its last attempt did while it is tried again.'),
    startedAt: Instant.nullable(),
    finishedAt: Instant.nullable(),
    durationMs: z.number().nullable(),
    resources: StepResources.nullable().describe('What its attempts used; null until the first one ended, and where nothing was measured.'),
  })
  .meta({ id: 'Step' });
export type StepView = z.infer<typeof StepView>;

export const RunStateView = z.enum(['running', 'succeeded', 'rejected', 'rolledBack', 'failed', 'cancelled', 'terminated']);

export const RunLinks = z.object({ self: z.string(), events: z.string(), temporal: z.string().describe('The run in the Temporal Web UI.') });

const TriggerView = z.object({
  kind: z.string(),
  id: z.string(),
  reason: z.string(),
  reproduces: z.object({ model: z.string(), version: z.number().int() }).optional().describe('The version that this run repeats.'),
});

const runFields = {
  runId: RunId,
  pipeline: z.string(),
  pipelineVersion: z.number().int().nullable(),
  model: z.string().nullable(),
  workflowId: z.string(),
  state: RunStateView,
  trigger: TriggerView.nullable(),
  retryOf: z.string().nullable(),
  outcome: z.unknown().describe('How it ended: succeeded, rejected with reasons, or rolledBack; null until then.'),
  failure: FailureView.nullable(),
  startedAt: Instant.nullable(),
  finishedAt: Instant.nullable(),
  durationMs: z.number().nullable(),
  links: RunLinks,
};

/** Triggers of one kind and reason that led to this run: the one that started it, or those that were coalesced into it. */
export const RunReason = z.object({
  kind: z.string(),
  reason: z.string(),
  events: z.number().int().describe('How many triggers had this reason.'),
  started: z.boolean().describe('Whether one of them started the run.'),
  firstAt: Instant,
  lastAt: Instant,
});
export type RunReason = z.infer<typeof RunReason>;

/** `degraded` says what could not be asked: what is shown then comes from PostgreSQL alone. */
export const RunView = z
  .object({
    ...runFields,
    step: z.string().nullable(),
    waitingFor: z.string().nullable(),
    degraded: z.string().nullable(),
    steps: z.array(StepView),
    resources: StepResources.nullable(),
    currency: z.string().nullable(),
    reasons: z.array(RunReason).describe('From the trigger ledger, the one that started it first; at most 50. Empty for a run by hand.'),
  })
  .meta({ id: 'Run' });
export type RunView = z.infer<typeof RunView>;

export const StepMarkView = z.object({ name: z.string(), state: z.enum(['waiting', 'running', 'succeeded', 'failed', 'cancelled', 'reused']), durationMs: z.number().nullable() });

export const RunSummary = z
  .object({ ...runFields, steps: z.array(StepMarkView).optional().describe('The steps that it has begun, in their order; only where `steps=true` asks for them.') })
  .meta({ id: 'RunSummary' });
export type RunSummary = z.infer<typeof RunSummary>;

export const StartedRun = z.object({ runId: RunId, workflowId: z.string(), links: RunLinks }).meta({ id: 'StartedRun' });
export type StartedRun = z.infer<typeof StartedRun>;
