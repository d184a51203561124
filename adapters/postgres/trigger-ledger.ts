/** The ledger of triggers in PostgreSQL: one row per event, written once. */
import { sql, type Kysely } from 'kysely';
import { workflowIdOfRunId } from '../../contracts/ids.ts';
import type { Trigger, TriggerOutcome, TriggerResolution } from '../../contracts/trigger.ts';
import type { TriggerLedger } from '../../domain/ports/monitoring.ts';
import { askDatabase } from './client.ts';
import type { Database } from './schema.ts';

const rowOf = (pipeline: string, trigger: Trigger, outcome: TriggerOutcome) => ({
  pipeline,
  trigger_id: trigger.id,
  kind: trigger.kind,
  reason: trigger.reason,
  source: trigger.source,
  at: trigger.at,
  outcome: outcome.outcome,
  run_id: outcome.outcome === 'ran' ? outcome.runId : null,
  coalesced_into: outcome.outcome === 'coalesced' ? outcome.into : null,
  rejection: outcome.outcome === 'rejected' ? outcome.reason : null,
  quality: trigger.quality ?? null,
});

type Link = { depth: number; outcome: string; run_id: string | null; coalesced_into: string | null; rejection: string | null };

/** The trigger, and what it was coalesced into, in turn. A chain is short: what takes others in is itself the next run. */
const chainOf = async (database: Kysely<Database>, pipeline: string, triggerId: string): Promise<Link[]> => {
  const { rows } = await sql<Link>`
    with recursive chain as (
      select 0 as depth, outcome, run_id, coalesced_into, rejection from triggers where pipeline = ${pipeline} and trigger_id = ${triggerId}
      union all
      select c.depth + 1, t.outcome, t.run_id, t.coalesced_into, t.rejection from chain c join triggers t on t.pipeline = ${pipeline} and t.trigger_id = c.coalesced_into
      where c.depth < 10)
    select * from chain order by depth`.execute(database);
  return rows;
};

/** A trigger without a row waits; `coalesced_into` names a run, or a trigger, whose id has a slash. */
const resolutionOf = (chain: Link[]): TriggerResolution => {
  const last = chain.at(-1);
  if (last === undefined) return { kind: 'pending' };
  const own = chain.length === 1;
  if (last.run_id !== null) return { kind: 'run', runId: last.run_id, own };
  if (last.outcome === 'rejected') return { kind: 'rejected', reason: last.rejection ?? '' };
  const into = last.coalesced_into ?? '';
  return into.includes('/') || workflowIdOfRunId(into) === undefined ? { kind: 'pending' } : { kind: 'run', runId: into, own: false };
};

/** The ledger on PostgreSQL. @throws PerennialFailure PostgresUnavailable */
export const createTriggerLedger = (database: Kysely<Database>): TriggerLedger => ({
  record: async (pipeline, decisions) => {
    if (decisions.length === 0) return;
    const rows = decisions.map(({ trigger, outcome }) => rowOf(pipeline, trigger, outcome));
    await askDatabase(() => database.insertInto('triggers').values(rows).onConflict((conflict) => conflict.doNothing()).execute());
  },
  resolve: async (pipeline, triggerId) => resolutionOf(await askDatabase(() => chainOf(database, pipeline, triggerId))),
});
