/** What can be done to a schedule: pause, resume, trigger, backfill. Each is Temporal's own act. */
import { z } from 'zod';
import { BackfillRequest, type ScheduleKey } from '../../contracts/schedule.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { audit } from '../http/audit.ts';
import { principalOf } from '../http/guard.ts';
import { invalid } from '../http/problem.ts';
import { IDEMPOTENT, Instant, problems } from '../http/schemas.ts';
import { requireSchedule } from './schedule-rows.ts';
import { ScheduleParams, subjectOf } from './schedule-views.ts';

const Reason = z.strictObject({ reason: z.string().max(500).optional() });
const Accepted = z.object({ pipeline: z.string(), name: z.string(), accepted: z.string() });
const AcceptedBackfill = Accepted.extend({ ticks: z.number().int(), first: Instant, last: Instant });

const tags = ['schedules'];

const SUMMARIES = {
  pause: 'Pauses a schedule: no ticks until it is resumed, and none of them is made up for',
  resume: 'Lets a paused schedule go on',
};

const registerPauses = (app: App, context: ApiContext, act: 'pause' | 'resume'): void => {
  app.route({
    method: 'POST',
    url: `/api/v1/schedules/:pipeline/:name/${act}`,
    config: { policy: 'runs:write' },
    schema: { tags, summary: SUMMARIES[act], params: ScheduleParams, body: Reason.nullish(), response: { 202: Accepted, ...problems(404) } },
    handler: async (request, reply) => {
      const { pipeline, name } = request.params;
      const principal = principalOf(request);
      const { reason } = request.body ?? {};
      await requireSchedule(context.database, request.params);
      await context.schedules.engine[act](request.params, `${act}d by ${principal.name}${reason === undefined ? '' : `: ${reason}`}`);
      await audit(context.database, principal, { action: `schedule.${act}`, subject: subjectOf(request.params), detail: { reason: reason ?? null } });
      return reply.code(202).send({ pipeline, name, accepted: act });
    },
  });
};

const registerTrigger = (app: App, context: ApiContext): void => {
  app.route({
    method: 'POST',
    url: '/api/v1/schedules/:pipeline/:name/trigger',
    config: { policy: 'runs:write' },
    schema: { tags, summary: 'One tick now, under the overlap policy of the schedule', params: ScheduleParams, headers: IDEMPOTENT, body: z.strictObject({}).nullish(), response: { 202: Accepted, ...problems(404, 409) } },
    handler: async (request, reply) => {
      const { pipeline, name } = request.params;
      const { spec } = await requireSchedule(context.database, request.params);
      const answer = await context.idempotency.once(request, { act: `trigger ${subjectOf(request.params)}`, content: {} }, async () => {
        await context.schedules.engine.trigger(request.params, spec.overlap);
        await audit(context.database, principalOf(request), { action: 'schedule.trigger', subject: subjectOf(request.params) });
        return { status: 202, body: { pipeline, name, accepted: 'trigger' } };
      });
      return reply.code(202).send(answer.body as z.infer<typeof Accepted>);
    },
  });
};

/** Temporal keeps at most this many ticks of a schedule waiting; more would be dropped silently. */
const MOST_TICKS = 900;

/** The ticks of the period, by Temporal's own calculation. It is asked of a period that ends, so a wrong one is found before it does harm. */
const ticksOf = async (context: ApiContext, key: ScheduleKey, { from, until }: { from: string; until: string }): Promise<string[]> => {
  if (Date.parse(from) > Date.parse(until)) throw invalid('until', { message: 'lies before from', fix: 'Exchange them.' });
  const ticks = await context.schedules.engine.ticksBetween(key, { from: new Date(Date.parse(from) - 1_000).toISOString(), until });
  if (ticks.length === 0) throw invalid('from', { message: 'the schedule has no tick in this period', fix: 'Choose a period that holds one; see timing.' });
  if (ticks.length > MOST_TICKS) throw invalid('until', { message: `the period has more than ${MOST_TICKS} ticks`, fix: 'Fill it in part by part.' });
  return ticks;
};

const registerBackfill = (app: App, context: ApiContext): void => {
  app.route({
    method: 'POST',
    url: '/api/v1/schedules/:pipeline/:name/backfill',
    config: { policy: 'runs:write' },
    schema: {
      tags,
      summary: 'Takes the ticks of a past period now',
      description: 'From `from` to `until`, both included. A tick whose scheduled time has its row in the ledger already starts no second run.',
      params: ScheduleParams,
      headers: IDEMPOTENT,
      body: BackfillRequest,
      response: { 202: AcceptedBackfill, ...problems(404, 409) },
    },
    handler: async (request, reply) => {
      const { pipeline, name } = request.params;
      await requireSchedule(context.database, request.params);
      const answer = await context.idempotency.once(request, { act: `backfill ${subjectOf(request.params)}`, content: request.body }, async () => {
        const ticks = await ticksOf(context, request.params, request.body);
        await context.schedules.engine.backfill(request.params, request.body);
        await audit(context.database, principalOf(request), { action: 'schedule.backfill', subject: subjectOf(request.params), detail: { ...request.body, ticks: ticks.length } });
        return { status: 202, body: { pipeline, name, accepted: 'backfill', ticks: ticks.length, first: ticks[0], last: ticks.at(-1) } };
      });
      return reply.code(202).send(answer.body as z.infer<typeof AcceptedBackfill>);
    },
  });
};

export const registerScheduleActs = (app: App, context: ApiContext): void => {
  registerPauses(app, context, 'pause');
  registerPauses(app, context, 'resume');
  registerTrigger(app, context);
  registerBackfill(app, context);
};
