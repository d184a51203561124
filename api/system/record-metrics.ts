/**
 * Metrics of what is recorded: runs, triggers, drift, quality, rollouts, workers, backlogs. They are read from PostgreSQL and Temporal when they
 * are scraped, so they are right after every restart and are the same at every API process. The number of series is bounded.
 */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { ApiContext } from '../http/app-types.ts';
import { readBacklogs } from './backlogs.ts';
import { readRecord, type Record } from './record-reader.ts';

/** How long one reading serves: several scrapers, or one that is eager, cost the database no more. */
const KEPT_MS = 5_000;

type Labels = { [label: string]: string };
type Sample = { labels: Labels; value: number };
type Definition = { type: 'counter' | 'gauge'; name: string; help: string; labels: string[]; read: (record: Record) => Sample[] };

const RUNS: Definition[] = [
  { type: 'counter', name: 'perennial_runs_total', help: 'Runs that ended, by how they ended.', labels: ['pipeline', 'state'], read: ({ runs }) => runs.filter(({ state }) => state !== 'running').map(({ pipeline, state, runs: value }) => ({ labels: { pipeline, state }, value })) },
  { type: 'gauge', name: 'perennial_runs_open', help: 'Runs that have not ended.', labels: ['pipeline'], read: ({ runs }) => runs.filter(({ state }) => state === 'running').map(({ pipeline, runs: value }) => ({ labels: { pipeline }, value })) },
  { type: 'counter', name: 'perennial_run_duration_seconds_total', help: 'Time from begin to end of ended runs, together: by perennial_runs_total it gives their mean.', labels: ['pipeline', 'state'], read: ({ runs }) => runs.filter(({ state }) => state !== 'running').map(({ pipeline, state, seconds: value }) => ({ labels: { pipeline, state }, value })) },
  { type: 'counter', name: 'perennial_run_attempts_total', help: 'Measured attempts of the steps of runs.', labels: ['pipeline', 'step'], read: ({ steps }) => steps.map(({ pipeline, step, attempts: value }) => ({ labels: { pipeline, step }, value })) },
  { type: 'counter', name: 'perennial_run_waiting_seconds_total', help: 'Time that attempts of the steps of runs waited for a worker, together.', labels: ['pipeline', 'step'], read: ({ steps }) => steps.map(({ pipeline, step, waiting: value }) => ({ labels: { pipeline, step }, value })) },
  { type: 'counter', name: 'perennial_triggers_total', help: 'Triggers by kind and what became of them.', labels: ['pipeline', 'kind', 'outcome'], read: ({ triggers }) => triggers.map(({ pipeline, kind, outcome, triggers: value }) => ({ labels: { pipeline, kind, outcome }, value })) },
];

const MODELS: Definition[] = [
  { type: 'gauge', name: 'perennial_drift_score', help: 'Drift of a feature in the newest window, by its test; of each model the features that drifted most.', labels: ['model', 'feature', 'test'], read: ({ models }) => models.flatMap(({ model, columns }) => columns.map(({ feature, test, score: value }) => ({ labels: { model, feature, test }, value }))) },
  { type: 'gauge', name: 'perennial_drift_share_ratio', help: 'Share of the features that drifted in the newest window.', labels: ['model'], read: ({ models }) => models.map(({ model, share: value }) => ({ labels: { model }, value })) },
  { type: 'gauge', name: 'perennial_drift_detected', help: '1 when the newest window as a whole has drifted.', labels: ['model'], read: ({ models }) => models.map(({ model, drifted }) => ({ labels: { model }, value: drifted ? 1 : 0 })) },
  { type: 'gauge', name: 'perennial_model_quality', help: 'Quality of the served version in the newest window that has enough labels (window "latest"), and what it was judged with (window "judged").', labels: ['model', 'version', 'metric', 'window'], read: ({ models }) => models.flatMap(({ model, qualities }) => qualities.map(({ version, metric, window, value }) => ({ labels: { model, version, metric, window }, value }))) },
  { type: 'gauge', name: 'perennial_label_coverage_ratio', help: 'Share of the rows of the newest 20 windows that have their label.', labels: ['model'], read: ({ models }) => models.map(({ model, coverage: value }) => ({ labels: { model }, value })) },
  { type: 'counter', name: 'perennial_alert_messages_total', help: 'Messages about alerts that were sent, or given up.', labels: ['status'], read: ({ messages }) => messages.map(({ status, messages: value }) => ({ labels: { status }, value })) },
  { type: 'gauge', name: 'perennial_alerts_firing', help: 'Incidents that are not resolved, by their state.', labels: ['model', 'kind', 'state'], read: ({ alerts }) => alerts.map(({ model, kind, state, alerts: value }) => ({ labels: { model, kind, state }, value })) },
  { type: 'gauge', name: 'perennial_rollout_step', help: 'Step of the running rollout, counted from 1.', labels: ['model'], read: ({ rollouts }) => rollouts.map(({ model, step: value }) => ({ labels: { model }, value })) },
  { type: 'gauge', name: 'perennial_workers', help: 'Workers with a live lease.', labels: ['pool'], read: ({ workers }) => workers.map(({ pool, workers: value }) => ({ labels: { pool }, value })) },
  { type: 'gauge', name: 'perennial_gateways', help: 'Gateways with a live lease.', labels: [], read: ({ gateways: value }) => [{ labels: {}, value }] },
];

/** Asks once and gives the same answer for a while; a failure is not kept. */
const kept = <T>(ask: () => Promise<T>): (() => Promise<T>) => {
  let last: { until: number; answer: Promise<T> } | undefined;
  return () => {
    if (last !== undefined && last.until > Date.now()) return last.answer;
    const answer = ask();
    last = { until: Date.now() + KEPT_MS, answer };
    answer.catch(() => (last = undefined));
    return answer;
  };
};

const registerDefinition = (registry: Registry, { type, name, help, labels, read }: Definition, record: () => Promise<Record | undefined>): void => {
  const common = { name, help, labelNames: labels, registers: [registry] };
  const samples = async (): Promise<Sample[]> => {
    const found = await record();
    return found === undefined ? [] : read(found);
  };
  if (type === 'counter') {
    const counter: Counter = new Counter({
      ...common,
      collect: async () => {
        const found = await samples();
        counter.reset();
        for (const { labels: of, value } of found) counter.inc(of, value);
      },
    });
    return;
  }
  const gauge: Gauge = new Gauge({
    ...common,
    collect: async () => {
      const found = await samples();
      gauge.reset();
      for (const { labels: of, value } of found) gauge.set(of, value);
    },
  });
};

/** An outage leaves the series out and says so in perennial_record_readable: a scrape must not fail as a whole. */
export const registerRecordMetrics = (registry: Registry, context: Pick<ApiContext, 'database' | 'temporalCalls' | 'temporal'>): void => {
  const read = kept(() => readRecord(context.database));
  const record = (): Promise<Record | undefined> => read().catch(() => undefined);
  for (const definition of [...RUNS, ...MODELS]) registerDefinition(registry, definition, record);
  const backlogs = kept(() => readBacklogs(context));
  const backlog: Gauge = new Gauge({
    name: 'perennial_task_queue_backlog',
    help: 'Tasks that wait in the task queue of a pool, as Temporal estimates.',
    labelNames: ['pool'],
    registers: [registry],
    collect: async () => {
      const found = await backlogs().catch(() => []);
      backlog.reset();
      for (const { pool, tasks } of found) backlog.set({ pool }, tasks);
    },
  });
  const readable: Gauge = new Gauge({
    name: 'perennial_record_readable',
    help: '1 when PostgreSQL could be read for these metrics.',
    registers: [registry],
    collect: async () => readable.set((await record()) === undefined ? 0 : 1),
  });
};
