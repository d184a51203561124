/** Batch scoring jobs and what their shards gave. */
import { sql, type Kysely } from 'kysely';

const statements = [
  `create table batch_jobs (
    job_id text primary key, model text not null, request jsonb not null, requested_by text not null, state text not null default 'running',
    plan jsonb, rows bigint, shards int, manifest jsonb, failure jsonb, started_at timestamptz not null default now(), finished_at timestamptz)`,
  `create index batch_jobs_by_model on batch_jobs (model, started_at)`,
  // one output per shard, whoever scored it and how often
  `create table batch_shards (
    job_id text not null references batch_jobs (job_id), shard int not null, rows bigint not null, artifact jsonb not null, finished_at timestamptz not null default now(),
    primary key (job_id, shard))`,
];

export const up = async (database: Kysely<unknown>): Promise<void> => {
  for (const statement of statements) await sql.raw(statement).execute(database);
};
