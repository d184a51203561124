/** Requests that gateways refused: written by them per span of time, read by the monitor per window. */
import { sql, type Kysely } from 'kysely';
import { REFUSAL_SPAN_MS, RefusalReason, type RefusalCount } from '../../contracts/live-inputs.ts';
import type { InputRefusals } from '../../domain/ports/monitoring.ts';
import { askDatabase } from './client.ts';
import type { Database } from './schema.ts';

export const upsertRefusals = async (database: Kysely<Database>, gateway: { gatewayId: string; incarnation: string }, refusals: RefusalCount[]): Promise<void> => {
  const rows = refusals.map(({ model, version, at, reason, input, requests }) => ({
    gateway_id: gateway.gatewayId,
    incarnation: gateway.incarnation,
    model,
    version,
    at: new Date(at),
    reason,
    // PostgreSQL's text has no NUL, which a trainer's signature may hold.
    input: (input ?? '').replaceAll('\u0000', '\uFFFD'),
    requests,
  }));
  await database
    .insertInto('input_refusals')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['gateway_id', 'incarnation', 'model', 'version', 'at', 'reason', 'input']).doUpdateSet({ requests: sql`excluded.requests`, updated_at: sql`now()` }),
    )
    .execute();
};

/**
 * Spans that ended after the last row of all windows before this one, and not after its own last row: each span belongs to one window, and none is
 * read before it is over. Windows overlap a little where several gateways ship; the latest end counts.
 */
const refusalsOf = (model: string, version: number, window: number, to: string) => sql<{ reason: string; input: string; requests: number }>`
  select reason, input, sum(requests)::bigint as requests from input_refusals
  where model = ${model} and version = ${version}
    and at + ${`${REFUSAL_SPAN_MS} milliseconds`}::interval <= ${to}::timestamptz
    and at + ${`${REFUSAL_SPAN_MS} milliseconds`}::interval > coalesce(
      (select max(to_at) from monitor_windows where model = ${model} and version = ${version} and window_number < ${window}), '-infinity')
  group by reason, input order by requests desc, reason, input`;

/** InputRefusals on PostgreSQL; throws PostgresUnavailable in an outage. */
export const createInputRefusals = (database: Kysely<Database>): InputRefusals => ({
  ofWindow: async ({ model, version, window, to }) => {
    const { rows } = await askDatabase(() => refusalsOf(model, version, window, to).execute(database));
    return rows.map(({ reason, input, requests }) => ({ reason: RefusalReason.parse(reason), input: input === '' ? null : input, requests }));
  },
});
