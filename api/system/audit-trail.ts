/** The audit trail as it is shown: who asked for which change, newest first. */
import { z } from 'zod';
import type { ApiContext, App } from '../http/app-types.ts';
import { Instant, iso, Limit, problems } from '../http/schemas.ts';

const AuditQuery = z.strictObject({
  subject: z.string().max(300).optional().describe('Entries about this thing alone.'),
  before: z.coerce.number().int().positive().optional().describe('The `next` of the page before.'),
  limit: Limit,
});

const AuditEntryView = z.object({
  id: z.number().int(),
  at: Instant,
  actor: z.string().describe('The name of the key.'),
  action: z.string(),
  subject: z.string(),
  detail: z.record(z.string(), z.unknown()),
});

const readAudit = async ({ database }: ApiContext, { subject, before, limit }: z.infer<typeof AuditQuery>): Promise<z.infer<typeof AuditEntryView>[]> => {
  let query = database.selectFrom('audit').selectAll().orderBy('id', 'desc').limit(limit);
  if (subject !== undefined) query = query.where('subject', '=', subject);
  if (before !== undefined) query = query.where('id', '<', before);
  const rows = await query.execute();
  return rows.map((row) => ({ id: row.id, at: iso(row.at), actor: row.actor, action: row.action, subject: row.subject, detail: row.detail as Record<string, unknown> }));
};

export const registerAuditRoute = (app: App, context: ApiContext): void => {
  app.route({
    method: 'GET',
    url: '/api/v1/audit',
    config: { policy: 'read' },
    schema: {
      tags: ['system'],
      summary: 'Who changed what, newest first, in pages',
      querystring: AuditQuery,
      response: { 200: z.object({ entries: z.array(AuditEntryView), next: z.number().int().nullable().describe('Give it as `before` to get the next page.') }), ...problems() },
    },
    handler: async (request) => {
      const entries = await readAudit(context, request.query);
      return { entries, next: entries.length === request.query.limit ? (entries.at(-1)?.id ?? null) : null };
    },
  });
};
