/** Requests that gateways refused, per span of time; and what the detector of concept drift read of each window. */
import { sql, type Kysely } from 'kysely';

const statements = [
  // a count per gateway process, span and kind: writing it again changes nothing. An input of '' stands for the whole request.
  `create table input_refusals (
    gateway_id text not null, incarnation text not null, model text not null, version int not null, at timestamptz not null,
    reason text not null, input text not null, requests bigint not null, updated_at timestamptz not null default now(),
    primary key (gateway_id, incarnation, model, version, at, reason, input))`,
  `create index input_refusals_by_time on input_refusals (model, version, at)`,
  // concept is written once per window: its state is where the detector goes on with the next one
  `alter table monitor_windows add column concept jsonb`,
];

export const up = async (database: Kysely<unknown>): Promise<void> => {
  for (const statement of statements) await sql.raw(statement).execute(database);
};
