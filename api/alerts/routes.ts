/** Incidents: what is wrong, who was told, and taking care of it. */
import { sql } from 'kysely';
import { z } from 'zod';
import { alertWorkflowId } from '../../contracts/ids.ts';
import { acknowledgeAlertUpdate, resolveAlertUpdate } from '../../contracts/messages.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { audit } from '../http/audit.ts';
import { principalOf } from '../http/guard.ts';
import type { Answer } from '../http/idempotency.ts';
import { IDEMPOTENT, problems } from '../http/schemas.ts';
import { temporalLink } from '../runs/run-links.ts';
import { sendUpdate } from '../temporal/updates.ts';
import { AlertDeliveryView, AlertQuery, AlertSummary, deliveriesOf, listAlerts, requireAlert } from './alert-rows.ts';

const AlertParams = z.object({ id: z.uuid('the id of an alert') });
const AlertComment = z.strictObject({ comment: z.string().max(500).default('') });
const Accepted = z.object({ alertId: z.string(), accepted: z.string() });

const tags = ['alerts'];

const registerReads = (app: App, context: ApiContext): void => {
  app.route({
    method: 'GET',
    url: '/api/v1/alerts',
    config: { policy: 'read' },
    schema: {
      tags,
      summary: 'Incidents, newest first, in pages',
      querystring: AlertQuery,
      response: { 200: z.object({ alerts: z.array(AlertSummary), nextCursor: z.string().nullable().describe('Null on the last page.') }), ...problems() },
    },
    handler: (request) => listAlerts(context, request.query),
  });
  app.route({
    method: 'GET',
    url: '/api/v1/alerts/:id',
    config: { policy: 'read' },
    schema: {
      tags,
      summary: 'One incident, with its messages',
      params: AlertParams,
      response: { 200: AlertSummary.extend({ deliveries: z.array(AlertDeliveryView), links: z.object({ temporal: z.string() }) }), ...problems(404) },
    },
    handler: async (request) => {
      const alert = await requireAlert(context, request.params.id);
      return { ...alert, deliveries: await deliveriesOf(context, alert.alertId), links: { temporal: temporalLink(context.temporal, alertWorkflowId(alert)) } };
    },
  });
};

const ACTS = {
  acknowledge: { update: acknowledgeAlertUpdate, summary: 'Somebody takes care: it is not escalated any more' },
  resolve: { update: resolveAlertUpdate, summary: 'Ends the incident; an occurrence that comes after it opens another one' },
};
type Act = keyof typeof ACTS;

const notOpen = (alertId: string): PerennialFailure => new PerennialFailure('AlertNotOpen', `the incident ${alertId} is over`);

/** An incident whose workflow was ended by hand is only a row: whoever resolves it closes that. */
const closeRow = async ({ database }: ApiContext, alertId: string, { by, comment }: { by: string; comment: string }): Promise<boolean> => {
  const row = await database
    .updateTable('alerts')
    .set({ state: 'resolved', resolved_at: sql<Date>`now()`, resolved_by: by, updated_at: sql<Date>`now()`, ...(comment === '' ? {} : { comment }) })
    .where('alert_id', '=', alertId)
    .where('state', '<>', 'resolved')
    .returning('alert_id')
    .executeTakeFirst();
  return row !== undefined;
};

type Word = { by: string; comment: string; alertId: string };

const takeWord = async (context: ApiContext, act: Act, { word, digest }: { word: Word; digest: string }): Promise<void> => {
  const alert = await requireAlert(context, word.alertId);
  if (alert.state === 'resolved') throw notOpen(word.alertId);
  let isAbandoned = false;
  const absent = (): PerennialFailure => {
    isAbandoned = true;
    return notOpen(word.alertId);
  };
  try {
    await sendUpdate(context, { workflowId: alertWorkflowId(alert), name: ACTS[act].update.name, args: [word], updateId: digest, absent });
  } catch (error) {
    if (!isAbandoned || act !== 'resolve' || !(await closeRow(context, word.alertId, word))) throw error;
  }
};

const registerAct = (app: App, context: ApiContext, act: Act): void => {
  app.route({
    method: 'POST',
    url: `/api/v1/alerts/:id/${act}`,
    config: { policy: 'alerts:write' },
    schema: { tags, summary: ACTS[act].summary, params: AlertParams, headers: IDEMPOTENT, body: AlertComment.nullish(), response: { 202: Accepted, ...problems(404, 409) } },
    handler: async (request, reply) => {
      const { id: alertId } = request.params;
      const { comment } = request.body ?? AlertComment.parse({});
      const principal = principalOf(request);
      const answer = await context.idempotency.once(request, { act: `alert ${act} ${alertId}`, content: request.body }, async ({ digest }): Promise<Answer> => {
        await takeWord(context, act, { digest, word: { by: principal.name, comment, alertId } });
        await audit(context.database, principal, { action: `alert.${act}`, subject: alertId, detail: { comment } });
        return { status: 202, body: { alertId, accepted: act } };
      });
      return reply.code(202).send(answer.body as z.infer<typeof Accepted>);
    },
  });
};

export const registerAlertRoutes = (app: App, context: ApiContext): void => {
  registerReads(app, context);
  for (const act of Object.keys(ACTS) as Act[]) registerAct(app, context, act);
};
