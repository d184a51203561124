/**
 * The life of an incident, as pure functions on its progress: occurrences open it, time and people move it on, and each state that it comes into makes
 * one message per receiver. What is to be written and to be sent waits in the progress, so that nothing is lost between two decisions.
 */
import type { AlertDelivery, AlertInput, AlertOccurrence, AlertProgress, AlertRecord, AlertsSpec, AlertState, AlertView, DeliveryOutcome } from '../contracts/alert.ts';

type Incident = NonNullable<AlertProgress['incident']>;

/** A person's word, with the name of the API key. */
export type AlertWord = { by: string; comment: string };

/** What an incident is about, and what is to be done: the newest policy of the pipeline. */
export type AlertSubject = Pick<AlertInput, 'model' | 'kind' | 'subject' | 'pipeline' | 'policy'>;

/** Occurrences that are remembered to know a repeated one. */
const KEPT_OCCURRENCES = 100;

/** Messages that may wait: as many as fit the input of a continued workflow. */
const MOST_DELIVERIES = 24;

/** Attempts of one message: with the delays below, about five and a half hours. */
const MOST_ATTEMPTS = 12;
const FIRST_DELAY_MS = 5_000;
const LONGEST_DELAY_MS = 3_600_000;

export const NO_PROGRESS: AlertProgress = { incident: null, deliveries: [], records: [], seen: [] };

const isoOf = (ms: number): string => new Date(ms).toISOString();

/** The incident without what only its workflow needs. */
export const viewOf = ({ announced: _announced, clearSinceMs: _clear, told: _told, ...view }: Incident): AlertView => view;

/** The incident that a person can still do something about. */
export const openIncident = ({ incident }: AlertProgress): Incident | null => (incident === null || incident.state === 'resolved' ? null : incident);

/** Adds a row to be written; rows of one incident that wait become one. */
const withRecord = (records: AlertRecord[], record: AlertRecord): AlertRecord[] => {
  const waiting = records.find(({ alert }) => alert.alertId === record.alert.alertId);
  if (waiting === undefined) return [...records, record];
  const merged = { alert: record.alert, pending: [...waiting.pending, ...record.pending], dropped: [...waiting.dropped, ...record.dropped] };
  return records.map((one) => (one === waiting ? merged : one));
};

const changed = (progress: AlertProgress, incident: Incident): AlertProgress => {
  const next = { ...incident, revision: incident.revision + 1 };
  return { ...progress, incident: next, records: withRecord(progress.records, { alert: viewOf(next), pending: [], dropped: [] }) };
};

/**
 * Who is told of a state. An acknowledgement and an end go to those who were told before, so that a silenced incident that ended sends nothing;
 * an escalation also goes to those whom the message before has not reached.
 */
const targetsOf = (incident: Incident, policy: AlertsSpec, unreached: string[]): string[] => {
  if (incident.state === 'open') return policy.receivers;
  if (incident.state === 'escalated') return [...new Set([...(policy.escalateTo ?? policy.receivers), ...unreached])];
  return incident.told;
};

/** Oldest messages give way when too many wait. */
const bounded = (progress: AlertProgress): AlertProgress => {
  const excess = progress.deliveries.slice(0, Math.max(0, progress.deliveries.length - MOST_DELIVERIES));
  const records = excess.reduce(
    (all, { alert, receiver }) => withRecord(all, { alert, pending: [], dropped: [{ state: alert.state, receiver, reason: 'too many messages wait' }] }),
    progress.records,
  );
  return excess.length === 0 ? progress : { ...progress, deliveries: progress.deliveries.slice(excess.length), records };
};

/** Puts the messages of the incident's present state in the queue; those of its earlier states that were not sent yet are not news any more. */
const announce = (progress: AlertProgress, incident: Incident, { policy, nowMs }: { policy: AlertsSpec; nowMs: number }): AlertProgress => {
  const next = { ...incident, announced: true, revision: incident.revision + 1 };
  const alert = viewOf(next);
  const isOwn = (delivery: AlertDelivery): boolean => delivery.alert.alertId === alert.alertId;
  const superseded = progress.deliveries.filter(isOwn);
  const targets = targetsOf(next, policy, superseded.map(({ receiver }) => receiver));
  const deliveries = targets.map((receiver): AlertDelivery => ({ receiver, alert, attempts: 0, dueAtMs: nowMs, silenced: false }));
  const dropped = superseded.map((delivery) => ({ state: delivery.alert.state, receiver: delivery.receiver, reason: `superseded: the incident is ${alert.state}` }));
  const others = progress.deliveries.filter((delivery) => !isOwn(delivery));
  return bounded({ ...progress, incident: next, deliveries: [...others, ...deliveries], records: withRecord(progress.records, { alert, pending: targets, dropped }) });
};

const opened = (occurrence: AlertOccurrence, { model, kind, subject, pipeline, policy }: AlertSubject, { alertId, nowMs }: { alertId: string; nowMs: number }): Incident => ({
  alertId,
  model,
  kind,
  subject,
  pipeline,
  labels: policy.labels,
  state: 'open',
  reason: occurrence.reason,
  occurrences: 0,
  openedBy: occurrence.id,
  openedAt: isoOf(nowMs),
  escalatedAt: null,
  acknowledgedAt: null,
  acknowledgedBy: null,
  resolvedAt: null,
  resolvedBy: null,
  comment: null,
  revision: 0,
  announced: false,
  clearSinceMs: null,
  told: [],
});

/** Takes an occurrence. One that comes again changes nothing; `alertId` names the incident if this opens one. */
export const receiveOccurrence = (progress: AlertProgress, occurrence: AlertOccurrence, context: AlertSubject & { alertId: string; nowMs: number }): AlertProgress => {
  if (progress.seen.includes(occurrence.id)) return progress;
  const seen = [...progress.seen, occurrence.id].slice(-KEPT_OCCURRENCES);
  const open = openIncident(progress);
  if (!occurrence.firing) {
    if (open === null) return { ...progress, seen };
    return { ...progress, seen, incident: { ...open, clearSinceMs: open.clearSinceMs ?? context.nowMs } };
  }
  const incident = open ?? opened(occurrence, context, context);
  return changed({ ...progress, seen }, { ...incident, reason: occurrence.reason, occurrences: incident.occurrences + 1, clearSinceMs: null });
};

/** Somebody takes care: no escalation any more. Without an incident that is open or escalated, nothing changes. */
export const acknowledge = (progress: AlertProgress, { by, comment }: AlertWord, context: { policy: AlertsSpec; nowMs: number }): AlertProgress => {
  const open = openIncident(progress);
  if (open === null || open.state === 'acknowledged') return progress;
  return announce(progress, { ...open, state: 'acknowledged', acknowledgedAt: isoOf(context.nowMs), acknowledgedBy: by, comment }, context);
};

/** Ends the incident. An occurrence that comes after it opens another one. */
export const resolve = (progress: AlertProgress, { by, comment }: AlertWord, context: { policy: AlertsSpec; nowMs: number }): AlertProgress => {
  const open = openIncident(progress);
  if (open === null) return progress;
  return announce(progress, { ...open, state: 'resolved', resolvedAt: isoOf(context.nowMs), resolvedBy: by, comment: comment === '' ? open.comment : comment }, context);
};

type Deadlines = { announceAtMs: number | null; escalateAtMs: number | null; resolveAtMs: number | null };

const deadlinesOf = (incident: Incident | null, policy: AlertsSpec): Deadlines => {
  if (incident === null) return { announceAtMs: null, escalateAtMs: null, resolveAtMs: null };
  const announceAtMs = Date.parse(incident.openedAt) + policy.groupWaitSeconds * 1_000;
  return {
    announceAtMs: incident.announced ? null : announceAtMs,
    escalateAtMs: incident.announced && incident.state === 'open' ? announceAtMs + policy.escalateAfterSeconds * 1_000 : null,
    resolveAtMs: incident.clearSinceMs === null ? null : incident.clearSinceMs + policy.resolveAfterSeconds * 1_000,
  };
};

/** Makes true what time has brought: the first message, the escalation, the end of a condition that stayed clear. */
export const advance = (progress: AlertProgress, policy: AlertsSpec, nowMs: number): AlertProgress => {
  const open = openIncident(progress);
  if (open === null) return progress;
  const { announceAtMs, escalateAtMs, resolveAtMs } = deadlinesOf(open, policy);
  if (announceAtMs !== null && announceAtMs <= nowMs) return advance(announce(progress, open, { policy, nowMs }), policy, nowMs);
  if (resolveAtMs !== null && resolveAtMs <= nowMs) return resolve(progress, { by: 'cleared', comment: '' }, { policy, nowMs });
  if (escalateAtMs !== null && escalateAtMs <= nowMs) return announce(progress, { ...open, state: 'escalated', escalatedAt: isoOf(nowMs) }, { policy, nowMs });
  return progress;
};

/** When something is to be done next without news, in milliseconds since the epoch; null when nothing is. */
export const nextDueMs = (progress: AlertProgress, policy: AlertsSpec): number | null => {
  const { announceAtMs, escalateAtMs, resolveAtMs } = deadlinesOf(openIncident(progress), policy);
  const times = [announceAtMs, escalateAtMs, resolveAtMs, ...progress.deliveries.map(({ dueAtMs }) => dueAtMs)].filter((time) => time !== null);
  return times.length === 0 ? null : Math.min(...times);
};

/** Messages to attempt now. */
export const dueDeliveries = (progress: AlertProgress, nowMs: number): AlertDelivery[] => progress.deliveries.filter(({ dueAtMs }) => dueAtMs <= nowMs);

/** True for the attempt after which a message is given up. */
export const isLastAttempt = ({ attempts }: Pick<AlertDelivery, 'attempts'>): boolean => attempts + 1 >= MOST_ATTEMPTS;

const delayMs = (attempts: number): number => Math.min(FIRST_DELAY_MS * 3 ** (attempts - 1), LONGEST_DELAY_MS);

/** What an attempt leaves of a message: undefined when it is done with. */
const remaining = (delivery: AlertDelivery, outcome: DeliveryOutcome, nowMs: number): AlertDelivery | undefined => {
  // Where the worker's clock is behind, the silence still lasts for it: it is not asked again and again.
  if (outcome.kind === 'silenced') return { ...delivery, silenced: true, dueAtMs: Math.max(outcome.untilMs, nowMs + 1_000) };
  if (outcome.kind !== 'unavailable' || isLastAttempt(delivery)) return undefined;
  const attempts = delivery.attempts + 1;
  return { ...delivery, silenced: false, attempts, dueAtMs: nowMs + delayMs(attempts) };
};

/** Takes the outcome of an attempt. A receiver that may have heard of the incident is told of what comes after. */
export const settleDelivery = (progress: AlertProgress, delivery: AlertDelivery, outcome: DeliveryOutcome, nowMs: number): AlertProgress => {
  const left = remaining(delivery, outcome, nowMs);
  const deliveries = progress.deliveries.flatMap((one) => (one === delivery ? (left === undefined ? [] : [left]) : [one]));
  const { incident } = progress;
  const heard = outcome.kind === 'sent' || outcome.kind === 'unavailable';
  if (!heard || incident === null || incident.alertId !== delivery.alert.alertId || incident.told.includes(delivery.receiver)) return { ...progress, deliveries };
  return { ...progress, deliveries, incident: { ...incident, told: [...incident.told, delivery.receiver] } };
};

/** Looks again, now, at what a silence held back. */
export const wakeSilenced = (progress: AlertProgress, nowMs: number): AlertProgress => ({
  ...progress,
  deliveries: progress.deliveries.map((delivery) => (delivery.silenced ? { ...delivery, dueAtMs: nowMs } : delivery)),
});

/** Takes back incidents whose opening occurrence had opened one before. */
export const forget = (progress: AlertProgress, alertIds: string[]): AlertProgress => ({
  ...progress,
  incident: progress.incident !== null && alertIds.includes(progress.incident.alertId) ? null : progress.incident,
  deliveries: progress.deliveries.filter(({ alert }) => !alertIds.includes(alert.alertId)),
});

/** Nothing is open, nothing waits to be written or sent. */
export const isOver = (progress: AlertProgress): boolean => openIncident(progress) === null && progress.deliveries.length === 0 && progress.records.length === 0;

/** The one id of all messages about a state of an incident: `webhook-id`, `ce-id`, and the left part of `Message-ID`. */
export const deliveryIdOf = ({ alertId, state }: { alertId: string; state: AlertState }): string => `${alertId}.${state}`;
