/** Trials of hyper-parameter searches. */
import { sql, type Kysely } from 'kysely';

const statements = [
  // (run_id, number): a trial is there once, however often it was tried
  `create table search_trials (
    run_id text not null, number int not null, params jsonb not null, state text not null, value double precision, seconds double precision,
    reports jsonb not null default '{}', failure jsonb, attempts int not null default 0, worker text,
    started_at timestamptz not null default now(), finished_at timestamptz, primary key (run_id, number))`,
];

export const up = async (database: Kysely<unknown>): Promise<void> => {
  for (const statement of statements) await sql.raw(statement).execute(database);
};
