/**
 * An alert in the form of Alertmanager's API v2 (`POST /api/v2/alerts`, an array of postable alerts). Alertmanager tells alerts apart by their labels, so a
 * message that comes again changes nothing there.
 */
import type { AlertView } from '../../contracts/alert.ts';
import { labelsOf } from '../../domain/silences.ts';

/**
 * Alertmanager ends an alert that is not sent again within its `resolve_timeout`, unless the alert says itself when it ends: an open incident ends in a
 * year, and its end is sent when it comes.
 */
const OPEN_FOR_MS = 365 * 86_400_000;

const nameOf = (kind: string): string => `Perennial${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;

/** The path is Alertmanager's; the address may have a prefix (`--web.route-prefix`). */
export const alertsUrl = (address: string): string => `${address.replace(/\/+$/, '')}/api/v2/alerts`;

/** The body of one message. An acknowledged alert stays active there, with its state in an annotation. */
export const alertmanagerBody = (alert: AlertView): string => {
  const endsAt = alert.resolvedAt ?? new Date(Date.parse(alert.openedAt) + OPEN_FOR_MS).toISOString();
  const annotations = { summary: `${alert.kind} of ${alert.model}`, description: alert.reason, state: alert.state, alert_id: alert.alertId };
  return JSON.stringify([{ labels: { alertname: nameOf(alert.kind), ...labelsOf(alert) }, annotations, startsAt: alert.openedAt, endsAt }]);
};
