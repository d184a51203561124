/** Past decisions of a pipeline, judged again under other gates. */
import { sql } from 'kysely';
import { z } from 'zod';
import { EvaluationReport } from '../../contracts/model.ts';
import { GateSpec } from '../../contracts/pipeline.ts';
import type { GateDecision, RunOutcome } from '../../contracts/run.ts';
import { replayDecision } from '../../domain/replay-decision.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { Instant, iso, NameParams, problems } from '../http/schemas.ts';

const ReplayRequest = z.strictObject({
  gates: z.array(GateSpec).min(1).max(50).optional().describe('Those of the current version of the pipeline where none are named.'),
  limit: z.number().int().min(1).max(1_000).default(100).describe('Newest decisions first.'),
});

const Decided = z.object({ passed: z.boolean(), gates: z.array(z.object({ gate: z.string(), passed: z.boolean(), reason: z.string() })).readonly() });

const ReplayAnswer = z.object({
  pipeline: z.string(),
  decisions: z.array(
    z.object({
      runId: z.string(),
      at: Instant,
      version: z.number().int().nullable().describe('The version that the run registered.'),
      then: Decided,
      now: Decided,
      changed: z.boolean(),
    }),
  ),
  changed: z.number().int().describe('Decisions that would be others now.'),
  unreadable: z.number().int().describe('Decisions whose measurements were recorded in a form that this release does not read.'),
});
type ReplayAnswer = z.infer<typeof ReplayAnswer>;

type Row = { runId: string; at: Date; outcome: RunOutcome | null; report: unknown; decided: { gates: GateDecision[] } };

/** A run that retries another takes over what that one measured, without rows of its own. */
const readDecisions = async ({ database }: ApiContext, pipeline: string, limit: number): Promise<Row[]> => {
  const { rows } = await sql<Row>`
    select r.run_id as "runId", g.finished_at as at, r.outcome, coalesce(e.output, earlier.output) as report, g.output as decided
    from runs r
    join run_steps g on g.run_id = r.run_id and g.step = 'gate' and g.state = 'succeeded'
    left join run_steps e on e.run_id = r.run_id and e.step = 'evaluate' and e.state = 'succeeded'
    left join run_steps earlier on earlier.run_id = r.retry_of and earlier.step = 'evaluate' and earlier.state = 'succeeded'
    where r.pipeline = ${pipeline} order by g.finished_at desc, r.run_id limit ${limit}`.execute(database);
  return rows;
};

const versionOf = (outcome: RunOutcome | null): number | null => (outcome === null || outcome.kind === 'rejected' ? null : (outcome.version ?? null));

const replay = (rows: readonly Row[], gates: readonly GateSpec[]): Omit<ReplayAnswer, 'pipeline'> => {
  const decisions = rows.flatMap(({ runId, at, outcome, report, decided }) => {
    const measured = EvaluationReport.safeParse(report);
    if (!measured.success) return [];
    return [{ runId, at: iso(at), version: versionOf(outcome), ...replayDecision({ report: measured.data, decided: decided.gates }, gates) }];
  });
  return { decisions, changed: decisions.filter(({ changed }) => changed).length, unreadable: rows.length - decisions.length };
};

export const registerReplayRoute = (app: App, context: ApiContext): void => {
  app.route({
    method: 'POST',
    url: '/api/v1/pipelines/:name/replay-decisions',
    config: { policy: 'read' },
    schema: {
      tags: ['pipelines'],
      summary: 'What the gates would have said of past models under other rules, from the measurements recorded then; changes nothing',
      params: NameParams,
      body: ReplayRequest,
      response: { 200: ReplayAnswer, ...problems(400, 404) },
    },
    handler: async (request) => {
      const { name } = request.params;
      const { spec } = await context.pipelines.current(name);
      const gates = request.body.gates ?? (spec.kind === 'model' ? spec.gates : []);
      return { pipeline: name, ...replay(await readDecisions(context, name, request.body.limit), gates) };
    },
  });
};
