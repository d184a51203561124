/** Row types of the database, one interface per table of migrations/. bigint columns are read as numbers (see client.ts). */
import type { ColumnType, Generated } from 'kysely';

type Json = ColumnType<unknown, string, string>;
type Instant = ColumnType<Date, Date | string | undefined, Date | string>;
type NullableInstant = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;

export interface Database {
  api_keys: { id: string; name: string; role: string; key_hash: string; created_at: Instant; revoked_at: NullableInstant };
  audit: { id: Generated<number>; at: Instant; actor: string; action: string; subject: string; detail: Json };
  pipelines: { name: string; current_version: number; created_at: Instant };
  pipeline_versions: { pipeline: string; version: number; spec: Json; spec_hash: string; created_by: string; created_at: Instant };
  idempotency_keys: { scope: string; key: string; request_hash: string; status: number | null; response: ColumnType<unknown, string | null, string | null>; created_at: Instant };
  runs: {
    run_id: string;
    pipeline: string;
    pipeline_version: number;
    model: string | null;
    workflow_id: string;
    trigger: Json;
    state: ColumnType<string, string | undefined, string>;
    outcome: ColumnType<unknown, string | null | undefined, string | null>;
    failure: ColumnType<unknown, string | null | undefined, string | null>;
    retry_of: string | null;
    started_at: Instant;
    finished_at: NullableInstant;
    history: ColumnType<unknown, string | null | undefined, string | null>;
    settlement_checked_at: NullableInstant;
  };
  run_steps: {
    run_id: string;
    step: string;
    position: number;
    pool: string;
    state: string;
    attempts: Generated<number>;
    worker: string | null;
    input: ColumnType<unknown, string | null | undefined, string | null>;
    output: ColumnType<unknown, string | null | undefined, string | null>;
    failure: ColumnType<unknown, string | null | undefined, string | null>;
    started_at: NullableInstant;
    finished_at: NullableInstant;
  };
  datasets: { name: string; version: string; manifest: Json; rows: number; bytes: number; run_id: string; created_at: Instant };
  feature_sets: { name: string; version: string; manifest: Json; rows: number; run_id: string; created_at: Instant };
  registered_models: { name: string; created_at: Instant };
  model_versions: {
    model: string;
    version: number;
    run_id: string;
    artifact: Json;
    model_sha256: string;
    signature: Json;
    metrics: Json;
    evaluation: Json;
    gates: Json;
    lineage: Json;
    created_at: Instant;
  };
  model_aliases: { model: string; alias: string; version: number; updated_at: Instant };
  model_alias_moves: { id: Generated<number>; model: string; alias: string; from_version: number | null; to_version: number | null; request_id: string; reason: string; at: Instant };
  promotions: { id: Generated<number>; model: string; version: number; alias: string; request_id: string; generation: number; previous: number | null; at: Instant };
  deployments: { model: string; generation: number; split: Json; options: Json; rollout_id: string | null; updated_at: Instant };
  deployment_generations: { model: string; generation: number; split: Json; options: Json; request_id: string; rollout_id: string | null; reason: string; at: Instant };
  gateways: { gateway_id: string; incarnation: string; url: string; lease_expires_at: Instant; started_at: Instant };
  gateway_acknowledgements: { gateway_id: string; model: string; generation: number; incarnation: string; error: string | null; at: Instant };
  serving_counters: {
    gateway_id: string;
    incarnation: string;
    model: string;
    version: number;
    generation: number;
    role: string;
    requests: number;
    failures: number;
    fallbacks: number;
    unlogged: number;
    latency: Json;
    updated_at: Instant;
  };
  prediction_segments: {
    segment_id: string;
    sequence: Generated<number>;
    gateway_id: string;
    model: string;
    artifact: Json;
    rows: number;
    rows_by_version: Json;
    first_at: Instant;
    last_at: Instant;
    recorded_at: Instant;
  };
  labels: { model: string; inference_id: string; label: number; observed_at: NullableInstant; received_at: Instant };
  rollouts: {
    rollout_id: string;
    workflow_id: string;
    model: string;
    version: number;
    plan: Json;
    requested_by: string;
    run_id: string | null;
    outcome: ColumnType<unknown, string | null | undefined, string | null>;
    started_at: Instant;
    finished_at: NullableInstant;
  };
  rollout_decisions: {
    rollout_id: string;
    sequence: number;
    step: number;
    weight: number;
    verdict: Json;
    serving_window: ColumnType<unknown, string | null | undefined, string | null>;
    decided_by: string | null;
    at: Instant;
  };
  monitor_windows: {
    model: string;
    version: number;
    window_number: number;
    from_at: Instant;
    to_at: Instant;
    rows: number;
    labelled: number;
    report: Json;
    decision: string | null;
    updated_at: Instant;
    labels_asked_at: NullableInstant;
    labels_judged_at: NullableInstant;
    concept: ColumnType<unknown, string | null | undefined, string | null>;
  };
  input_refusals: {
    gateway_id: string;
    incarnation: string;
    model: string;
    version: number;
    at: Instant;
    reason: string;
    input: string;
    requests: number;
    updated_at: Instant;
  };
  triggers: {
    pipeline: string;
    trigger_id: string;
    kind: string;
    reason: string;
    source: string;
    outcome: string;
    run_id: string | null;
    coalesced_into: string | null;
    rejection: string | null;
    at: Instant;
    recorded_at: Instant;
  };
  worker_leases: { worker_id: string; pool: string; pid: number; host: string; started_at: Instant; expires_at: Instant };
}
