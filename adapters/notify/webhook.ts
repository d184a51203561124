/**
 * A webhook as Standard Webhooks 1.0 has it (github.com/standard-webhooks/standard-webhooks): the id and the time are signed with the body. The body is
 * a CloudEvents 1.0 event in structured JSON, the same bytes in each attempt.
 */
import { createHmac } from 'node:crypto';
import type { AlertView } from '../../contracts/alert.ts';
import { NotifyMisconfigured } from './receivers.ts';

const SECRET_PATTERN = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
const LEAST_SECRET_BYTES = 24;
const MOST_SECRET_BYTES = 64;

const keyOf = (secret: string): Buffer => {
  const key = Buffer.from(SECRET_PATTERN.exec(secret)?.[1] ?? '', 'base64');
  if (key.length >= LEAST_SECRET_BYTES && key.length <= MOST_SECRET_BYTES) return key;
  throw new NotifyMisconfigured(`the secret of the webhook must be "whsec_" and the base64 of ${LEAST_SECRET_BYTES} to ${MOST_SECRET_BYTES} bytes`);
};

/** `v1,` and the base64 of HMAC-SHA256 over `<id>.<timestamp>.<body>`; the timestamp is in seconds since the epoch. @throws NotifyMisconfigured */
export const signatureOf = ({ id, timestamp, body }: { id: string; timestamp: number; body: string }, secret: string): string =>
  `v1,${createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64')}`;

/** When the incident came into its state. */
export const stateTimeOf = (alert: AlertView): string => {
  const times = { open: alert.openedAt, escalated: alert.escalatedAt, acknowledged: alert.acknowledgedAt, resolved: alert.resolvedAt };
  return times[alert.state] ?? alert.openedAt;
};

/** The event: its type is `perennial.alert.<state>`, its id that of the message, its data the alert. */
export const eventOf = (id: string, alert: AlertView): string => {
  const { revision: _revision, ...data } = alert;
  return JSON.stringify({
    specversion: '1.0',
    id,
    source: `/alert/${[alert.model, alert.kind, alert.subject].map(encodeURIComponent).join('/')}`,
    type: `perennial.alert.${alert.state}`,
    subject: alert.model,
    time: stateTimeOf(alert),
    datacontenttype: 'application/json',
    data,
  });
};

/** Headers of one attempt. @throws NotifyMisconfigured when the secret has another form */
export const webhookHeaders = (id: string, body: string, { secret, nowMs }: { secret: string; nowMs: number }): Record<string, string> => {
  const timestamp = Math.floor(nowMs / 1_000);
  return {
    'content-type': 'application/cloudevents+json; charset=utf-8',
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatureOf({ id, timestamp, body }, secret),
  };
};
