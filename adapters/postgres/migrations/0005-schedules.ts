/** Schedules as they are wished for, what became of retrains, and the quality behind a trigger. */
import { sql, type Kysely } from 'kysely';

const statements = [
  // (pipeline, name): one schedule of Temporal; it has the wish when synced_revision = revision. A deleted one stays until Temporal has forgotten it.
  `create table schedules (
    pipeline text not null references pipelines(name), name text not null, spec jsonb not null, origin text not null check (origin in ('pipeline', 'api')),
    revision bigint not null default 1, synced_revision bigint, deleted boolean not null default false, sync_error text, attempted_at timestamptz,
    created_by text not null, created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
    primary key (pipeline, name))`,
  `create index schedules_unsynced on schedules (updated_at) where deleted or synced_revision is distinct from revision`,
  // run_id: a retrain counts once in the streak of its model
  `create table retrains (
    run_id text primary key, model text not null, pipeline text not null, verdict text not null, unbeaten int not null, unbeaten_limit int not null,
    at timestamptz not null default now(), sequence bigint generated always as identity)`,
  `create index retrains_by_model on retrains (model, sequence desc)`,
  `alter table triggers add column quality text`,
  `create index triggers_by_run on triggers (run_id) where run_id is not null`,
  `create index triggers_by_coalesced on triggers (coalesced_into) where coalesced_into is not null`,
  `create index triggers_by_source on triggers (pipeline, source, at desc)`,
  `create index runs_open on runs (pipeline, model) where state = 'running'`,
  `create index runs_by_model on runs (model, started_at desc)`,
];

export const up = async (database: Kysely<unknown>): Promise<void> => {
  for (const statement of statements) await sql.raw(statement).execute(database);
};
