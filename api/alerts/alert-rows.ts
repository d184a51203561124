/** Incidents and their messages, as the API shows them. */
import { sql, type Selectable } from 'kysely';
import { z } from 'zod';
import type { Database } from '../../adapters/postgres/schema.ts';
import { AlertKind, AlertState, type AlertView } from '../../contracts/alert.ts';
import { Name } from '../../contracts/pipeline.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { ApiContext } from '../http/app-types.ts';
import { invalid } from '../http/problem.ts';
import { Instant, iso, isoOrNull, Limit } from '../http/schemas.ts';

export const AlertSummary = z.object({
  alertId: z.string(),
  model: z.string(),
  kind: AlertKind,
  subject: z.string().describe('Tells incidents of one kind apart: a pipeline, or the champion.'),
  pipeline: z.string(),
  labels: z.record(z.string(), z.string()),
  state: AlertState,
  reason: z.string().describe('In the words of the newest occurrence.'),
  occurrences: z.number().int(),
  openedAt: Instant,
  escalatedAt: Instant.nullable(),
  acknowledgedAt: Instant.nullable(),
  acknowledgedBy: z.string().nullable(),
  resolvedAt: Instant.nullable(),
  resolvedBy: z.string().nullable().describe('The name of a key, or "cleared" when the condition was clear for long enough.'),
  comment: z.string().nullable(),
  updatedAt: Instant,
});

export const AlertDeliveryView = z.object({
  state: AlertState,
  receiver: z.string(),
  deliveryId: z.string().describe('The webhook-id and Message-ID of all attempts.'),
  status: z.enum(['pending', 'sent', 'retrying', 'failed', 'silenced', 'dropped']),
  attempts: z.number().int(),
  error: z.string().nullable(),
  silenceId: z.string().nullable(),
  updatedAt: Instant,
  sentAt: Instant.nullable(),
});

export const AlertQuery = z.strictObject({
  state: AlertState.or(z.literal('unresolved')).optional(),
  model: Name.optional(),
  kind: AlertKind.optional(),
  pipeline: Name.optional(),
  limit: Limit,
  cursor: z.string().max(300).optional().describe('The nextCursor of the page before.'),
});

type Row = Selectable<Database['alerts']>;

export const viewOf = (row: Row): z.infer<typeof AlertSummary> => ({
  alertId: row.alert_id,
  model: row.model,
  kind: row.kind as AlertView['kind'],
  subject: row.subject,
  pipeline: row.pipeline,
  labels: row.labels as Record<string, string>,
  state: row.state as AlertState,
  reason: row.reason,
  occurrences: row.occurrences,
  openedAt: iso(row.opened_at),
  escalatedAt: isoOrNull(row.escalated_at),
  acknowledgedAt: isoOrNull(row.acknowledged_at),
  acknowledgedBy: row.acknowledged_by,
  resolvedAt: isoOrNull(row.resolved_at),
  resolvedBy: row.resolved_by,
  comment: row.comment,
  updatedAt: iso(row.updated_at),
});

const Cursor = z.tuple([z.iso.datetime(), z.string()]);

/** A page ends at a time and an id: what is opened meanwhile does not move the next one. */
const cursorOf = ({ openedAt, alertId }: { openedAt: string; alertId: string }): string => Buffer.from(JSON.stringify([openedAt, alertId])).toString('base64url');

const readCursor = (text: string): z.infer<typeof Cursor> => {
  try {
    return Cursor.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
  } catch {
    throw invalid('cursor', { message: 'is not the nextCursor of a page', fix: 'Send it as it came, or leave it out.' });
  }
};

/** One page, newest first. */
export const listAlerts = async ({ database }: ApiContext, { state, model, kind, pipeline, limit, cursor }: z.infer<typeof AlertQuery>) => {
  let query = database.selectFrom('alerts').selectAll();
  if (state !== undefined) query = state === 'unresolved' ? query.where('state', '<>', 'resolved') : query.where('state', '=', state);
  if (model !== undefined) query = query.where('model', '=', model);
  if (kind !== undefined) query = query.where('kind', '=', kind);
  if (pipeline !== undefined) query = query.where('pipeline', '=', pipeline);
  if (cursor !== undefined) {
    const [openedAt, alertId] = readCursor(cursor);
    query = query.where(sql<boolean>`(opened_at, alert_id) < (${openedAt}::timestamptz, ${alertId})`);
  }
  const rows = await query.orderBy('opened_at', 'desc').orderBy('alert_id', 'desc').limit(limit + 1).execute();
  const alerts = rows.slice(0, limit).map(viewOf);
  const last = alerts.at(-1);
  return { alerts, nextCursor: rows.length > limit && last !== undefined ? cursorOf(last) : null };
};

/** @throws PerennialFailure AlertNotFound */
export const requireAlert = async ({ database }: ApiContext, alertId: string): Promise<z.infer<typeof AlertSummary>> => {
  const row = await database.selectFrom('alerts').selectAll().where('alert_id', '=', alertId).executeTakeFirst();
  if (row === undefined) throw new PerennialFailure('AlertNotFound', `there is no alert "${alertId}"`);
  return viewOf(row);
};

/** The messages of an incident, in the order in which they began to wait. */
export const deliveriesOf = async ({ database }: ApiContext, alertId: string): Promise<z.infer<typeof AlertDeliveryView>[]> => {
  const rows = await database.selectFrom('alert_deliveries').selectAll().where('alert_id', '=', alertId).orderBy('created_at').orderBy('receiver').execute();
  return rows.map((row) => ({
    state: row.state as AlertState,
    receiver: row.receiver,
    deliveryId: row.delivery_id,
    status: row.status as 'sent',
    attempts: row.attempts,
    error: row.error,
    silenceId: row.silence_id,
    updatedAt: iso(row.updated_at),
    sentAt: isoOrNull(row.sent_at),
  }));
};
