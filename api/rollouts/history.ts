/** What was served when: the generations of a deployment and its rollouts, as the console's ladder page draws them. */
import { z } from 'zod';
import { TrafficSplit } from '../../contracts/deployment.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { Instant, iso, isoOrNull, Limit, ModelParams, problems } from '../http/schemas.ts';
import { requireModel } from '../models/routes.ts';

const GenerationView = z.object({ generation: z.number().int(), split: TrafficSplit, rolloutId: z.string().nullable(), reason: z.string(), at: Instant });

const PastRollout = z.object({
  rolloutId: z.string(),
  version: z.number().int(),
  strategy: z.string(),
  requestedBy: z.string(),
  runId: z.string().nullable(),
  outcome: z.object({ kind: z.string(), reason: z.string().nullable() }).nullable(),
  startedAt: Instant,
  finishedAt: Instant.nullable(),
});

const HistoryView = z.object({ model: z.string(), generations: z.array(GenerationView).describe('Oldest first.'), rollouts: z.array(PastRollout).describe('Newest first.') });

const generationsOf = async ({ database }: ApiContext, model: string, limit: number): Promise<z.infer<typeof GenerationView>[]> => {
  const rows = await database.selectFrom('deployment_generations').selectAll().where('model', '=', model).orderBy('generation', 'desc').limit(limit).execute();
  return rows.reverse().map((row) => ({ generation: row.generation, split: row.split as TrafficSplit, rolloutId: row.rollout_id, reason: row.reason, at: iso(row.at) }));
};

const rolloutsOf = async ({ database }: ApiContext, model: string, limit: number): Promise<z.infer<typeof PastRollout>[]> => {
  const rows = await database.selectFrom('rollouts').selectAll().where('model', '=', model).orderBy('started_at', 'desc').limit(limit).execute();
  return rows.map((row) => {
    const outcome = row.outcome as { kind: string; reason?: string } | null;
    return {
      rolloutId: row.rollout_id,
      version: row.version,
      strategy: (row.plan as { strategy?: string }).strategy ?? 'canary',
      requestedBy: row.requested_by,
      runId: row.run_id,
      outcome: outcome === null ? null : { kind: outcome.kind, reason: outcome.reason ?? null },
      startedAt: iso(row.started_at),
      finishedAt: isoOrNull(row.finished_at),
    };
  });
};

export const registerDeploymentHistory = (app: App, context: ApiContext): void => {
  app.route({
    method: 'GET',
    url: '/api/v1/models/:model/deployment/history',
    config: { policy: 'read' },
    schema: {
      tags: ['deployments'],
      summary: 'The latest generations of a deployment and its rollouts',
      params: ModelParams,
      querystring: z.strictObject({ limit: Limit }),
      response: { 200: HistoryView, ...problems(404) },
    },
    handler: async (request) => {
      const { model } = request.params;
      await requireModel(context, model);
      const { limit } = request.query;
      const [generations, rollouts] = await Promise.all([generationsOf(context, model, limit), rolloutsOf(context, model, limit)]);
      return { model, generations, rollouts };
    },
  });
};
