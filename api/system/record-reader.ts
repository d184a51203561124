/** Reads from PostgreSQL what is counted in metrics, with bounds on the number of pipelines, models and features. */
import { sql, type Kysely } from 'kysely';
import type { Database } from '../../adapters/postgres/schema.ts';
import type { MonitorWindow } from '../../contracts/monitor.ts';
import { columnsOf, metricOf, windowOf, type WindowRow } from '../models/report-windows.ts';

/** Pipelines with series of their own: the oldest, so that a series stays when others come; all others are `other`. */
const MOST_PIPELINES = 100;
const MOST_MODELS = 50;
const MOST_FEATURES = 50;
const MOST_ALERTS = 500;
const WINDOWS_LOOKED_AT = 20;

export type ModelRecord = {
  model: string;
  share: number;
  drifted: boolean;
  coverage: number;
  columns: { feature: string; test: string; score: number }[];
  qualities: { version: string; metric: string; window: 'latest' | 'judged'; value: number }[];
};

export type Record = {
  runs: { pipeline: string; state: string; runs: number; seconds: number }[];
  steps: { pipeline: string; step: string; attempts: number; waiting: number }[];
  triggers: { pipeline: string; kind: string; outcome: string; triggers: number }[];
  /** Messages about alerts that came to an end. */
  messages: { status: string; messages: number }[];
  rollouts: { model: string; step: number }[];
  workers: { pool: string; workers: number }[];
  gateways: number;
  alerts: { model: string; kind: string; state: string; alerts: number }[];
  models: ModelRecord[];
};

const named = sql`case when pipeline in (select name from pipelines order by created_at, name limit ${MOST_PIPELINES}) then pipeline else 'other' end`;

type ModelWindowRow = WindowRow & { model: string };

/** The newest windows of each model, newest first. */
const newestWindows = (database: Kysely<Database>) => sql<ModelWindowRow>`
  select m.name as model, w.version, w.window_number, w.report, w.decision, w.concept
  from (select model as name, max(updated_at) as at from monitor_windows group by model order by at desc, name limit ${MOST_MODELS}) m
  cross join lateral (
    select version, window_number, report, decision, concept from monitor_windows where model = m.name
    order by to_at desc, window_number desc limit ${WINDOWS_LOOKED_AT}) w`.execute(database);

const qualitiesOf = (rows: readonly ModelWindowRow[]): ModelRecord['qualities'] => {
  const row = rows.find(({ report }) => (report as MonitorWindow).quality !== null);
  if (row === undefined) return [];
  const { version, quality, judgedQuality } = windowOf(row, metricOf(row));
  const values = [{ window: 'latest' as const, value: quality }, { window: 'judged' as const, value: judgedQuality }];
  return values.flatMap(({ window, value }) => (value === null ? [] : [{ version: String(version), metric: metricOf(row), window, value }]));
};

/** `rows` are of one model, newest first, at least one. */
const modelRecord = (model: string, rows: readonly ModelWindowRow[]): ModelRecord => {
  const [newest] = rows as [ModelWindowRow];
  const windows = rows.map((row) => windowOf(row, metricOf(row)));
  const all = windows.reduce((sum, { rows: count, labelled }) => ({ rows: sum.rows + count, labelled: sum.labelled + labelled }), { rows: 0, labelled: 0 });
  return {
    model,
    share: windows[0]?.driftScore ?? 0,
    drifted: windows[0]?.drifted === true,
    coverage: all.rows === 0 ? 0 : all.labelled / all.rows,
    columns: columnsOf(newest)
      .slice(0, MOST_FEATURES)
      .flatMap(({ column, method, score }) => (score === null ? [] : [{ feature: column, test: method, score }])),
    qualities: qualitiesOf(rows),
  };
};

const readModels = async (database: Kysely<Database>): Promise<ModelRecord[]> => {
  const byModel = new Map<string, ModelWindowRow[]>();
  for (const row of (await newestWindows(database)).rows) byModel.set(row.model, [...(byModel.get(row.model) ?? []), row]);
  return [...byModel].map(([model, rows]) => modelRecord(model, rows));
};

const readCounts = async (database: Kysely<Database>): Promise<Omit<Record, 'models'>> => {
  const [runs, steps, triggers, rollouts, workers, alerts, messages, gateways] = await Promise.all([
    sql<Record['runs'][number]>`select ${named} as pipeline, state, count(*) as runs, coalesce(sum(extract(epoch from finished_at - started_at)), 0)::float8 as seconds from runs group by 1, 2`.execute(database),
    sql<Record['steps'][number]>`select ${named} as pipeline, step, count(*) as attempts, sum(waiting_seconds) as waiting from step_resources group by 1, 2`.execute(database),
    sql<Record['triggers'][number]>`select ${named} as pipeline, kind, outcome, count(*) as triggers from triggers group by 1, 2, 3`.execute(database),
    sql<Record['rollouts'][number]>`
      select r.model, coalesce((select max(d.step) from rollout_decisions d where d.rollout_id = r.rollout_id), 0) + 1 as step
      from rollouts r where r.finished_at is null order by r.started_at desc limit ${MOST_MODELS}`.execute(database),
    sql<Record['workers'][number]>`select pool, count(*) as workers from worker_leases where expires_at > now() group by pool`.execute(database),
    sql<Record['alerts'][number]>`select model, kind, state, count(*) as alerts from alerts where state <> 'resolved' group by 1, 2, 3 order by 1, 2, 3 limit ${MOST_ALERTS}`.execute(database),
    sql<Record['messages'][number]>`select status, count(*) as messages from alert_deliveries where status in ('sent', 'failed') group by status`.execute(database),
    sql<{ gateways: number }>`select count(*) as gateways from gateways where lease_expires_at > now()`.execute(database),
  ]);
  return { runs: runs.rows, steps: steps.rows, triggers: triggers.rows, rollouts: rollouts.rows, workers: workers.rows, alerts: alerts.rows, messages: messages.rows, gateways: gateways.rows[0]?.gateways ?? 0 };
};

/** @throws Error when the database cannot be read */
export const readRecord = async (database: Kysely<Database>): Promise<Record> => {
  const [counts, models] = await Promise.all([readCounts(database), readModels(database)]);
  return { ...counts, models };
};
