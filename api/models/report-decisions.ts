/** What was decided and done about a model: triggers, runs, rollouts, promotions and alerts, in the order of time. */
import { sql } from 'kysely';
import type { ReportDecision } from '../../contracts/monitor-report.ts';
import type { ApiContext } from '../http/app-types.ts';

const MOST_DECISIONS = 200;

type Row = { at: Date; kind: ReportDecision['kind']; title: string; detail: string | null; outcome: string | null; good: boolean | null };

/** Each part gives its newest; a report of a busy model shows the newest of all. */
const decisionsOf = ({ model, pipeline, from }: { model: string; pipeline: string | null; from: string | null }) => sql<Row>`
  select * from (
    (select t.at, 'trigger' as kind, t.kind || ' trigger' as title, t.reason as detail,
       case t.outcome when 'ran' then 'ran ' || t.run_id when 'coalesced' then 'coalesced into ' || t.coalesced_into else 'rejected: ' || t.rejection end as outcome,
       null::boolean as good
     from triggers t where t.pipeline = ${pipeline} and t.at >= coalesce(${from}::timestamptz, '-infinity') order by t.at desc limit ${MOST_DECISIONS})
    union all
    (select r.started_at, 'run', 'run ' || r.run_id, r.trigger->>'reason', r.state, case r.state when 'running' then null else r.state = 'succeeded' end
     from runs r where r.model = ${model} and r.started_at >= coalesce(${from}::timestamptz, '-infinity') order by r.started_at desc limit ${MOST_DECISIONS})
    union all
    (select coalesce(o.finished_at, o.started_at), 'rollout', 'rollout of version ' || o.version, o.outcome->>'reason', coalesce(o.outcome->>'kind', 'running'),
       case when o.outcome is null then null else o.outcome->>'kind' = 'promoted' end
     from rollouts o where o.model = ${model} and o.started_at >= coalesce(${from}::timestamptz, '-infinity') order by o.started_at desc limit ${MOST_DECISIONS})
    union all
    (select p.at, 'promotion', 'version ' || p.version || ' became ' || p.alias, case when p.previous is null then null else 'in place of version ' || p.previous end, null, true
     from promotions p where p.model = ${model} and p.at >= coalesce(${from}::timestamptz, '-infinity') order by p.at desc limit ${MOST_DECISIONS})
    union all
    (select a.opened_at, 'alert', 'alert ' || a.kind || ' of ' || a.subject, a.reason || ' (' || a.occurrences || ' times)',
       a.state || case when a.resolved_at is null then '' else ' ' || to_char(a.resolved_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') end, a.state = 'resolved'
     from alerts a where a.model = ${model} and a.opened_at >= coalesce(${from}::timestamptz, '-infinity') order by a.opened_at desc limit ${MOST_DECISIONS})
  ) decision order by at desc, kind, title, outcome limit ${MOST_DECISIONS}`;

/** Oldest first, since `from` (all without it). */
export const readDecisions = async ({ database }: ApiContext, about: { model: string; pipeline: string | null; from: string | null }): Promise<ReportDecision[]> => {
  const { rows } = await decisionsOf(about).execute(database);
  return rows.reverse().map((row) => ({ ...row, at: row.at.toISOString() }));
};
