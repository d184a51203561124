/** What goes on now, in one answer: open runs with what they wait for, alerts, and each model with how it does. */
import { sql } from 'kysely';
import { z } from 'zod';
import { TrafficSplit } from '../../contracts/deployment.ts';
import type { RunState } from '../../contracts/run.ts';
import { AlertSummary, listAlerts } from '../alerts/alert-rows.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { Instant, iso, isoOrNull, problems } from '../http/schemas.ts';
import { showRun } from '../runs/read-run.ts';
import { RunStateView } from '../runs/run-schemas.ts';
import { listRuns } from '../runs/run-rows.ts';

const OpenRun = z.object({
  runId: z.string(),
  pipeline: z.string(),
  step: z.string().nullable(),
  stepsDone: z.number().int(),
  stepsTotal: z.number().int(),
  waitingFor: z.string().nullable(),
  needsApproval: z.boolean(),
  startedAt: Instant.nullable(),
});

const EndedRun = z.object({
  runId: z.string(),
  pipeline: z.string(),
  state: RunStateView,
  reason: z.string().nullable().describe('Why it did not succeed: the gates that refused, what was wrong with the canary, or the failure.'),
  version: z.number().int().nullable().describe('The version that it registered.'),
  finishedAt: Instant.nullable(),
});

const WindowPoint = z.object({ to: Instant, rows: z.number().int(), driftScore: z.number(), drifted: z.boolean(), quality: z.number().nullable(), qualityDropped: z.boolean() });

const ModelOverview = z.object({
  name: z.string(),
  champion: z.number().int().nullable(),
  latestVersion: z.number().int(),
  split: TrafficSplit.nullable().describe('Null while it was never deployed.'),
  rollout: z.object({ version: z.number().int(), strategy: z.string(), startedAt: Instant }).nullable().describe('The rollout that is open, as its row has it.'),
  lastRollout: z.object({ version: z.number().int(), outcome: z.string(), reason: z.string().nullable(), finishedAt: Instant }).nullable().describe('The last one that ended.'),
  lastTrainedAt: Instant.nullable().describe('When its newest version was registered.'),
  windows: z.array(WindowPoint).describe('The latest windows of its monitor, at most 40, oldest first.'),
});

const Overview = z
  .object({
    runs: z.array(OpenRun).describe('Open runs, newest first, at most 20.'),
    ended: z.array(EndedRun).describe('The runs that ended last, newest first, at most 8.'),
    alerts: z.array(AlertSummary).describe('Not resolved, newest first, at most 20.'),
    models: z.array(ModelOverview).describe('At most 100.'),
  })
  .meta({ id: 'Overview' });

const MOST_RUNS = 20;
const MOST_ENDED = 8;
const MOST_MODELS = 100;

const openRuns = async (context: ApiContext): Promise<z.infer<typeof OpenRun>[]> => {
  const rows = await listRuns(context.database, { state: 'running', limit: MOST_RUNS });
  const runs = await Promise.all(rows.map(({ runId }) => showRun(context, runId)));
  // Temporal may know of an end that the row has not got yet.
  return runs
    .filter((run) => run.state === 'running')
    .map(({ runId, pipeline, step, steps, waitingFor, startedAt }) => ({
      runId,
      pipeline,
      step,
      stepsDone: steps.filter(({ state }) => state === 'succeeded' || state === 'reused').length,
      stepsTotal: steps.length,
      waitingFor,
      needsApproval: waitingFor?.startsWith('an approval') ?? false,
      startedAt,
    }));
};

const endedRuns = async ({ database }: ApiContext): Promise<z.infer<typeof EndedRun>[]> => {
  const rows = await database.selectFrom('runs').select(['run_id', 'pipeline', 'state', 'outcome', 'failure', 'finished_at']).where('finished_at', 'is not', null).orderBy('finished_at', 'desc').limit(MOST_ENDED).execute();
  return rows.map((row) => {
    const outcome = row.outcome as { reasons?: string[]; reason?: string; version?: number } | null;
    const failure = row.failure as { message: string } | null;
    return {
      runId: row.run_id,
      pipeline: row.pipeline,
      state: row.state as RunState,
      reason: failure?.message ?? outcome?.reasons?.join('; ') ?? outcome?.reason ?? null,
      version: outcome?.version ?? null,
      finishedAt: isoOrNull(row.finished_at),
    };
  });
};

type ModelRow = {
  name: string;
  latest: number;
  champion: number | null;
  trained_at: Date | null;
  split: z.infer<typeof TrafficSplit> | null;
  open: { version: number; strategy: string | null; started_at: string } | null;
  last: { version: number; outcome: { kind: string; reason?: string }; finished_at: string } | null;
  windows: z.infer<typeof WindowPoint>[] | null;
};

const READ_MODELS = sql<ModelRow>`
  select m.name, v.latest, v.trained_at, d.split,
    (select a.version from model_aliases a where a.model = m.name and a.alias = 'champion') as champion,
    (select json_build_object('version', r.version, 'strategy', r.plan->>'strategy', 'started_at', r.started_at)
      from rollouts r where r.model = m.name and r.finished_at is null order by r.started_at desc limit 1) as open,
    (select json_build_object('version', r.version, 'outcome', r.outcome, 'finished_at', r.finished_at)
      from rollouts r where r.model = m.name and r.finished_at is not null and r.outcome is not null order by r.finished_at desc limit 1) as last,
    (select json_agg(w order by w."to") from (
      select to_at as "to", rows, (report->>'driftScore')::float8 as "driftScore", (report->>'drifted')::boolean as drifted,
        (report->>'quality')::float8 as quality, coalesce((report->>'qualityDropped')::boolean, false) as "qualityDropped"
      from monitor_windows where model = m.name order by to_at desc limit 40) w) as windows
  from registered_models m
  left join deployments d on d.model = m.name
  left join lateral (select coalesce(max(version), 0)::int as latest, max(created_at) as trained_at from model_versions where model = m.name) v on true
  order by m.name limit ${MOST_MODELS}`;

const instantOf = (text: string): string => iso(new Date(text));

const modelsOf = async ({ database }: ApiContext): Promise<z.infer<typeof ModelOverview>[]> => {
  const { rows } = await READ_MODELS.execute(database);
  return rows.map(({ open, last, ...row }) => ({
    name: row.name,
    champion: row.champion,
    latestVersion: row.latest,
    split: row.split,
    rollout: open === null ? null : { version: open.version, strategy: open.strategy ?? 'canary', startedAt: instantOf(open.started_at) },
    lastRollout: last === null ? null : { version: last.version, outcome: last.outcome.kind, reason: last.outcome.reason ?? null, finishedAt: instantOf(last.finished_at) },
    lastTrainedAt: isoOrNull(row.trained_at),
    windows: (row.windows ?? []).map((window) => ({ ...window, to: instantOf(window.to) })),
  }));
};

export const registerOverviewRoute = (app: App, context: ApiContext): void => {
  app.route({
    method: 'GET',
    url: '/api/v1/overview',
    config: { policy: 'read' },
    schema: { tags: ['system'], summary: 'What runs, what waits for a person, alerts, and how each model does', response: { 200: Overview, ...problems() } },
    handler: async () => {
      const [runs, ended, { alerts }, models] = await Promise.all([openRuns(context), endedRuns(context), listAlerts(context, { state: 'unresolved', limit: 20 }), modelsOf(context)]);
      return { runs, ended, alerts, models };
    },
  });
};
