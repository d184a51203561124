import type { AlertDelivery, AlertKey, AlertOccurrence, AlertRecord, AlertsSpec, AlertView, DeliveryOutcome, Silence } from '../../contracts/alert.ts';
import type { NewestWindows } from '../alerts.ts';

/** What a message became, as its row shows it. */
export type DeliveryStatus = 'pending' | 'sent' | 'retrying' | 'failed' | 'silenced' | 'dropped';

/** Incidents, their messages and silences. Writes are absolute and keyed by incident, state and receiver. */
export interface AlertBook {
  /** Writes incidents and their messages; returns the ids of those that an earlier incident of the same occurrence takes the place of. */
  record(records: AlertRecord[]): Promise<string[]>;
  /** True when the message was sent before. */
  wasSent(delivery: AlertDelivery): Promise<boolean>;
  recordDelivery(delivery: AlertDelivery, result: { status: DeliveryStatus; error: string | null; silenceId: string | null }): Promise<void>;
  /** Silences that have begun and not ended at this time. */
  silencesAt(at: Date): Promise<Silence[]>;
}

/** What conditions are judged by. */
export interface AlertFacts {
  /** The newest windows of a version; a window with at least `minimumLabels` labels, or all of them, counts as labelled. */
  newestWindows(input: { model: string; version: number; minimumLabels: number }): Promise<NewestWindows>;
}

/** A report of a condition for the incident of its key. */
export type AlertReport = AlertKey & { pipeline: string; policy: AlertsSpec; occurrence: AlertOccurrence };

/** Sends a message about an incident to a receiver that the operator declared. */
export interface Notifier {
  /** `id` names the message: the same one again is the same message. Never throws what a receiver did: it is the outcome. */
  send(message: { id: string; receiver: string; alert: AlertView }, signal: AbortSignal): Promise<Exclude<DeliveryOutcome, { kind: 'silenced' }>>;
}
