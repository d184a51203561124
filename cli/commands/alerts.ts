/** Alerts and silences. */
import type { Command } from 'commander';
import type { Alert, AlertDelivery, Silence } from '../answers.ts';
import { durationSeconds } from '../duration.ts';
import { usageFailure } from '../exit-codes.ts';
import { clean, type Output } from '../output.ts';
import { openSession, segment, wholeNumber } from '../session.ts';

const alertPath = (id: string): string => `/api/v1/alerts/${segment(id)}`;

type ListOptions = { state?: string; model?: string; kind?: string; pipeline?: string; limit: number; cursor?: string };

const queryOf = (options: Record<string, string | number | undefined>): string => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options)) if (value !== undefined) query.set(name, String(value));
  return query.toString();
};

const registerList = (alert: Command): void => {
  alert
    .command('list')
    .description('incidents, newest first')
    .option('--state <state>', 'open, acknowledged, escalated, resolved or unresolved')
    .option('--model <model>')
    .option('--kind <kind>', 'drift, quality, labelsMissing, runFailed, runRejected, championNotBeaten or rolledBack')
    .option('--pipeline <pipeline>')
    .option('--limit <n>', 'how many', wholeNumber('--limit'), 50)
    .option('--cursor <cursor>', 'the next page, as the page before said')
    .action(async (options: ListOptions, command: Command) => {
      const { api, output } = openSession(command);
      const answer = await api.get<{ alerts: Alert[]; nextCursor: string | null }>(`/api/v1/alerts?${queryOf({ ...options })}`);
      if (output.json) return output.document(answer);
      output.table(answer.alerts, ['alertId', 'state', 'model', 'kind', 'subject', 'occurrences', 'openedAt', 'reason']);
      if (answer.nextCursor !== null) output.say(output.paint('dim', `more: --cursor ${clean(answer.nextCursor)}`));
    });
};

const showAlert = (output: Output, alert: Alert & { deliveries: AlertDelivery[]; links: { temporal: string } }): void => {
  if (output.json) return output.document(alert);
  output.say(`${clean(alert.kind)} of ${clean(alert.model)} (${clean(alert.subject)}): ${clean(alert.state)}`);
  output.say(clean(alert.reason));
  output.say(`opened ${clean(alert.openedAt)}, ${alert.occurrences} occurrences`);
  if (alert.acknowledgedBy !== null) output.say(`acknowledged by ${clean(alert.acknowledgedBy)}, ${clean(alert.acknowledgedAt ?? '')}`);
  if (alert.resolvedBy !== null) output.say(`resolved by ${clean(alert.resolvedBy)}, ${clean(alert.resolvedAt ?? '')}`);
  if (alert.comment !== null) output.say(`comment: ${clean(alert.comment)}`);
  output.table(alert.deliveries, ['state', 'receiver', 'status', 'attempts', 'sentAt', 'error']);
  output.say(output.paint('dim', `Temporal: ${clean(alert.links.temporal)}`));
};

const registerActs = (alert: Command): void => {
  const acts = [
    ['ack', 'acknowledge', 'say that you take care of it: it is not escalated any more'],
    ['resolve', 'resolve', 'end it; an occurrence that comes after it opens another one'],
  ] as const;
  for (const [name, act, description] of acts) {
    alert
      .command(`${name} <id>`)
      .description(description)
      .option('--comment <text>', 'why')
      .action(async (id: string, { comment }: { comment?: string }, command: Command) => {
        const { api, output } = openSession(command);
        const answer = await api.post(`${alertPath(id)}/${act}`, { comment });
        if (output.json) return output.document(answer);
        output.say(`${act} of ${id} accepted`);
      });
  }
};

const MOST_DIGITS = 6;

/** The end of a silence: an instant, or a time from its beginning such as 2h. */
const endOf = (until: string, startsAt: string | undefined): string => {
  const seconds = durationSeconds(until, MOST_DIGITS);
  const startMs = startsAt === undefined ? Date.now() : Date.parse(startsAt);
  if (seconds !== undefined && !Number.isNaN(startMs)) return new Date(startMs + seconds * 1_000).toISOString();
  if (Number.isNaN(Date.parse(until))) throw usageFailure(`--for is "${until}"`, 'Give a time such as 30m, 2h or 7d, or an instant (ISO 8601).');
  return new Date(until).toISOString();
};

const labelsOf = (pairs: string[]): Record<string, string> =>
  Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw usageFailure(`--label is "${pair}"`, 'Give name=value; the value may have * and ?.');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );

type SilenceOptions = { model?: string; kind?: string; label: string[]; from?: string; for: string; why: string };

const registerSilenceAdd = (silence: Command): void => {
  silence
    .command('add')
    .description('hold messages about matching alerts back')
    .option('--model <glob>')
    .option('--kind <glob>')
    .option('--label <name=glob>', 'may be given several times', (pair: string, pairs: string[]) => [...pairs, pair], [])
    .option('--from <instant>', 'when it begins (default: now)')
    .requiredOption('--for <time>', 'how long, such as 2h, or until when (ISO 8601)')
    .requiredOption('--why <text>', 'why')
    .action(async ({ model, kind, label, from: startsAt, for: until, why: comment }: SilenceOptions, command: Command) => {
      const { api, output } = openSession(command);
      const body = { matcher: { model, kind, labels: labelsOf(label) }, startsAt, endsAt: endOf(until, startsAt), comment };
      const made = await api.post<Silence>('/api/v1/silences', body);
      if (output.json) return output.document(made);
      output.say(`${clean(made.silenceId)} until ${clean(made.endsAt)}`);
    });
};

const registerSilences = (program: Command): void => {
  const silence = program.command('silence').description('silences of alerts');
  registerSilenceAdd(silence);
  silence
    .command('list')
    .description('silences that last or are to come')
    .option('--all', 'also those that are over')
    .action(async ({ all }: { all?: boolean }, command: Command) => {
      const { api, output } = openSession(command);
      const answer = await api.get<{ silences: Silence[] }>(`/api/v1/silences?all=${all === true}`);
      if (output.json) return output.document(answer);
      output.table(answer.silences, ['silenceId', 'active', 'matcher', 'startsAt', 'endsAt', 'createdBy', 'comment']);
    });
  silence
    .command('remove <id>')
    .description('end a silence now: what waited for its end is sent')
    .action(async (id: string, _options: unknown, command: Command) => {
      const { api, output } = openSession(command);
      await api.delete(`/api/v1/silences/${segment(id)}`);
      if (output.json) return output.document({ silenceId: id, removed: true });
      output.say(`ended ${id}`);
    });
};

export const registerAlertCommands = (program: Command): void => {
  const alert = program.command('alert').description('alerts: incidents of models and pipelines');
  registerList(alert);
  alert
    .command('get <id>')
    .description('one incident, with who was told')
    .action(async (id: string, _options: unknown, command: Command) => {
      const { api, output } = openSession(command);
      showAlert(output, await api.get(alertPath(id)));
    });
  registerActs(alert);
  registerSilences(program);
};
