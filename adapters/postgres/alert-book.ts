/** Incidents, their messages and silences in PostgreSQL. */
import { sql, type Kysely, type Transaction } from 'kysely';
import type { AlertRecord, AlertView, Silence, SilenceMatcher } from '../../contracts/alert.ts';
import { deliveryIdOf } from '../../domain/incident.ts';
import type { AlertBook } from '../../domain/ports/alerts.ts';
import { asJson, askDatabase } from './client.ts';
import type { Database } from './schema.ts';

const rowOf = (alert: AlertView) => ({
  alert_id: alert.alertId,
  model: alert.model,
  kind: alert.kind,
  subject: alert.subject,
  pipeline: alert.pipeline,
  labels: asJson(alert.labels),
  state: alert.state,
  reason: alert.reason,
  occurrences: alert.occurrences,
  opened_by: alert.openedBy,
  opened_at: alert.openedAt,
  escalated_at: alert.escalatedAt,
  acknowledged_at: alert.acknowledgedAt,
  acknowledged_by: alert.acknowledgedBy,
  resolved_at: alert.resolvedAt,
  resolved_by: alert.resolvedBy,
  comment: alert.comment,
  revision: alert.revision,
});

/** True when an earlier incident was opened by the same occurrence. */
const isRepeated = async (transaction: Transaction<Database>, { alertId, model, kind, subject, openedBy }: AlertView): Promise<boolean> => {
  const earlier = await transaction
    .selectFrom('alerts')
    .select('alert_id')
    .where('model', '=', model)
    .where('kind', '=', kind)
    .where('subject', '=', subject)
    .where('opened_by', '=', openedBy)
    .where('alert_id', '<>', alertId)
    .executeTakeFirst();
  return earlier !== undefined;
};

/** An incident whose workflow was ended by hand has left its row open: the next one of its key takes its place. */
const closeAbandoned = ({ alertId, model, kind, subject, openedAt }: AlertView) => sql`
  update alerts set state = 'resolved', resolved_at = now(), resolved_by = ${`incident ${alertId}`}, updated_at = now()
  where model = ${model} and kind = ${kind} and subject = ${subject} and state <> 'resolved' and alert_id <> ${alertId} and opened_at < ${openedAt}`;

const writeAlert = async (transaction: Transaction<Database>, alert: AlertView): Promise<void> => {
  const { alert_id: _id, ...changes } = rowOf(alert);
  await closeAbandoned(alert).execute(transaction);
  await transaction
    .insertInto('alerts')
    .values(rowOf(alert))
    .onConflict((conflict) =>
      conflict.column('alert_id').doUpdateSet({ ...changes, updated_at: sql<Date>`now()` }).where('alerts.revision', '<', alert.revision),
    )
    .execute();
};

const writeMessages = async (transaction: Transaction<Database>, { alert, pending, dropped }: AlertRecord): Promise<void> => {
  const waiting = pending.map((receiver) => ({ receiver, state: alert.state, status: 'pending', error: null }));
  const ended = dropped.map(({ receiver, state, reason }) => ({ receiver, state, status: 'dropped', error: reason }));
  for (const { receiver, state, status, error } of [...waiting, ...ended]) {
    const row = { alert_id: alert.alertId, state, receiver, delivery_id: deliveryIdOf({ alertId: alert.alertId, state }), status, error };
    const insert = transaction.insertInto('alert_deliveries').values(row);
    await insert
      .onConflict((conflict) => {
        const same = conflict.columns(['alert_id', 'state', 'receiver']);
        if (status === 'pending') return same.doNothing();
        return same.doUpdateSet({ status, error, updated_at: sql<Date>`now()` }).where('alert_deliveries.status', 'in', ['pending', 'retrying', 'silenced']);
      })
      .execute();
  }
};

const record = async (transaction: Transaction<Database>, records: AlertRecord[]): Promise<string[]> => {
  const repeated: string[] = [];
  for (const one of records) {
    if (await isRepeated(transaction, one.alert)) {
      repeated.push(one.alert.alertId);
      continue;
    }
    await writeAlert(transaction, one.alert);
    await writeMessages(transaction, one);
  }
  return repeated;
};

const recordDelivery = (database: Kysely<Database>, ...[{ alert, receiver, attempts }, { status, error, silenceId }]: Parameters<AlertBook['recordDelivery']>) => {
  const changes = {
    status,
    error,
    silence_id: silenceId,
    attempts: status === 'silenced' ? attempts : attempts + 1,
    sent_at: status === 'sent' ? sql<Date>`now()` : null,
    updated_at: sql<Date>`now()`,
  };
  const { alertId, state } = alert;
  return database
    .insertInto('alert_deliveries')
    .values({ alert_id: alertId, state, receiver, delivery_id: deliveryIdOf(alert), ...changes })
    .onConflict((conflict) => conflict.columns(['alert_id', 'state', 'receiver']).doUpdateSet(changes).where('alert_deliveries.status', '<>', 'sent'))
    .execute();
};

const silencesAt = async (database: Kysely<Database>, at: Date): Promise<Silence[]> => {
  const rows = await database.selectFrom('silences').selectAll().where('starts_at', '<=', at).where('ends_at', '>', at).orderBy('ends_at').execute();
  return rows.map((row) => ({
    silenceId: row.silence_id,
    matcher: row.matcher as SilenceMatcher,
    startsAt: row.starts_at.toISOString(),
    endsAt: row.ends_at.toISOString(),
    createdBy: row.created_by,
    comment: row.comment,
  }));
};

/** Incidents on PostgreSQL. Every method throws PostgresUnavailable in an outage. */
export const createAlertBook = (database: Kysely<Database>): AlertBook => ({
  record: (records) => askDatabase(() => database.transaction().execute((transaction) => record(transaction, records))),
  wasSent: async ({ alert, receiver }) => {
    const row = await askDatabase(() =>
      database
        .selectFrom('alert_deliveries')
        .select('status')
        .where('alert_id', '=', alert.alertId)
        .where('state', '=', alert.state)
        .where('receiver', '=', receiver)
        .executeTakeFirst(),
    );
    return row?.status === 'sent';
  },
  recordDelivery: async (delivery, result) => {
    await askDatabase(() => recordDelivery(database, delivery, result));
  },
  silencesAt: (at) => askDatabase(() => silencesAt(database, at)),
});
