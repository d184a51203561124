/** Triggers and their ledger. */
import { z } from 'zod';
import type { PipelineSpec } from './pipeline.ts';

export const TriggerKind = z.enum(['manual', 'schedule', 'data', 'drift', 'quality']);
export type TriggerKind = z.infer<typeof TriggerKind>;

/** One event for the ledger. `id` is unique per pipeline: the same id again is the same event. `at` is ISO 8601. */
export type Trigger = {
  id: string;
  kind: TriggerKind;
  reason: string;
  at: string;
  /** Where it came from, such as `monitor/flight-delays` or a CloudEvents source. */
  source: string;
  /** What the labels of the window in which it was found say of the quality. */
  quality?: QualityStanding;
};

/** `unknown` until a window has labels enough. */
export type QualityStanding = 'holds' | 'dropped' | 'unknown';

/** Every trigger ends as exactly one of these. */
export type TriggerOutcome =
  | { outcome: 'ran'; runId: string }
  | { outcome: 'coalesced'; into: string }
  | { outcome: 'rejected'; reason: string };

/** Where a trigger led: `pending` while the ledger has not decided, or what it was coalesced into waits itself. `own` when it started the run. */
export type TriggerResolution = { kind: 'pending' } | { kind: 'run'; runId: string; own: boolean } | { kind: 'rejected'; reason: string };

/** What the ledger decides by: the pipeline as it is now, and what is known of the runs of its model. */
export type LedgerPipeline = {
  version: number;
  spec: PipelineSpec;
  /** Runs of the model that are open as far as their rows say, newest first, at most 5. */
  openRuns?: string[];
  /** Within the period of the budget; absent without a budget. */
  spent?: { runs: number; trainSeconds: number };
};

/** What a retrain says of the champion; `undecided` when it failed or was cancelled, or when there was no champion to beat. */
export type RetrainVerdict = 'promoted' | 'unbeaten' | 'undecided';

/** The champion after a retrain: how many in a row did not beat it. `isDue` from `limit` on. */
export type ChampionStanding = { model: string; runId: string; verdict: RetrainVerdict; unbeaten: number; limit: number; isDue: boolean };

/** Input of `pipelineTriggers`; `resume` is carried over continue-as-new. */
export type TriggersInput = {
  pipeline: string;
  resume?: {
    recentIds: string[];
    pending: Trigger[];
    inFlight: { runId: string; triggerId: string } | null;
    next: Trigger[];
    lastAutomaticRunAtMs: number | null;
    /** Runs that ended, and are not recorded as retrains yet. */
    ended?: string[];
  };
};

export type TriggersStatus = {
  pipeline: string;
  inFlight: string | null;
  pending: number;
  decided: number;
  cooldownUntil: string | null;
  /** After the last retrain; null before the first. */
  champion: ChampionStanding | null;
};

/** A CloudEvents 1.0 event as Perennial needs it. */
export const CloudEvent = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.string().min(1).max(500),
  source: z.string().min(1).max(2_000),
  type: z.string().min(1).max(500),
  subject: z.string().max(500).optional(),
  time: z.string().optional(),
  datacontenttype: z.string().optional(),
  data: z.unknown().optional(),
});
export type CloudEvent = z.infer<typeof CloudEvent>;

/** The event that says that new data has arrived; its subject is a pipeline or a dataset. */
export const DATA_ARRIVED = 'perennial.data.arrived';
