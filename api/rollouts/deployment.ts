/** What is served for a model: the split, who serves it, and the rollout that is changing it. */
import { z } from 'zod';
import { sql } from 'kysely';
import { TrafficSplit } from '../../contracts/deployment.ts';
import { RolloutPlan } from '../../contracts/rollout-plan.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { Instant, iso, isoOrNull, ModelParams, problems } from '../http/schemas.ts';
import { requireModel } from '../models/routes.ts';
import { liveRolloutOf, type LiveRollout } from './live-rollout.ts';
import { RolloutStatusView, ServingWindowView } from './rollout-status.ts';
import { readShadow, ShadowView } from './shadow-view.ts';

const GatewayView = z.object({
  gateway: z.string(),
  url: z.string(),
  live: z.boolean().describe('Whether its lease runs; a rollout counts only these.'),
  acknowledgedGeneration: z.number().int().nullable(),
  error: z.string().nullable().describe('Why it could not take over the newest generation that it tried.'),
});

const CountersView = z.object({ version: z.number().int(), requests: z.number().int(), failures: z.number().int(), fallbacks: z.number().int(), unlogged: z.number().int() });

const DecisionView = z.object({ sequence: z.number().int(), step: z.number().int(), weight: z.number(), verdict: z.string(), reason: z.string(), by: z.string().nullable(), at: Instant, window: ServingWindowView.nullable() });

const RolloutView = z.object({
  rolloutId: z.string(),
  state: z.enum(['running', 'orphaned', 'finished', 'unknown']).describe('orphaned: its workflow was ended by hand; a rollback mends the traffic.'),
  version: z.number().int().nullable(),
  requestedBy: z.string().nullable(),
  runId: z.string().nullable(),
  plan: RolloutPlan.nullable(),
  status: RolloutStatusView.nullable().describe("The rollout's own words: step, weight, last window, what it waits for."),
  outcome: z.unknown(),
  startedAt: Instant.nullable(),
  finishedAt: Instant.nullable(),
  decisions: z.array(DecisionView).describe('Newest first, at most 20.'),
});

const DeploymentView = z.object({
  model: z.string(),
  generation: z.number().int().describe('0 while the model was never deployed.'),
  split: TrafficSplit,
  updatedAt: Instant.nullable(),
  versions: z.array(CountersView).describe('The served versions with what they answered in this deployment so far, over all gateways.'),
  shadow: ShadowView.nullable().describe('What copies of requests showed of a candidate, in the newest shadow.'),
  gateways: z.array(GatewayView),
  orphaned: z.boolean(),
  rollout: RolloutView.nullable().describe('The running rollout, or the last one.'),
});
export type DeploymentView = z.infer<typeof DeploymentView>;

const EMPTY: TrafficSplit = { stable: null, canary: null, canaryWeight: 0 };

const readGateways = async ({ database }: ApiContext, model: string): Promise<z.infer<typeof GatewayView>[]> => {
  const { rows } = await sql<z.infer<typeof GatewayView>>`
    select g.gateway_id as gateway, g.url, g.lease_expires_at > now() as live,
      (select max(a.generation) from gateway_acknowledgements a
        where a.gateway_id = g.gateway_id and a.incarnation = g.incarnation and a.model = ${model} and a.error is null) as "acknowledgedGeneration",
      (select a.error from gateway_acknowledgements a
        where a.gateway_id = g.gateway_id and a.incarnation = g.incarnation and a.model = ${model} order by a.generation desc limit 1) as error
    from gateways g where g.lease_expires_at > now() - interval '1 day' order by g.gateway_id`.execute(database);
  return rows;
};

const readCounters = async ({ database }: ApiContext, model: string, versions: number[]): Promise<z.infer<typeof CountersView>[]> => {
  if (versions.length === 0) return [];
  const rows = await database
    .selectFrom('serving_counters')
    .select(['version', sql<number>`sum(requests)::bigint`.as('requests'), sql<number>`sum(failures)::bigint`.as('failures')])
    .select([sql<number>`sum(fallbacks)::bigint`.as('fallbacks'), sql<number>`sum(unlogged)::bigint`.as('unlogged')])
    .where('model', '=', model)
    .where('version', 'in', versions)
    .groupBy('version')
    .execute();
  return versions.map((version) => rows.find((row) => row.version === version) ?? { version, requests: 0, failures: 0, fallbacks: 0, unlogged: 0 });
};

const readDecisions = async ({ database }: ApiContext, rolloutId: string): Promise<z.infer<typeof DecisionView>[]> => {
  const rows = await database.selectFrom('rollout_decisions').selectAll().where('rollout_id', '=', rolloutId).orderBy('sequence', 'desc').limit(20).execute();
  return rows.map((row) => {
    const { verdict, reason } = row.verdict as { verdict: string; reason: string };
    return { sequence: row.sequence, step: row.step, weight: row.weight, verdict, reason, by: row.decided_by, at: iso(row.at), window: row.serving_window as z.infer<typeof ServingWindowView> | null };
  });
};

const showRollout = async (context: ApiContext, live: LiveRollout): Promise<z.infer<typeof RolloutView> | null> => {
  const { running, status } = live;
  // A rollout that has just begun has no row yet.
  const row = running === undefined || live.row?.rolloutId === running.rolloutId ? live.row : undefined;
  const rolloutId = running?.rolloutId ?? row?.rolloutId;
  if (rolloutId === undefined) return null;
  const state = live.state === 'none' || (row !== undefined && row.finishedAt !== null) ? 'finished' : live.state;
  return {
    rolloutId,
    state,
    version: running?.version ?? row?.version ?? null,
    requestedBy: row?.requestedBy ?? null,
    runId: row?.runId ?? null,
    plan: row?.plan ?? null,
    status,
    outcome: row?.outcome ?? null,
    startedAt: row === undefined ? null : iso(row.startedAt),
    finishedAt: row === undefined ? null : isoOrNull(row.finishedAt),
    decisions: await readDecisions(context, rolloutId),
  };
};

export const showDeployment = async (context: ApiContext, model: string): Promise<DeploymentView> => {
  await requireModel(context, model);
  const live = await liveRolloutOf(context, model);
  const row = await context.database.selectFrom('deployments').selectAll().where('model', '=', model).executeTakeFirst();
  const split = (row?.split as TrafficSplit | undefined) ?? EMPTY;
  const versions = [split.stable, split.canary].filter((version): version is number => version !== null);
  const [gateways, counters, shadow, rollout] = await Promise.all([readGateways(context, model), readCounters(context, model, versions), readShadow(context, model), showRollout(context, live)]);
  return {
    model,
    generation: row?.generation ?? 0,
    split,
    updatedAt: row === undefined ? null : iso(row.updated_at),
    versions: counters,
    shadow,
    gateways,
    orphaned: live.state === 'orphaned',
    rollout,
  };
};

export const registerDeploymentRoutes = (app: App, context: ApiContext): void => {
  app.route({
    method: 'GET',
    url: '/api/v1/models/:model/deployment',
    config: { policy: 'read' },
    schema: { tags: ['deployments'], summary: 'What is served, by whom, and the rollout that changes it', params: ModelParams, response: { 200: DeploymentView, ...problems(404) } },
    handler: (request) => showDeployment(context, request.params.model),
  });
};
