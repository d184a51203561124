/**
 * The edge of every activity: it writes the step's rows, keeps the heartbeat, and turns errors into Temporal failures.
 *
 * A PerennialFailure becomes an ApplicationFailure of its code, retryable or not as contracts/failures.ts says;
 * any other error keeps its stack, goes through as it is, and is retried, because nobody judged it; a step gives up after some minutes.
 */
import { hostname } from 'node:os';
import { ApplicationFailure, CancelledFailure, Context, log } from '@temporalio/activity';
import { TemporalFailure } from '@temporalio/common';
import type { FailureRecord, StepContext } from '../contracts/run.ts';
import { PerennialFailure, failureRecord } from '../domain/failure.ts';
import type { RunLedger } from '../domain/ports/run-ledger.ts';

const HEARTBEAT_MS = 4_000;

/** What an activity reports while it runs: shown by API and CLI, and given back to the next attempt. */
export type HeartbeatDetails = {
  progress?: { done: number; total: number; metrics?: Record<string, number>; what?: string };
  /** Where the next attempt may go on. */
  checkpoint?: unknown;
  /** How long the trainer ran in all attempts so far, as the attempt of this number knows. */
  used?: { seconds: number; attempt: number };
};

export type ActivityTools = {
  /** Aborted when the run is cancelled, the attempt has timed out, or the worker shuts down. */
  signal: AbortSignal;
  attempt: number;
  /** Details of the last heartbeat of the attempt before, if there was one. */
  previous: HeartbeatDetails | undefined;
  /** Merges into the details of the next heartbeat; a checkpoint is sent at once. */
  report(details: HeartbeatDetails): void;
};

const toApplicationFailure = (error: unknown): unknown => {
  if (!(error instanceof PerennialFailure)) return error;
  return ApplicationFailure.create({
    message: error.message,
    type: error.code,
    nonRetryable: !error.retryable,
    details: [failureRecord(error)],
    ...(error.cause instanceof Error ? { cause: error.cause } : {}),
  });
};

/** Runs the work with a heartbeat from a timer, so that a long native call or a slow network does not look like death. */
const withHeartbeat = async <T>(work: (tools: ActivityTools) => Promise<T>): Promise<T> => {
  const context = Context.current();
  const details: HeartbeatDetails = { ...(context.info.heartbeatDetails as HeartbeatDetails | undefined) };
  const timer = setInterval(() => context.heartbeat(details), HEARTBEAT_MS);
  try {
    return await work({
      signal: context.cancellationSignal,
      attempt: context.info.attempt,
      previous: context.info.heartbeatDetails as HeartbeatDetails | undefined,
      report: (news) => {
        Object.assign(details, news);
        context.heartbeat(details);
      },
    });
  } finally {
    clearInterval(timer);
  }
};

/** Wraps an activity that is no step of a run: heartbeat and error mapping. */
export const effect =
  <Input, Output>(work: (input: Input, tools: ActivityTools) => Promise<Output>) =>
  async (input: Input): Promise<Output> => {
    try {
      return await withHeartbeat((tools) => work(input, tools));
    } catch (error) {
      throw toApplicationFailure(error);
    }
  };

/** About three minutes of backoff: what nobody judged may be a passing trouble, but is more often a fault that comes again each time. */
const UNJUDGED_ATTEMPTS = 10;

const recordOf = (error: unknown): FailureRecord => {
  if (error instanceof PerennialFailure) return failureRecord(error);
  const message = error instanceof Error ? error.message : String(error);
  const fix =
    Context.current().info.attempt < UNJUDGED_ATTEMPTS
      ? `It is tried again, ${UNJUDGED_ATTEMPTS} times in all; the stack of each attempt is in the Temporal Web UI.`
      : `It came in each of ${UNJUDGED_ATTEMPTS} attempts: see the stack in the Temporal Web UI and the log of the worker, mend the cause, then retry the run.`;
  return { code: 'Internal', message, fix };
};

/** The failing step is written as far as the database allows: its absence must not hide the error itself. */
const recordFailure = async (ledger: RunLedger, context: StepContext, error: unknown): Promise<void> => {
  const cancelled = error instanceof CancelledFailure;
  try {
    await ledger.failStep(context, recordOf(error), cancelled ? 'cancelled' : 'failed');
  } catch (ledgerError) {
    log.warn('the failure of a step could not be recorded', { step: context.step, error: String(ledgerError) });
  }
};

const giveUpOn = (error: unknown): unknown => {
  const { info, cancellationSignal } = Context.current();
  const isJudged = !(error instanceof Error) || error instanceof PerennialFailure || error instanceof TemporalFailure || cancellationSignal.aborted;
  if (isJudged || info.attempt < UNJUDGED_ATTEMPTS) return toApplicationFailure(error);
  return ApplicationFailure.create({ message: error.message, type: 'Internal', nonRetryable: true, details: [recordOf(error)], cause: error });
};

/** Wraps an activity of a trial: as `effect`, but what nobody judged is not tried for ever. */
export const task =
  <Input, Output>(work: (input: Input, tools: ActivityTools) => Promise<Output>) =>
  async (input: Input): Promise<Output> => {
    try {
      return await withHeartbeat((tools) => work(input, tools));
    } catch (error) {
      throw giveUpOn(error);
    }
  };

/** Wraps a step of a run: besides `effect`, the run and step rows are written here, not by activities of their own. */
export const step =
  <Input extends { context: StepContext }, Output>(ledger: RunLedger, work: (input: Input, tools: ActivityTools) => Promise<Output>) =>
  async (input: Input): Promise<Output> => {
    const { context, ...rest } = input;
    const worker = `${hostname()}/${process.pid}`;
    try {
      await ledger.startStep(context, { number: Context.current().info.attempt, worker, input: rest });
      const output = await withHeartbeat((tools) => work(input, tools));
      await ledger.finishStep(context, output);
      return output;
    } catch (error) {
      await recordFailure(ledger, context, error);
      throw giveUpOn(error);
    }
  };
