/** Triggers and their ledger. */
import { z } from 'zod';

export const TriggerKind = z.enum(['manual', 'schedule', 'data', 'drift', 'quality']);
export type TriggerKind = z.infer<typeof TriggerKind>;

/** What makes a pipeline run by itself. `cooldownSeconds` is the least time between two runs that drift or quality started. */
export const TriggersSpec = z.strictObject({
  drift: z.boolean().default(false),
  quality: z.boolean().default(true),
  data: z.boolean().default(false),
  cooldownSeconds: z.number().min(0).max(31_536_000).default(3_600),
});
export type TriggersSpec = z.infer<typeof TriggersSpec>;

/** One event for the ledger. `id` is unique per pipeline: the same id again is the same event. `at` is ISO 8601. */
export type Trigger = {
  id: string;
  kind: TriggerKind;
  reason: string;
  at: string;
  /** Where it came from, such as `monitor/flight-delays` or a CloudEvents source. */
  source: string;
};

/** Every trigger ends as exactly one of these. */
export type TriggerOutcome =
  | { outcome: 'ran'; runId: string }
  | { outcome: 'coalesced'; into: string }
  | { outcome: 'rejected'; reason: string };

/** Input of `pipelineTriggers`; `resume` is carried over continue-as-new. */
export type TriggersInput = {
  pipeline: string;
  resume?: {
    recentIds: string[];
    pending: Trigger[];
    inFlight: { runId: string; triggerId: string } | null;
    next: Trigger[];
    lastAutomaticRunAtMs: number | null;
  };
};

export type TriggersStatus = {
  pipeline: string;
  inFlight: string | null;
  pending: number;
  decided: number;
  cooldownUntil: string | null;
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
