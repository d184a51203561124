/** What candidates answered to copies of requests, beside the version whose answers the clients got. */
import { sql, type Kysely } from 'kysely';

const statements = [
  // absolute counts of one gateway process: written again, they change nothing
  `create table shadow_comparisons (
    gateway_id text not null, incarnation text not null, model text not null, version int not null, generation int not null, against int not null,
    copies bigint not null, dropped bigint not null, failures bigint not null, differing bigint not null, maximum_difference double precision not null,
    latency jsonb not null, examples jsonb not null, updated_at timestamptz not null default now(),
    primary key (gateway_id, incarnation, model, version, generation))`,
  `create index shadow_comparisons_by_model on shadow_comparisons (model, version, generation)`,
];

export const up = async (database: Kysely<unknown>): Promise<void> => {
  for (const statement of statements) await sql.raw(statement).execute(database);
};
