/** What work used: per attempt of a step, and per served version and day; and the histograms of monitor windows, for reports. */
import { sql, type Kysely } from 'kysely';

const statements = [
  // (run_id, step, attempt): an attempt is accounted for once, however often its end is written
  `create table step_resources (
    run_id text not null, step text not null, attempt int not null, pipeline text not null, model text, pool text not null, outcome text not null,
    waiting_seconds double precision not null, duration_seconds double precision not null, cpu_seconds double precision not null,
    memory_gib_seconds double precision not null, peak_memory_bytes bigint not null, gpu_seconds double precision not null,
    gpu_peak_memory_bytes bigint not null, stored_bytes bigint not null, at timestamptz not null default now(),
    primary key (run_id, step, attempt))`,
  `create index step_resources_by_model on step_resources (model, at)`,
  `create index step_resources_by_pipeline on step_resources (pipeline, at)`,
  // absolute counts of one gateway process and day: written again, they change nothing
  `create table serving_resources (
    gateway_id text not null, incarnation text not null, model text not null, version int not null, day date not null,
    cpu_seconds double precision not null, memory_gib_seconds double precision not null, peak_memory_bytes bigint not null,
    updated_at timestamptz not null default now(), primary key (gateway_id, incarnation, model, version, day))`,
  `create index serving_resources_by_model on serving_resources (model, day)`,
  `create table monitor_histograms (
    model text not null, version int not null, window_number int not null, histograms jsonb not null, updated_at timestamptz not null default now(),
    primary key (model, version, window_number))`,
];

export const up = async (database: Kysely<unknown>): Promise<void> => {
  for (const statement of statements) await sql.raw(statement).execute(database);
};
