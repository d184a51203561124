import type { AttemptUse } from '../../contracts/resources.ts';
import type { FailureRecord, StepContext } from '../../contracts/run.ts';
import type { TrialEnd, TrialParams, TrialReport } from '../../contracts/search.ts';

/** A trial of a run's search: numbers count from 0. */
export type TrialKey = { runId: string; number: number };

/** Rows of trials. Every write is absolute and keyed by (run, number), so that a retry repeats it harmlessly. */
export interface Trials {
  /** Inserts the row if it is not there, and sets it running with this attempt; a trial that has ended stays so. */
  start(trial: TrialKey & { params: TrialParams; attempt: number; worker: string }): Promise<void>;
  /** Keeps the value of a rung; the first one stands. */
  report(runId: string, report: TrialReport): Promise<void>;
  /** Accounts for the training of the trial with the use of the search step, where it was measured. */
  account(trial: { context: StepContext; number: number; pool: string }, use: AttemptUse): Promise<void>;
  /** Sets the trial succeeded, unless it has ended otherwise. */
  succeed(trial: TrialKey & { value: number; seconds: number }): Promise<void>;
  /** Sets how the trial ended: the word of the search, which decides it. */
  end(trial: TrialKey & { params: TrialParams; state: TrialEnd; value: number | null; seconds: number; failure: FailureRecord | null }): Promise<void>;
}
