/** Runs: one execution of one pipeline version. */
import { z } from 'zod';
import type { ArtifactRef } from './artifact.ts';
import type { PipelineSpec } from './pipeline.ts';
import type { Reproduction, ReproducedVersion } from './reproduction.ts';
import type { RolloutOutcome } from './rollout.ts';
import type { TriggerKind } from './trigger.ts';
import type { Pool } from './queues.ts';

/** The steps of a model pipeline in their order; `search` only where the pipeline declares one. */
export const MODEL_STEPS = ['ingest', 'check', 'features', 'search', 'train', 'evaluate', 'gate', 'register', 'rollout'] as const;
export type ModelStep = (typeof MODEL_STEPS)[number];

/** Body of POST /api/v1/pipelines/{name}/runs. `pipelineVersion` runs an older version. */
export const StartRunRequest = z.strictObject({
  pipelineVersion: z.number().int().positive().optional(),
  reason: z.string().max(500).optional(),
});
export const RetryRunRequest = z.strictObject({ from: z.enum(MODEL_STEPS).optional() });
export const ApprovalRequest = z.strictObject({ comment: z.string().max(1_000).optional() });

/** With `reproduces`, the run repeats that version from its record, to compare: it registers and rolls out nothing. */
export type RunTrigger = { kind: TriggerKind; id: string; reason: string; reproduces?: ReproducedVersion };

/** Input of the `pipelineRun` workflow. The pipeline version is given by value: a run never changes under way. */
export type RunInput = {
  runId: string;
  pipeline: string;
  pipelineVersion: number;
  spec: PipelineSpec;
  trigger: RunTrigger;
  /** The run that this one retries, and the step from which it does the work again. */
  retryOf?: string;
  retryFrom?: ModelStep;
};

export type GateDecision = { gate: string; passed: boolean; reason: string };

/** How a run ends: business endings are values; a failure is an error of the workflow. */
export type RunOutcome =
  | { kind: 'succeeded'; model?: string; version?: number; rollout?: RolloutOutcome; reproduction?: Reproduction }
  | { kind: 'rejected'; reasons: string[]; reproduction?: Reproduction }
  | { kind: 'rolledBack'; model: string; version: number; reason: string; rollout: RolloutOutcome };

/** Terminal states of a run and the open ones, as the API shows them. */
export type RunState = 'running' | 'succeeded' | 'rejected' | 'rolledBack' | 'failed' | 'cancelled' | 'terminated';

/** A failure as it is stored and shown. `logTail` holds at most the last 20 lines of a trainer. */
export type FailureRecord = { code: string; message: string; fix: string; logTail?: string[] };

export type StepState = 'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'reused';

/** Answer of the `status` query of a run. */
export type RunStatus = {
  runId: string;
  step: string | null;
  /** Pool of the present step. */
  pool: Pool | null;
  gates: GateDecision[];
  waitingForApproval: boolean;
  waitingFor: string | null;
  outcome: RunOutcome | null;
};

/** What every step activity is told about its run; with it the step writes the run and step rows itself. */
export type StepContext = {
  runId: string;
  workflowId: string;
  pipeline: string;
  pipelineVersion: number;
  model?: string;
  trigger: RunTrigger;
  retryOf?: string;
  step: string;
  /** Position of the step in the run, from 0: the order in which it is shown. */
  position: number;
  pool: Pool;
  /** Set on the last step of a run without further work: its end is the end of the run. */
  finishesRun?: RunOutcome;
};

/** A reference to the exported history of a closed run. */
export type RunHistoryRef = { artifact: ArtifactRef; events: number };
