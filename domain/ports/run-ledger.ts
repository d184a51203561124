import type { AttemptUse } from '../../contracts/resources.ts';
import type { FailureRecord, RunHistoryRef, RunOutcome, RunState, StepContext } from '../../contracts/run.ts';

/** Rows of runs and their steps. Every write is absolute and keyed by (run, step), so that a retry repeats it harmlessly. */
export interface RunLedger {
  /** Inserts the run row if it is not there, and sets the step running with this attempt. */
  startStep(context: StepContext, attempt: { number: number; worker: string; input: unknown }): Promise<void>;
  /** Sets the step succeeded; ends the run too when the context says that it is the last step. `use` is the account of the attempt, where one was kept. */
  finishStep(context: StepContext, output: unknown, use?: AttemptUse): Promise<void>;
  failStep(context: StepContext, failure: FailureRecord, state: 'failed' | 'cancelled', use?: AttemptUse): Promise<void>;
  finishRun(context: StepContext, end: { state: RunState; outcome?: RunOutcome; failure?: FailureRecord }): Promise<void>;
  /** Outputs of the succeeded (or reused) steps of a run by step name, in order of position. */
  outputsOf(runId: string): Promise<{ step: string; position: number; output: unknown }[]>;
  /** Runs whose row is open, or whose history is not exported; at most `limit`, oldest first. */
  unsettledRuns(limit: number): Promise<{ runId: string; workflowId: string; state: RunState }[]>;
  /** Brings a row to what Temporal says of the closed run; a row with an end keeps it. */
  settleRun(runId: string, end: { state: RunState; failure?: FailureRecord; history: RunHistoryRef }): Promise<void>;
  /** The recorded manifest of a dataset version; undefined when there is none. */
  datasetManifest(name: string, version: string): Promise<unknown>;
  /** The manifest of the newest version that was recorded before this one; undefined when there is none. */
  previousDataset(name: string, version: string): Promise<unknown>;
  recordDataset(dataset: { name: string; version: string; manifest: unknown; rows: number; bytes: number; runId: string }): Promise<void>;
  recordFeatureSet(featureSet: { name: string; version: string; manifest: unknown; rows: number; runId: string }): Promise<void>;
}
