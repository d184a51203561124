/** The trials of a run's hyper-parameter search. */
import { z } from 'zod';
import { ParameterValue } from '../../contracts/search.ts';
import { MetricName } from '../../contracts/metric.ts';
import { pipelineOfRunId, workflowIdOfRunId } from '../../contracts/ids.ts';
import type { FailureRecord } from '../../contracts/run.ts';
import { bestOf, searchMetric } from '../../domain/search/outcome.ts';
import { trialsOf } from '../../domain/search/sampler.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { Instant, iso, isoOrNull, problems, RunParams } from '../http/schemas.ts';
import { runNotFound, showRun } from './read-run.ts';

const Trial = z.object({
  number: z.number().int(),
  state: z.enum(['running', 'succeeded', 'pruned', 'failed', 'cancelled']),
  params: z.record(z.string(), ParameterValue),
  value: z.number().nullable().describe("Of the search's metric on the validation rows; of a pruned trial the last that it reported."),
  seconds: z.number().nullable().describe('How long it is counted to have trained.'),
  reports: z.array(z.object({ rung: z.number().int(), value: z.number() })).describe('Values at the rungs of a pruner.'),
  attempts: z.number().int(),
  failure: z.object({ code: z.string(), message: z.string(), fix: z.string(), logTail: z.array(z.string()).optional() }).nullable(),
  startedAt: Instant,
  finishedAt: Instant.nullable(),
});
type Trial = z.infer<typeof Trial>;

const Trials = z
  .object({
    runId: z.string(),
    state: z.string().describe('Of the run.'),
    metric: MetricName.nullable().describe('By which trials are judged; null where the pipeline declares no search.'),
    planned: z.number().int().describe('Trials that the search makes if its budget allows.'),
    best: z.number().int().nullable().describe('Number of the best trial so far.'),
    trials: z.array(Trial),
  })
  .meta({ id: 'Trials' });

const readTrials = async ({ database }: ApiContext, runId: string, isOver: boolean): Promise<Trial[]> => {
  const rows = await database.selectFrom('search_trials').selectAll().where('run_id', '=', runId).orderBy('number').execute();
  return rows.map((row) => ({
    number: row.number,
    // Nobody writes the end of a trial whose run was terminated.
    state: (isOver && row.state === 'running' ? 'cancelled' : row.state) as Trial['state'],
    params: row.params as Trial['params'],
    value: row.value,
    seconds: row.seconds,
    reports: Object.entries(row.reports as Record<string, number>).map(([rung, value]) => ({ rung: Number(rung), value })).sort((first, second) => first.rung - second.rung),
    attempts: row.attempts,
    failure: row.failure as FailureRecord | null,
    startedAt: iso(row.started_at),
    finishedAt: isoOrNull(row.finished_at),
  }));
};

const showTrials = async (context: ApiContext, runId: string): Promise<z.infer<typeof Trials>> => {
  const pipeline = pipelineOfRunId(runId);
  if (pipeline === undefined || workflowIdOfRunId(runId) === undefined) throw runNotFound(runId);
  const { state, pipelineVersion } = await showRun(context, runId);
  const spec = pipelineVersion === null ? undefined : (await context.pipelines.version(pipeline, pipelineVersion)).spec;
  const trials = await readTrials(context, runId, state !== 'running');
  if (spec?.kind !== 'model' || spec.search === undefined) return { runId, state, metric: null, planned: 0, best: null, trials };
  const metric = searchMetric(spec.search, spec.features.task);
  const ended = trials.flatMap((trial) => (trial.state === 'running' ? [] : [{ ...trial, state: trial.state, rung: null }]));
  return { runId, state, metric, planned: trialsOf(spec.search), best: bestOf(ended, metric)?.trial ?? null, trials };
};

export const registerTrialRoutes = (app: App, context: ApiContext): void => {
  app.route({
    method: 'GET',
    url: '/api/v1/runs/:id/trials',
    config: { policy: 'read' },
    schema: { tags: ['runs'], summary: "Trials of the run's hyper-parameter search", params: RunParams, response: { 200: Trials, ...problems(404) } },
    handler: (request) => showTrials(context, request.params.id),
  });
};
