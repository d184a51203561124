/** Batch scoring jobs of a model: start, progress, cancel. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { sql } from 'kysely';
import { z } from 'zod';
import { ArtifactRef } from '../../contracts/artifact.ts';
import { BatchScoringRequest, BatchState, type BatchPlanRef, type BatchScoringInput } from '../../contracts/batch-scoring.ts';
import { batchWorkflowId, SEARCH_ATTRIBUTES } from '../../contracts/ids.ts';
import { taskQueueOf, WORKFLOWS_POOL } from '../../contracts/queues.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { audit } from '../http/audit.ts';
import { principalOf } from '../http/guard.ts';
import type { Answer } from '../http/idempotency.ts';
import { IDEMPOTENT, Instant, iso, isoOrNull, Limit, ModelParams, problems } from '../http/schemas.ts';
import { temporalLink } from '../runs/run-links.ts';
import { requireModel } from './routes.ts';

const StartedBatch = z.object({ jobId: z.string(), workflowId: z.string(), model: z.string(), links: z.object({ self: z.string(), temporal: z.string() }) });

const BatchView = z.object({
  jobId: z.string(),
  model: z.string(),
  state: BatchState,
  requestedBy: z.string(),
  version: z.number().int().nullable(),
  dataset: z.string().nullable(),
  datasetVersion: z.string().nullable(),
  rows: z.object({ scored: z.number().int(), total: z.number().int().nullable() }),
  shards: z.object({ scored: z.number().int(), total: z.number().int().nullable() }),
  rowsPerSecond: z.number().nullable().describe('Scored rows over the time from the first plan to the last shard; null before the first shard.'),
  manifest: ArtifactRef.nullable().describe('The list of the Parquet files with identity and score, once every row is in them.'),
  failure: z.object({ code: z.string(), message: z.string(), fix: z.string() }).nullable(),
  startedAt: Instant,
  finishedAt: Instant.nullable(),
});
type BatchView = z.infer<typeof BatchView>;

const JobParams = ModelParams.extend({ job: z.string().regex(/^[0-9a-f-]{8,64}$/, 'the id of a batch scoring job') });

const tags = ['models'];

/** Shown at once, before a worker has taken it up; what the workflow writes first is the same row. */
const showAtOnce = async ({ database }: ApiContext, { jobId, model, requestedBy, ...request }: BatchScoringInput): Promise<void> => {
  const row = { job_id: jobId, model, requested_by: requestedBy, request: JSON.stringify(request) };
  await database.insertInto('batch_jobs').values(row).onConflict((conflict) => conflict.doNothing()).execute();
};

const start = async ({ temporalCalls }: ApiContext, input: BatchScoringInput): Promise<void> => {
  try {
    await temporalCalls.call((client) =>
      client.workflow.start('batchScoring', {
        workflowId: batchWorkflowId(input.jobId),
        taskQueue: taskQueueOf(WORKFLOWS_POOL),
        args: [input],
        workflowIdConflictPolicy: 'USE_EXISTING',
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        typedSearchAttributes: [{ key: defineSearchAttributeKey(SEARCH_ATTRIBUTES.model, 'KEYWORD'), value: input.model }],
        staticSummary: `batch scoring by ${input.model}`,
      }),
    );
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
};

const registerStart = (app: App, context: ApiContext): void => {
  app.route({
    method: 'POST',
    url: '/api/v1/models/:model/batch',
    config: { policy: 'runs:write' },
    schema: { tags, summary: 'Scores all rows of a dataset version by one version of the model', params: ModelParams, headers: IDEMPOTENT, body: BatchScoringRequest, response: { 202: StartedBatch, ...problems(404, 409) } },
    handler: async (request, reply) => {
      const { model } = request.params;
      const principal = principalOf(request);
      const answer = await context.idempotency.once(request, { act: `batch ${model}`, content: request.body }, async ({ digest }): Promise<Answer> => {
        await requireModel(context, model);
        const input: BatchScoringInput = { jobId: digest, model, requestedBy: `api/${principal.name}`, ...request.body };
        await start(context, input);
        await showAtOnce(context, input);
        await audit(context.database, principal, { action: 'batch.start', subject: model, detail: { jobId: digest } });
        const workflowId = batchWorkflowId(digest);
        const links = { self: `/api/v1/models/${encodeURIComponent(model)}/batch/${digest}`, temporal: temporalLink(context.temporal, workflowId) };
        return { status: 202, body: { jobId: digest, workflowId, model, links } };
      });
      return reply.code(202).send(answer.body as z.infer<typeof StartedBatch>);
    },
  });
};

type Wanted = { model: string; job?: string; limit: number };

const readJobs = async ({ database }: ApiContext, { model, job, limit }: Wanted): Promise<BatchView[]> => {
  const scored = sql<{ shards: number; rows: number; seconds: number | null }>`(select json_build_object('shards', count(*), 'rows', coalesce(sum(s.rows), 0), 'seconds', extract(epoch from max(s.finished_at) - j.started_at)) from batch_shards s where s.job_id = j.job_id)`;
  const jobs = database.selectFrom('batch_jobs as j').selectAll('j').select(scored.as('scored')).where('model', '=', model);
  const rows = await (job === undefined ? jobs : jobs.where('job_id', '=', job)).orderBy('started_at', 'desc').limit(limit).execute();
  return rows.map((row) => {
    const plan = row.plan as BatchPlanRef | null;
    const { scored: done } = row;
    return {
      jobId: row.job_id,
      model,
      state: BatchState.parse(row.state),
      requestedBy: row.requested_by,
      version: plan?.version ?? null,
      dataset: plan?.dataset ?? null,
      datasetVersion: plan?.datasetVersion ?? null,
      rows: { scored: done.rows, total: plan?.rows ?? null },
      shards: { scored: done.shards, total: plan?.shards ?? null },
      rowsPerSecond: done.seconds === null || done.seconds <= 0 ? null : Math.round(done.rows / done.seconds),
      manifest: row.manifest as BatchView['manifest'],
      failure: row.failure as BatchView['failure'],
      startedAt: iso(row.started_at),
      finishedAt: isoOrNull(row.finished_at),
    };
  });
};

const jobNotFound = (model: string, job: string): PerennialFailure => new PerennialFailure('BatchNotFound', `the model "${model}" has no batch scoring job ${job}`);

const registerViews = (app: App, context: ApiContext): void => {
  app.route({
    method: 'GET',
    url: '/api/v1/models/:model/batch',
    config: { policy: 'read' },
    schema: { tags, summary: 'Batch scoring jobs of the model, newest first', params: ModelParams, querystring: z.object({ limit: Limit }), response: { 200: z.array(BatchView), ...problems(404) } },
    handler: async ({ params: { model }, query: { limit } }) => {
      await requireModel(context, model);
      return readJobs(context, { model, limit });
    },
  });
  app.route({
    method: 'GET',
    url: '/api/v1/models/:model/batch/:job',
    config: { policy: 'read' },
    schema: { tags, summary: 'One batch scoring job: progress, throughput, result', params: JobParams, response: { 200: BatchView, ...problems(404) } },
    handler: async ({ params: { model, job } }) => {
      const [view] = await readJobs(context, { model, job, limit: 1 });
      if (view === undefined) throw jobNotFound(model, job);
      return view;
    },
  });
};

const registerCancel = (app: App, context: ApiContext): void => {
  app.route({
    method: 'POST',
    url: '/api/v1/models/:model/batch/:job/cancel',
    config: { policy: 'runs:write' },
    schema: { tags, summary: 'Asks a batch scoring job to stop; one that has ended stays as it is', params: JobParams, response: { 202: z.object({ jobId: z.string(), accepted: z.literal('cancel') }), ...problems(404) } },
    handler: async (request, reply) => {
      const { model, job } = request.params;
      const [view] = await readJobs(context, { model, job, limit: 1 });
      if (view === undefined) throw jobNotFound(model, job);
      if (view.state === 'running') await context.temporalCalls.call((client) => client.workflow.getHandle(batchWorkflowId(job)).cancel());
      await audit(context.database, principalOf(request), { action: 'batch.cancel', subject: model, detail: { jobId: job } });
      return reply.code(202).send({ jobId: job, accepted: 'cancel' as const });
    },
  });
};

export const registerBatchRoutes = (app: App, context: ApiContext): void => {
  registerStart(app, context);
  registerViews(app, context);
  registerCancel(app, context);
};
