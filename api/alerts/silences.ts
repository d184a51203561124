/** Silences: while one lasts, messages about matching alerts wait. The alerts themselves are recorded and shown as ever. */
import type { Kysely, Selectable, Transaction } from 'kysely';
import { WorkflowNotFoundError } from '@temporalio/client';
import { z } from 'zod';
import type { Database } from '../../adapters/postgres/schema.ts';
import { SilenceMatcher, type AlertKind } from '../../contracts/alert.ts';
import { alertWorkflowId } from '../../contracts/ids.ts';
import { silenceChangedSignal } from '../../contracts/messages.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { audit } from '../http/audit.ts';
import { principalOf } from '../http/guard.ts';
import { invalid } from '../http/problem.ts';
import { IDEMPOTENT, Instant, iso, Limit, problems } from '../http/schemas.ts';

const SilenceView = z.object({
  silenceId: z.string(),
  matcher: SilenceMatcher,
  startsAt: Instant,
  endsAt: Instant,
  active: z.boolean().describe('Whether it holds messages back now.'),
  createdBy: z.string(),
  comment: z.string().describe('Why.'),
  createdAt: Instant,
});
type SilenceView = z.infer<typeof SilenceView>;

const Time = z.iso.datetime({ offset: true });
const NewSilence = z.strictObject({
  matcher: SilenceMatcher,
  startsAt: Time.optional().describe('Now, when it is left out.'),
  endsAt: Time,
  comment: z.string().min(1).max(500).describe('Why.'),
});
const SilenceParams = z.object({ id: z.string().regex(/^silence-[A-Za-z0-9-]{1,100}$/, 'the id of a silence') });

const LONGEST_MS = 366 * 86_400_000;
const tags = ['alerts'];

const viewOf = (row: Selectable<Database['silences']>, nowMs = Date.now()): SilenceView => ({
  silenceId: row.silence_id,
  matcher: row.matcher as SilenceMatcher,
  startsAt: iso(row.starts_at),
  endsAt: iso(row.ends_at),
  active: row.starts_at.getTime() <= nowMs && nowMs < row.ends_at.getTime(),
  createdBy: row.created_by,
  comment: row.comment,
  createdAt: iso(row.created_at),
});

/** A silence of everything is a mistake more often than a wish: it must be said by a matcher, `model: "*"` at least. */
const rowOf = ({ matcher, startsAt, endsAt, comment }: z.infer<typeof NewSilence>) => {
  const starts = startsAt === undefined ? new Date() : new Date(startsAt);
  const ends = new Date(endsAt);
  if (matcher.model === undefined && matcher.kind === undefined && Object.keys(matcher.labels).length === 0) {
    throw invalid('matcher', { message: 'matches everything', fix: 'Name a model, a kind or a label; "*" matches any.' });
  }
  if (ends <= starts) throw invalid('endsAt', { message: 'is not after startsAt', fix: 'Give a later time.' });
  if (ends.getTime() <= Date.now()) throw invalid('endsAt', { message: 'has passed', fix: 'Give a time to come.' });
  if (ends.getTime() - starts.getTime() > LONGEST_MS) throw invalid('endsAt', { message: 'is more than a year after startsAt', fix: 'Silence it for a shorter time, or take it out of alerts.on.' });
  return { matcher: JSON.stringify(matcher), starts_at: starts, ends_at: ends, comment };
};

/** Tells the incidents with a message that waits for this silence: it may have ended. */
const wakeWaiting = async ({ database, temporalCalls }: ApiContext, silenceId: string): Promise<void> => {
  const waiting = await database
    .selectFrom('alert_deliveries')
    .innerJoin('alerts', 'alerts.alert_id', 'alert_deliveries.alert_id')
    .select(['model', 'kind', 'subject'])
    .distinct()
    .where('silence_id', '=', silenceId)
    .where('status', '=', 'silenced')
    .execute();
  for (const { model, kind, subject } of waiting) {
    try {
      await temporalCalls.call((client) => client.workflow.getHandle(alertWorkflowId({ model, kind: kind as AlertKind, subject })).signal(silenceChangedSignal));
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
};

const find = (database: Kysely<Database> | Transaction<Database>, silenceId: string) => database.selectFrom('silences').selectAll().where('silence_id', '=', silenceId);

const requireSilence = async ({ database }: ApiContext, silenceId: string): Promise<SilenceView> => {
  const row = await find(database, silenceId).executeTakeFirst();
  if (row === undefined) throw new PerennialFailure('SilenceNotFound', `there is no silence "${silenceId}"`);
  return viewOf(row);
};

const registerReads = (app: App, context: ApiContext): void => {
  const query = z.strictObject({ all: z.enum(['true', 'false']).default('false').describe('Also those that are over.'), limit: Limit });
  app.route({
    method: 'GET',
    url: '/api/v1/silences',
    config: { policy: 'read' },
    schema: { tags, summary: 'Silences that last or are to come, the one that ends first first', querystring: query, response: { 200: z.object({ silences: z.array(SilenceView) }), ...problems() } },
    handler: async ({ query: { all, limit } }) => {
      const silences = context.database.selectFrom('silences').selectAll();
      const rows = await (all === 'true' ? silences : silences.where('ends_at', '>', new Date())).orderBy('ends_at').orderBy('silence_id').limit(limit).execute();
      return { silences: rows.map((row) => viewOf(row)) };
    },
  });
  app.route({
    method: 'GET',
    url: '/api/v1/silences/:id',
    config: { policy: 'read' },
    schema: { tags, summary: 'One silence', params: SilenceParams, response: { 200: SilenceView, ...problems(404) } },
    handler: (request) => requireSilence(context, request.params.id),
  });
};

const registerWrites = (app: App, context: ApiContext): void => {
  app.route({
    method: 'POST',
    url: '/api/v1/silences',
    config: { policy: 'silences:write' },
    schema: { tags, summary: 'Begins a silence', headers: IDEMPOTENT, body: NewSilence, response: { 201: SilenceView, ...problems(409) } },
    handler: async (request, reply) => {
      const principal = principalOf(request);
      const row = rowOf(request.body);
      const answer = await context.idempotency.once(request, { act: 'silence', content: request.body }, async ({ digest }) => {
        const silence_id = `silence-${digest}`;
        await context.database.insertInto('silences').values({ ...row, silence_id, created_by: principal.name }).onConflict((conflict) => conflict.doNothing()).execute();
        await audit(context.database, principal, { action: 'silence.create', subject: silence_id, detail: { ...request.body } });
        return { status: 201, body: await requireSilence(context, silence_id) };
      });
      return reply.code(201).send(answer.body as SilenceView);
    },
  });
  app.route({
    method: 'PUT',
    url: '/api/v1/silences/:id',
    config: { policy: 'silences:write' },
    schema: { tags, summary: 'Changes a silence', params: SilenceParams, body: NewSilence, response: { 200: SilenceView, ...problems(404) } },
    handler: async (request) => {
      const { id } = request.params;
      const before = await requireSilence(context, id);
      const row = rowOf({ ...request.body, startsAt: request.body.startsAt ?? before.startsAt });
      await context.database.updateTable('silences').set(row).where('silence_id', '=', id).execute();
      await audit(context.database, principalOf(request), { action: 'silence.change', subject: id, detail: { ...request.body } });
      await wakeWaiting(context, id);
      return requireSilence(context, id);
    },
  });
  app.route({
    method: 'DELETE',
    url: '/api/v1/silences/:id',
    config: { policy: 'silences:write' },
    schema: { tags, summary: 'Ends a silence now: what waited for its end is sent. One that is over is no error', params: SilenceParams, response: { 204: z.null(), ...problems(404) } },
    handler: async (request, reply) => {
      const { id } = request.params;
      await requireSilence(context, id);
      const ended = await context.database.updateTable('silences').set({ ends_at: new Date() }).where('silence_id', '=', id).where('ends_at', '>', new Date()).returning('silence_id').executeTakeFirst();
      if (ended !== undefined) await audit(context.database, principalOf(request), { action: 'silence.end', subject: id });
      await wakeWaiting(context, id);
      return reply.code(204).send(null);
    },
  });
};

export const registerSilenceRoutes = (app: App, context: ApiContext): void => {
  registerReads(app, context);
  registerWrites(app, context);
};
