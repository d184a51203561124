/** An alert as an e-mail over SMTP. The `Message-ID` is the id of the message, so a mailbox that knows it already drops it. */
import { createTransport } from 'nodemailer';
import type { AlertView } from '../../contracts/alert.ts';
import { stateTimeOf } from './webhook.ts';
import type { PostOutcome } from './bounded-post.ts';
import type { EmailReceiver } from './receivers.ts';

/** Bound on each silence of the server, and on the whole: one that answers slowly for ever must not hold up the incident. */
const SILENCE_MS = 10_000;
const DEADLINE_MS = 30_000;

const LINE_BREAK = /[\r\n]+/g;

const textOf = (alert: AlertView): string =>
  [
    `${alert.kind} of the model ${alert.model}: ${alert.state}`,
    '',
    alert.reason,
    '',
    `pipeline     ${alert.pipeline}`,
    `subject      ${alert.subject}`,
    `opened       ${alert.openedAt}`,
    `since        ${stateTimeOf(alert)}`,
    `occurrences  ${alert.occurrences}`,
    ...(alert.acknowledgedBy === null ? [] : [`acknowledged by ${alert.acknowledgedBy}`]),
    ...(alert.resolvedBy === null ? [] : [`resolved by ${alert.resolvedBy}`]),
    ...(alert.comment === null ? [] : ['', alert.comment]),
    '',
    `perennial alert get ${alert.alertId}`,
  ].join('\n');

const domainOf = (mailbox: string): string => mailbox.slice(mailbox.lastIndexOf('@') + 1);

/** Messages of one incident are one thread: they refer to its first. */
const messageOf = (id: string, alert: AlertView, { from, to }: EmailReceiver) => {
  const messageId = (left: string): string => `<${left}@${domainOf(from)}>`;
  const first = messageId(`${alert.alertId}.open`);
  return {
    from,
    to,
    messageId: messageId(id),
    ...(alert.state === 'open' ? {} : { inReplyTo: first, references: [first] }),
    date: new Date(stateTimeOf(alert)),
    subject: `[${alert.state}] ${alert.kind} of ${alert.model}: ${alert.reason}`.replace(LINE_BREAK, ' ').slice(0, 200),
    text: textOf(alert),
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
};

const failureOf = (error: unknown): PostOutcome => {
  const { code, responseCode } = error as { code?: string; responseCode?: number };
  if (responseCode !== undefined && responseCode >= 500) return { kind: 'refused', reason: `the mail server refused it (${responseCode})` };
  return { kind: 'unavailable', reason: `the mail server did not take it (${responseCode ?? code ?? 'no answer'})` };
};

export type EmailSending = { receiver: EmailReceiver; password: string | undefined; signal: AbortSignal };

/** Sends it once. One recipient whom the server takes is enough: sending it again would repeat it for that one. */
export const sendEmail = async (id: string, alert: AlertView, { receiver, password, signal }: EmailSending): Promise<PostOutcome> => {
  const { host, port, tls, user } = receiver;
  const transport = createTransport({
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(user === undefined || password === undefined ? {} : { auth: { user, pass: password } }),
    connectionTimeout: SILENCE_MS,
    greetingTimeout: SILENCE_MS,
    socketTimeout: SILENCE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    await transport.sendMail({ ...messageOf(id, alert, receiver), signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]) });
    return { kind: 'sent' };
  } catch (error) {
    return failureOf(error);
  } finally {
    transport.close();
  }
};
