/** The ledger of triggers in PostgreSQL: one row per event, written once. */
import type { Kysely } from 'kysely';
import type { Trigger, TriggerOutcome } from '../../contracts/trigger.ts';
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
});

/** The ledger on PostgreSQL. @throws PerennialFailure PostgresUnavailable */
export const createTriggerLedger = (database: Kysely<Database>): TriggerLedger => ({
  record: async (pipeline, decisions) => {
    if (decisions.length === 0) return;
    const rows = decisions.map(({ trigger, outcome }) => rowOf(pipeline, trigger, outcome));
    await askDatabase(() => database.insertInto('triggers').values(rows).onConflict((conflict) => conflict.doNothing()).execute());
  },
});
