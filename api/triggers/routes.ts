/** Events from outside, and the ledger of what became of them. */
import { z } from 'zod';
import { CloudEvent, DATA_ARRIVED, type Trigger } from '../../contracts/trigger.ts';
import { Name } from '../../contracts/pipeline.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { bodyAsIs } from '../http/validation.ts';
import { RequestRefused } from '../http/problem.ts';
import { Instant, iso, Limit, problems } from '../http/schemas.ts';
import { sha256 } from '../http/unique.ts';
import { BATCH, readCloudEvents, STRUCTURED } from './cloud-events.ts';

const AcceptedEvents = z.object({
  accepted: z.array(z.object({ id: z.string(), source: z.string(), triggerId: z.string(), pipelines: z.array(z.string()).describe('Empty: no pipeline wants it.') })),
});

const TriggerView = z.object({
  pipeline: z.string().describe('Empty for an event that no pipeline wants.'),
  triggerId: z.string(),
  kind: z.string(),
  reason: z.string(),
  source: z.string(),
  outcome: z.enum(['ran', 'coalesced', 'rejected']),
  runId: z.string().nullable(),
  coalescedInto: z.string().nullable(),
  rejection: z.string().nullable(),
  quality: z.enum(['holds', 'dropped', 'unknown']).nullable().describe('What the labels of the window said of the quality, where a monitor found it.'),
  at: Instant,
  recordedAt: Instant,
});

const TriggerQuery = z.strictObject({ pipeline: z.union([Name, z.literal('')]).optional(), limit: Limit });

/** The same source and id is the same event, whoever sends it how often. */
const triggerOf = (event: CloudEvent): Trigger => {
  const time = event.time === undefined ? Number.NaN : Date.parse(event.time);
  return {
    id: `event/${sha256(`${event.source}\0${event.id}`)}`,
    kind: 'data',
    reason: `${event.type}${event.subject === undefined ? '' : ` of ${event.subject}`}`.slice(0, 500),
    at: new Date(Number.isNaN(time) ? Date.now() : time).toISOString(),
    source: event.source,
  };
};

const requireSubjects = (events: CloudEvent[]): void => {
  const without = events.findIndex((event) => event.type === DATA_ARRIVED && (event.subject ?? '') === '');
  if (without < 0) return;
  throw new RequestRefused('InvalidRequest', [{ path: events.length === 1 ? 'subject' : `[${without}].subject`, message: `is required for ${DATA_ARRIVED}`, fix: 'Name the pipeline or the dataset whose data arrived.' }]);
};

const recordUnwanted = async ({ database }: ApiContext, trigger: Trigger): Promise<void> => {
  const row = { pipeline: '', trigger_id: trigger.id, kind: trigger.kind, reason: trigger.reason, source: trigger.source, outcome: 'rejected', rejection: 'no subscriber', at: trigger.at };
  await database.insertInto('triggers').values({ ...row, run_id: null, coalesced_into: null }).onConflict((conflict) => conflict.doNothing()).execute();
};

/** Hands an event to the ledger of every pipeline that wants it; accepted means that Temporal holds it. */
const submit = async (context: ApiContext, event: CloudEvent): Promise<z.infer<typeof AcceptedEvents>['accepted'][number]> => {
  const trigger = triggerOf(event);
  const pipelines = event.type === DATA_ARRIVED ? await context.pipelines.subscribedTo(event.subject ?? '') : [];
  if (pipelines.length === 0) await recordUnwanted(context, trigger);
  await Promise.all(pipelines.map((pipeline) => context.workflows.submitTrigger(pipeline, trigger)));
  return { id: event.id, source: event.source, triggerId: trigger.id, pipelines };
};

const registerEvents = (app: App, context: ApiContext): void => {
  // In the binary form the body is the data, of any type; here it is only text to look at.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.route({
    method: 'POST',
    url: '/api/v1/events',
    config: { policy: 'events:write' },
    validatorCompiler: bodyAsIs,
    schema: {
      tags: ['triggers'],
      summary: 'CloudEvents: data arrived, and others',
      description: `The type ${DATA_ARRIVED} with a pipeline or dataset as subject asks for a run. The same source and id is the same event.`,
      consumes: [STRUCTURED, BATCH],
      body: z.union([CloudEvent, z.array(CloudEvent)]),
      response: { 202: AcceptedEvents, ...problems(413) },
    },
    handler: async (request, reply) => {
      const events = readCloudEvents(request, typeof request.body === 'string' ? request.body : '');
      requireSubjects(events);
      const accepted = [];
      // In their order: the ledger keeps the first of two that ask for the same.
      for (const event of events) accepted.push(await submit(context, event));
      return reply.code(202).send({ accepted });
    },
  });
};

const listTriggers = async ({ database }: ApiContext, { pipeline, limit }: z.infer<typeof TriggerQuery>): Promise<z.infer<typeof TriggerView>[]> => {
  const all = database.selectFrom('triggers').selectAll().orderBy('recorded_at', 'desc').orderBy('trigger_id').limit(limit);
  const rows = await (pipeline === undefined ? all : all.where('pipeline', '=', pipeline)).execute();
  return rows.map((row) => ({
    pipeline: row.pipeline,
    triggerId: row.trigger_id,
    kind: row.kind,
    reason: row.reason,
    source: row.source,
    outcome: row.outcome as 'ran',
    runId: row.run_id,
    coalescedInto: row.coalesced_into,
    rejection: row.rejection,
    quality: row.quality as 'holds' | null,
    at: iso(row.at),
    recordedAt: iso(row.recorded_at),
  }));
};

export const registerTriggerRoutes = async (app: App, context: ApiContext): Promise<void> => {
  app.route({
    method: 'GET',
    url: '/api/v1/triggers',
    config: { policy: 'read' },
    schema: { tags: ['triggers'], summary: 'The ledger of triggers, newest first', querystring: TriggerQuery, response: { 200: z.object({ triggers: z.array(TriggerView) }), ...problems() } },
    handler: async (request) => ({ triggers: await listTriggers(context, request.query) }),
  });
  await app.register(async (scope) => registerEvents(scope.withTypeProvider() as App, context));
};
