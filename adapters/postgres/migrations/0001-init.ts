/** The first schema. Unique constraints are the last guard of every exactly-once promise: each is named in a comment. */
import { sql, type Kysely } from 'kysely';

const statements = [
  `create table api_keys (
    id text primary key, name text not null, role text not null, key_hash text not null unique,
    created_at timestamptz not null default now(), revoked_at timestamptz)`,
  `create table audit (
    id bigint generated always as identity primary key, at timestamptz not null default now(),
    actor text not null, action text not null, subject text not null, detail jsonb not null default '{}')`,
  `create table pipelines (name text primary key, current_version int not null, created_at timestamptz not null default now())`,
  `create table pipeline_versions (
    pipeline text not null references pipelines(name), version int not null, spec jsonb not null, spec_hash text not null,
    created_by text not null, created_at timestamptz not null default now(), primary key (pipeline, version))`,
  // one answer per key: a repeated request gets the first answer again
  `create table idempotency_keys (
    scope text not null, key text not null, request_hash text not null, status int, response jsonb,
    created_at timestamptz not null default now(), primary key (scope, key))`,
  `create table runs (
    run_id text primary key, pipeline text not null, pipeline_version int not null, model text, workflow_id text not null unique,
    trigger jsonb not null, state text not null default 'running', outcome jsonb, failure jsonb, retry_of text,
    started_at timestamptz not null default now(), finished_at timestamptz, history jsonb, settlement_checked_at timestamptz)`,
  `create index runs_by_pipeline on runs (pipeline, started_at desc)`,
  `create index runs_unsettled on runs (settlement_checked_at nulls first, started_at) where history is null`,
  `create table run_steps (
    run_id text not null, step text not null, position int not null, pool text not null, state text not null,
    attempts int not null default 0, worker text, input jsonb, output jsonb, failure jsonb,
    started_at timestamptz, finished_at timestamptz, primary key (run_id, step))`,
  `create table datasets (
    name text not null, version text not null, manifest jsonb not null, rows bigint not null, bytes bigint not null, run_id text not null,
    created_at timestamptz not null default now(), primary key (name, version))`,
  `create table feature_sets (
    name text not null, version text not null, manifest jsonb not null, rows bigint not null, run_id text not null,
    created_at timestamptz not null default now(), primary key (name, version))`,
  `create table registered_models (name text primary key, created_at timestamptz not null default now())`,
  // (model, run_id): a run registers one version, however often its register step is retried
  `create table model_versions (
    model text not null references registered_models(name), version int not null, run_id text not null,
    artifact jsonb not null, model_sha256 text not null, signature jsonb not null, metrics jsonb not null, evaluation jsonb not null,
    gates jsonb not null, lineage jsonb not null, created_at timestamptz not null default now(),
    primary key (model, version), unique (model, run_id))`,
  // (model, alias): one champion per model
  `create table model_aliases (
    model text not null, alias text not null, version int not null, updated_at timestamptz not null default now(),
    primary key (model, alias), foreign key (model, version) references model_versions(model, version))`,
  `create table model_alias_moves (
    id bigint generated always as identity primary key, model text not null, alias text not null, from_version int, to_version int,
    request_id text not null, reason text not null, at timestamptz not null default now())`,
  // promotions_once: a promotion happens exactly once
  `create table promotions (
    id bigint generated always as identity primary key, model text not null, version int not null, alias text not null,
    request_id text not null, generation bigint not null, previous int, at timestamptz not null default now(),
    constraint promotions_once unique (model, version, alias, request_id))`,
  `create table deployments (
    model text primary key, generation bigint not null, split jsonb not null, options jsonb not null, rollout_id text,
    updated_at timestamptz not null default now())`,
  // (model, generation): generations count by one; (model, request_id): a request moves traffic once
  `create table deployment_generations (
    model text not null, generation bigint not null, split jsonb not null, options jsonb not null, request_id text not null,
    rollout_id text, reason text not null, at timestamptz not null default now(),
    primary key (model, generation), unique (model, request_id))`,
  `create table gateways (
    gateway_id text primary key, incarnation text not null, url text not null, lease_expires_at timestamptz not null,
    started_at timestamptz not null default now())`,
  `create table gateway_acknowledgements (
    gateway_id text not null, model text not null, generation bigint not null, incarnation text not null, error text,
    at timestamptz not null default now(), primary key (gateway_id, model, generation))`,
  `create table serving_counters (
    gateway_id text not null, incarnation text not null, model text not null, version int not null, generation bigint not null,
    role text not null, requests bigint not null, failures bigint not null, fallbacks bigint not null, unlogged bigint not null,
    latency jsonb not null, updated_at timestamptz not null default now(),
    primary key (gateway_id, incarnation, model, version, generation))`,
  // segment_id: a segment of the prediction log counts once; sequence gives windows a fixed order (see the trigger below)
  `create sequence prediction_segments_sequence`,
  `create table prediction_segments (
    segment_id text primary key, sequence bigint not null unique, gateway_id text not null, model text not null,
    artifact jsonb not null, rows int not null, rows_by_version jsonb not null, first_at timestamptz not null, last_at timestamptz not null,
    recorded_at timestamptz not null default now())`,
  `create index prediction_segments_by_model on prediction_segments (model, sequence)`,
  // A default would number rows when they are inserted, and two gateways may commit in the other order: a window that was closed
  // on the later number would then change. Under the lock, numbers become visible in the order in which they count.
  `create function number_prediction_segment() returns trigger language plpgsql as $$
  begin
    perform pg_advisory_xact_lock(hashtext('prediction_segments'), hashtext(new.model));
    new.sequence := nextval('prediction_segments_sequence');
    return new;
  end $$`,
  `create trigger prediction_segments_number before insert on prediction_segments for each row execute function number_prediction_segment()`,
  // (model, inference_id): the first label of an inference stands; a repeated one changes nothing
  `create table labels (
    model text not null, inference_id text not null, label double precision not null, observed_at timestamptz,
    received_at timestamptz not null default now(), primary key (model, inference_id))`,
  `create index labels_by_arrival on labels (model, received_at)`,
  `create table rollouts (
    rollout_id text primary key, workflow_id text not null, model text not null, version int not null, plan jsonb not null,
    requested_by text not null, run_id text, outcome jsonb, started_at timestamptz not null default now(), finished_at timestamptz)`,
  `create index rollouts_by_model on rollouts (model, started_at desc)`,
  `create table rollout_decisions (
    rollout_id text not null, sequence int not null, step int not null, weight double precision not null, verdict jsonb not null,
    serving_window jsonb, decided_by text, at timestamptz not null default now(), primary key (rollout_id, sequence))`,
  // labels_asked_at is when the labels of a window were asked for; it becomes labels_judged_at when their judgement is saved
  `create table monitor_windows (
    model text not null, version int not null, window_number int not null, from_at timestamptz not null, to_at timestamptz not null,
    rows int not null, labelled int not null, report jsonb not null, decision text, updated_at timestamptz not null default now(),
    labels_asked_at timestamptz, labels_judged_at timestamptz, primary key (model, version, window_number))`,
  // (pipeline, trigger_id): an event has one outcome
  `create table triggers (
    pipeline text not null, trigger_id text not null, kind text not null, reason text not null, source text not null,
    outcome text not null, run_id text, coalesced_into text, rejection text, at timestamptz not null,
    recorded_at timestamptz not null default now(), primary key (pipeline, trigger_id))`,
  `create table worker_leases (
    worker_id text primary key, pool text not null, pid int not null, host text not null,
    started_at timestamptz not null default now(), expires_at timestamptz not null)`,
];

export const up = async (database: Kysely<unknown>): Promise<void> => {
  for (const statement of statements) await sql.raw(statement).execute(database);
};
