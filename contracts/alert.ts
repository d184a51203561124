/**
 * Alerts: one incident per key (model, kind and subject), from the first occurrence of its condition until it has been clear for a while,
 * or a person resolves it. The pipeline's `alerts` part is the policy; receivers are declared by the operator (adapters/notify).
 */
import { z } from 'zod';

/**
 * What an alert can be about:
 * - `drift`, `quality`: the newest window of the monitor has drifted, or its quality dropped;
 * - `labelsMissing`: `labelsMissingWindows` windows in a row have too few labels to be judged;
 * - `runFailed`, `runRejected`: a run of the pipeline failed, or a gate refused its model;
 * - `championNotBeaten`: `triggers.unbeatenRetrains` retrains in a row did not beat the champion;
 * - `rolledBack`: a rollout took its version back.
 */
export const ALERT_KINDS = ['drift', 'quality', 'labelsMissing', 'runFailed', 'runRejected', 'championNotBeaten', 'rolledBack'] as const;
export const AlertKind = z.enum(ALERT_KINDS);
export type AlertKind = z.infer<typeof AlertKind>;

/** An acknowledged incident is not escalated any more; a resolved one is over. */
export const ALERT_STATES = ['open', 'acknowledged', 'escalated', 'resolved'] as const;
export const AlertState = z.enum(ALERT_STATES);
export type AlertState = z.infer<typeof AlertState>;

/** Name of a receiver in the operator's file of receivers. */
export const ReceiverName = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'a receiver name: lower-case letters, digits and "-"');

/** A label name is one of Prometheus too, so that it can go to an Alertmanager. */
export const LabelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]{0,39}$/, 'a label name: letters, digits and "_", at most 40 characters');

const unique = (names: string[]): boolean => new Set(names).size === names.length;
const Receivers = z.array(ReceiverName).max(10).refine(unique, 'names a receiver twice');

/** Labels that every alert has by itself. */
export const OWN_LABELS = ['alertname', 'model', 'kind', 'subject', 'pipeline'] as const;

/**
 * The policy. Times are in seconds:
 * - `groupWaitSeconds` passes between the first occurrence and the first message, which then counts what came meanwhile;
 * - `escalateAfterSeconds` after that message, an incident that nobody acknowledged is escalated, to `escalateTo` (default: the receivers);
 * - `resolveAfterSeconds` a condition must stay clear before the incident is resolved: flapping within that time is one incident.
 * `labels` are added to every alert of the pipeline: silences and Alertmanager routes match them.
 */
export const AlertsSpec = z.strictObject({
  on: z.array(AlertKind).max(50).default([...ALERT_KINDS]),
  receivers: Receivers.default([]),
  escalateTo: Receivers.optional(),
  groupWaitSeconds: z.number().int().min(0).max(86_400).default(0),
  escalateAfterSeconds: z.number().int().min(1).max(31_536_000).default(3_600),
  resolveAfterSeconds: z.number().int().min(0).max(31_536_000).default(300),
  labelsMissingWindows: z.number().int().min(1).max(100_000).default(30),
  labels: z
    .record(LabelName, z.string().min(1).max(100))
    .refine((labels) => Object.keys(labels).length <= 10, 'at most 10 labels')
    .refine((labels) => !OWN_LABELS.some((name) => Object.hasOwn(labels, name)), `may not set ${OWN_LABELS.join(', ')}: every alert has its own`)
    .default({}),
});
export type AlertsSpec = z.infer<typeof AlertsSpec>;

/** What an incident is about. `subject` tells incidents of one kind apart: a pipeline, or `champion`. */
export type AlertKey = { model: string; kind: AlertKind; subject: string };

/** One report of a condition. The same id again is the same report. `at` is ISO 8601. */
export type AlertOccurrence = { id: string; firing: boolean; reason: string; at: string };

/** An incident as it is stored, shown and told. Instants are ISO 8601. */
export type AlertView = AlertKey & {
  alertId: string;
  pipeline: string;
  labels: Record<string, string>;
  state: AlertState;
  /** Why, in the words of the newest occurrence. */
  reason: string;
  occurrences: number;
  /** Id of the occurrence that opened it: no two incidents of a key have the same. */
  openedBy: string;
  openedAt: string;
  escalatedAt: string | null;
  acknowledgedAt: string | null;
  acknowledgedBy: string | null;
  resolvedAt: string | null;
  /** The name of an API key, or `cleared` when the condition was clear for long enough. */
  resolvedBy: string | null;
  comment: string | null;
  /** Counts the changes: an older write never replaces a newer one. */
  revision: number;
};

/** One message to one receiver about one state of an incident; the alert is as it was when it came into that state. */
export type AlertDelivery = {
  receiver: string;
  alert: AlertView;
  /** Failed attempts so far. */
  attempts: number;
  dueAtMs: number;
  /** Held back by a silence: an end of that silence makes it due. */
  silenced: boolean;
};

/** What became of one attempt. `refused` is final; `unavailable` is tried again. */
export type DeliveryOutcome =
  | { kind: 'sent' }
  | { kind: 'silenced'; untilMs: number }
  | { kind: 'refused'; reason: string }
  | { kind: 'unavailable'; reason: string };

/** Absolute writes: the incident, the messages that begin to wait, and those that will not be sent any more, with the reason. */
export type AlertRecord = {
  alert: AlertView;
  pending: string[];
  dropped: { state: AlertState; receiver: string; reason: string }[];
};

/** The incident of a key, the messages that are still to be sent, and the rows that are still to be written. */
export type AlertProgress = {
  incident: (AlertView & { announced: boolean; clearSinceMs: number | null; told: string[] }) | null;
  deliveries: AlertDelivery[];
  records: AlertRecord[];
  /** Ids of the latest occurrences, oldest first. */
  seen: string[];
};

/** Input of the `alert` workflow; `resume` is carried over continue-as-new. */
export type AlertInput = AlertKey & { pipeline: string; policy: AlertsSpec; resume?: AlertProgress };

/** The workflow's result: how many incidents it saw to their end, and the last of them. */
export type AlertOutcome = { alertId: string | null; state: AlertState | null };

export type AlertStatus = {
  alert: AlertView | null;
  deliveries: { alertId: string; state: AlertState; receiver: string; attempts: number; dueAt: string; silenced: boolean }[];
};

/** Globs (`*`, `?`) on what an alert is about; a field that is absent matches all. All that are there must match. */
export const SilenceMatcher = z.strictObject({
  model: z.string().min(1).max(128).optional(),
  kind: z.string().min(1).max(40).optional(),
  labels: z.record(LabelName, z.string().max(100)).refine((labels) => Object.keys(labels).length <= 10, 'at most 10 labels').default({}),
});
export type SilenceMatcher = z.infer<typeof SilenceMatcher>;

/** While it lasts, messages about matching alerts wait. Instants are ISO 8601. */
export type Silence = { silenceId: string; matcher: SilenceMatcher; startsAt: string; endsAt: string; createdBy: string; comment: string };
