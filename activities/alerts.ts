/** Steps of an incident: its rows and its messages. */
import type { AlertActivities } from '../contracts/activities.ts';
import type { AlertDelivery, DeliveryOutcome } from '../contracts/alert.ts';
import { deliveryIdOf, isLastAttempt } from '../domain/incident.ts';
import type { AlertBook, DeliveryStatus, Notifier } from '../domain/ports/alerts.ts';
import type { FaultPoints } from '../domain/ports/fault-points.ts';
import { silenceOf } from '../domain/silences.ts';
import { effect, type ActivityTools } from './boundary.ts';

export type AlertPorts = { alerts: AlertBook; notifier: Notifier; faults: FaultPoints };

type Sent = Exclude<DeliveryOutcome, { kind: 'silenced' }>;

const resultOf = (delivery: AlertDelivery, outcome: Sent): { status: DeliveryStatus; error: string | null } => {
  if (outcome.kind === 'sent') return { status: 'sent', error: null };
  const isFinal = outcome.kind === 'refused' || isLastAttempt(delivery);
  return { status: isFinal ? 'failed' : 'retrying', error: outcome.reason };
};

/** Between sending and writing it down the process may die: the message then goes out again under the same id. */
const send = async ({ alerts, notifier, faults }: AlertPorts, delivery: AlertDelivery, { signal }: ActivityTools): Promise<Sent> => {
  const { receiver, alert } = delivery;
  const outcome = await notifier.send({ id: deliveryIdOf(alert), receiver, alert }, signal);
  faults.reach('alert.after-send');
  await alerts.recordDelivery(delivery, { ...resultOf(delivery, outcome), silenceId: null });
  return outcome;
};

const deliver = async (ports: AlertPorts, delivery: AlertDelivery, tools: ActivityTools): Promise<DeliveryOutcome> => {
  const { alerts } = ports;
  if (await alerts.wasSent(delivery)) return { kind: 'sent' };
  const now = new Date();
  const silence = silenceOf(await alerts.silencesAt(now), delivery.alert, now.getTime());
  if (silence === undefined) return send(ports, delivery, tools);
  await alerts.recordDelivery(delivery, { status: 'silenced', error: null, silenceId: silence.silenceId });
  return { kind: 'silenced', untilMs: Date.parse(silence.endsAt) };
};

export const createAlertActivities = (ports: AlertPorts): Pick<AlertActivities, 'recordAlerts' | 'deliverAlert'> => ({
  recordAlerts: effect(async ({ records }: Parameters<AlertActivities['recordAlerts']>[0]) => ({ repeated: await ports.alerts.record(records) })),
  deliverAlert: effect(({ delivery }: Parameters<AlertActivities['deliverAlert']>[0], tools) => deliver(ports, delivery, tools)),
});
