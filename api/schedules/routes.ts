/** Routes of schedules: list, show, put, delete. What can be done to one is in acts.ts. */
import { z } from 'zod';
import { Name } from '../../contracts/pipeline.ts';
import { ScheduleSpec, type ScheduleKey } from '../../contracts/schedule.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import { scheduleProblems } from '../../domain/schedules.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { audit } from '../http/audit.ts';
import { principalOf } from '../http/guard.ts';
import { RequestRefused } from '../http/problem.ts';
import { problems } from '../http/schemas.ts';
import type { Principal } from '../keys/key-store.ts';
import { registerScheduleActs } from './acts.ts';
import { deleteSchedule, listSchedules, putSchedule, requireSchedule, type ScheduleChange } from './schedule-rows.ts';
import { ScheduleParams, ScheduleTick, scheduleView, ScheduleView, subjectOf, ticksOf } from './schedule-views.ts';
import { syncOne } from './sync.ts';

const ScheduleQuery = z.strictObject({ pipeline: Name.optional() });
const ScheduleDetail = ScheduleView.extend({ ticks: z.array(ScheduleTick).describe('Its rows in the trigger ledger, newest first, at most 20.') });

const tags = ['schedules'];

/** Questions to Temporal at once. */
const ASKED_AT_ONCE = 20;

const registerReads = (app: App, context: ApiContext): void => {
  app.route({
    method: 'GET',
    url: '/api/v1/schedules',
    config: { policy: 'read' },
    schema: { tags, summary: 'All schedules, with what Temporal says of them', querystring: ScheduleQuery, response: { 200: z.object({ schedules: z.array(ScheduleView) }), ...problems() } },
    handler: async (request) => {
      const rows = await listSchedules(context.database, request.query);
      const schedules: ScheduleView[] = [];
      for (let from = 0; from < rows.length; from += ASKED_AT_ONCE) schedules.push(...(await Promise.all(rows.slice(from, from + ASKED_AT_ONCE).map((row) => scheduleView(context, row)))));
      return { schedules };
    },
  });
  app.route({
    method: 'GET',
    url: '/api/v1/schedules/:pipeline/:name',
    config: { policy: 'read' },
    schema: { tags, summary: 'One schedule, with its latest ticks', params: ScheduleParams, response: { 200: ScheduleDetail, ...problems(404) } },
    handler: async (request) => {
      const [view, ticks] = await Promise.all([scheduleView(context, await requireSchedule(context.database, request.params)), ticksOf(context, request.params)]);
      return { ...view, ticks };
    },
  });
};

type Put = { key: ScheduleKey; spec: ScheduleSpec; principal: Principal };

/** What Temporal refuses is not kept: the wish is again what it was. */
const takeBack = async ({ database }: ApiContext, { key, principal }: Put, before: ScheduleSpec | null): Promise<void> => {
  if (before === null) await deleteSchedule(database, key);
  else await putSchedule(database, { ...key, spec: before }, principal);
};

const put = async (context: ApiContext, { key, spec, principal }: Put): Promise<ScheduleChange['change']> => {
  const { change, before } = await putSchedule(context.database, { ...key, spec }, principal);
  try {
    await syncOne(context, key);
  } catch (error) {
    if (error instanceof PerennialFailure && error.code === 'ScheduleInvalid') await takeBack(context, { key, spec, principal }, before);
    throw error;
  }
  if (change !== 'unchanged') await audit(context.database, principal, { action: 'schedule.put', subject: subjectOf(key), detail: { change } });
  return change;
};

const registerPut = (app: App, context: ApiContext): void => {
  app.route({
    method: 'PUT',
    url: '/api/v1/schedules/:pipeline/:name',
    config: { policy: 'pipelines:write' },
    schema: {
      tags,
      summary: 'Creates a schedule, or replaces it; one that its pipeline declares is changed there',
      params: ScheduleParams,
      body: ScheduleSpec,
      response: { 200: ScheduleView, 201: ScheduleView, ...problems(404, 409) },
    },
    handler: async (request, reply) => {
      const found = scheduleProblems(request.body);
      if (found.length > 0) throw new RequestRefused('InvalidRequest', found);
      await context.pipelines.current(request.params.pipeline);
      const change = await put(context, { key: request.params, spec: request.body, principal: principalOf(request) });
      const view = await scheduleView(context, await requireSchedule(context.database, request.params));
      return reply.code(change === 'created' ? 201 : 200).send(view);
    },
  });
};

const registerDelete = (app: App, context: ApiContext): void => {
  app.route({
    method: 'DELETE',
    url: '/api/v1/schedules/:pipeline/:name',
    config: { policy: 'pipelines:write' },
    schema: { tags, summary: 'Deletes a schedule; a run that it started goes on', params: ScheduleParams, response: { 204: z.null(), ...problems(404, 409) } },
    handler: async (request, reply) => {
      await requireSchedule(context.database, request.params);
      await deleteSchedule(context.database, request.params);
      await audit(context.database, principalOf(request), { action: 'schedule.delete', subject: subjectOf(request.params) });
      await syncOne(context, request.params);
      return reply.code(204).send(null);
    },
  });
};

export const registerScheduleRoutes = (app: App, context: ApiContext): void => {
  registerReads(app, context);
  registerPut(app, context);
  registerDelete(app, context);
  registerScheduleActs(app, context);
};
