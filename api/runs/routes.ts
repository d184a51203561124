/** Routes of runs: start, list, show. */
import { z } from 'zod';
import { Name } from '../../contracts/pipeline.ts';
import { StartRunRequest } from '../../contracts/run.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { audit } from '../http/audit.ts';
import { principalOf } from '../http/guard.ts';
import { IDEMPOTENT, Limit, NameParams, problems, RunParams } from '../http/schemas.ts';
import { runLinks } from './run-links.ts';
import { listRuns, readStepMarks } from './run-rows.ts';
import { RunId } from '../http/schemas.ts';
import { RunStateView, RunSummary, RunView, StartedRun } from './run-schemas.ts';
import { runSummary } from './run-view.ts';
import { showRun } from './read-run.ts';
import { startRun } from './start-run.ts';

const RunQuery = z.strictObject({ pipeline: Name.optional(), state: RunStateView.optional(), before: RunId.optional().describe('The last run id of the page before.'), limit: Limit, steps: z.enum(['true', 'false']).default('false').describe('Whether each run comes with the states of its steps.') });
const RunPage = z.object({ runs: z.array(RunSummary), next: z.string().nullable().describe('Give it as `before` to get the next page.') });

const registerStart = (app: App, context: ApiContext): void => {
  app.route({
    method: 'POST',
    url: '/api/v1/pipelines/:name/runs',
    config: { policy: 'runs:write' },
    schema: {
      tags: ['runs'],
      summary: 'Starts a run of a pipeline',
      params: NameParams,
      headers: IDEMPOTENT,
      body: StartRunRequest.nullish(),
      response: { 202: StartedRun, ...problems(404, 409) },
    },
    handler: async (request, reply) => {
      const { name } = request.params;
      const body = request.body ?? {};
      const principal = principalOf(request);
      // The run's id follows from the key, so the answer does too: nothing has to be stored for a repeated request.
      const { intent } = await context.idempotency.claim(request, { act: `run ${name}`, content: body });
      const pipeline = body.pipelineVersion === undefined ? await context.pipelines.current(name) : await context.pipelines.version(name, body.pipelineVersion);
      const trigger = { kind: 'manual' as const, id: `manual/${intent.digest}`, reason: body.reason ?? `started by ${principal.name}` };
      const run = { unique: intent.digest, pipeline: name, pipelineVersion: pipeline.version, spec: pipeline.spec, trigger };
      const [started] = await Promise.all([
        startRun(context, run),
        audit(context.database, principal, { action: 'run.start', subject: `${name}.${intent.digest}`, detail: { pipelineVersion: pipeline.version } }),
      ]);
      return reply.code(202).header('location', started.links.self).send(started);
    },
  });
};

const registerReads = (app: App, context: ApiContext): void => {
  app.route({
    method: 'GET',
    url: '/api/v1/runs',
    config: { policy: 'read' },
    schema: { tags: ['runs'], summary: 'Runs, newest first', querystring: RunQuery, response: { 200: RunPage, ...problems() } },
    handler: async (request) => {
      const rows = await listRuns(context.database, request.query);
      const nowMs = Date.now();
      const marks = request.query.steps === 'true' ? await readStepMarks(context.database, rows.map((row) => row.runId)) : undefined;
      const runs = rows.map((row) => ({ ...runSummary(row, { nowMs, links: runLinks(context.temporal, row) }), ...(marks === undefined ? {} : { steps: marks.get(row.runId) ?? [] }) }));
      return { runs, next: rows.length === request.query.limit ? (rows.at(-1)?.runId ?? null) : null };
    },
  });
  app.route({
    method: 'GET',
    url: '/api/v1/runs/:id',
    config: { policy: 'read' },
    schema: { tags: ['runs'], summary: 'One run with all its steps', params: RunParams, response: { 200: RunView, ...problems(404) } },
    handler: (request) => showRun(context, request.params.id),
  });
};

export const registerRunRoutes = (app: App, context: ApiContext): void => {
  registerStart(app, context);
  registerReads(app, context);
};
