/** The notifier: one message to one of the receivers that the operator declared. */
import type { AlertView } from '../../contracts/alert.ts';
import type { Notifier } from '../../domain/ports/alerts.ts';
import { alertmanagerBody, alertsUrl } from './alertmanager.ts';
import { boundedPost, type PostOutcome } from './bounded-post.ts';
import { sendEmail } from './email.ts';
import { NotifyMisconfigured, readAddress, readReceivers, readSecret, type NotifyConfig, type Receiver, type ReceiversFile } from './receivers.ts';
import { eventOf, webhookHeaders } from './webhook.ts';

type Message = { id: string; alert: AlertView };

type Sending = { config: NotifyConfig; allow: ReceiversFile['allow']; signal: AbortSignal };

const sendTo = async (receiver: Receiver, { id, alert }: Message, { config, allow, signal }: Sending): Promise<PostOutcome> => {
  if (receiver.kind === 'email') {
    const password = receiver.password === undefined ? undefined : await readSecret(receiver.password, config);
    return sendEmail(id, alert, { receiver, password, signal });
  }
  const address = await readAddress(receiver.url, config);
  if (receiver.kind === 'alertmanager') {
    const bearer = receiver.bearer === undefined ? undefined : await readSecret(receiver.bearer, config);
    const headers = { 'content-type': 'application/json', ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }) };
    return boundedPost({ url: alertsUrl(address), headers, body: alertmanagerBody(alert), allow }, signal);
  }
  const body = eventOf(id, alert);
  const headers = webhookHeaders(id, body, { secret: await readSecret(receiver.secret, config), nowMs: Date.now() });
  return boundedPost({ url: address, headers, body, allow }, signal);
};

/**
 * Sends by the operator's file of receivers. What the operator has to mend there is tried again, as an outage is; a receiver that is not in it is a mistake
 * of the pipeline.
 */
export const createNotifier = (config: NotifyConfig): Notifier => ({
  send: async ({ id, receiver: name, alert }, signal) => {
    try {
      const { allow, receivers } = await readReceivers(config);
      const receiver = Object.hasOwn(receivers, name) ? receivers[name] : undefined;
      if (receiver === undefined) return { kind: 'refused', reason: `there is no receiver "${name}" in the file of receivers` };
      return await sendTo(receiver, { id, alert }, { config, allow, signal });
    } catch (error) {
      if (!(error instanceof NotifyMisconfigured)) throw error;
      return { kind: 'unavailable', reason: error.message };
    }
  },
});
