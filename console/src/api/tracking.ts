/** Tracked runs as MLflow's protocol has them: experiments, params, metrics and tags. */
const TRACKING = '/api/2.0/mlflow';

export const SEARCH_EXPERIMENTS = `${TRACKING}/experiments/search`;
export const SEARCH_RUNS = `${TRACKING}/runs/search`;

export type Experiment = { experiment_id: string; name: string; lifecycle_stage: string; creation_time?: number | string; last_update_time?: number | string };
export type Experiments = { experiments?: Experiment[] };

/** Numbers that JSON has not (NaN, Infinity) come as text. */
export type Metric = { key: string; value: number | string; step?: number | string; timestamp?: number | string };
type Pair = { key: string; value: string };

export type TrackedRun = {
  info: { run_id: string; run_name?: string; status: string; start_time?: number | string; end_time?: number | string; user_id?: string };
  data: { metrics?: Metric[]; params?: Pair[]; tags?: Pair[] };
};
export type TrackedRuns = { runs?: TrackedRun[]; next_page_token?: string };

export const historyPath = (runId: string, metric: string): string => `${TRACKING}/metrics/get-history?${new URLSearchParams({ run_id: runId, metric_key: metric }).toString()}`;
export type History = { metrics?: Metric[] };

const numberOf = (value: number | string | undefined): number | null => {
  const number = Number(value);
  return value === undefined || value === '' || !Number.isFinite(number) ? null : number;
};

export const metricOf = ({ data }: TrackedRun, name: string): number | null => numberOf(data.metrics?.find(({ key }) => key === name)?.value);
export const paramOf = ({ data }: TrackedRun, name: string): string | null => data.params?.find(({ key }) => key === name)?.value ?? null;
export const nameOf = ({ info }: TrackedRun): string => info.run_name ?? info.run_id.slice(0, 8);
export const instantOf = (milliseconds: number | string | undefined): string | null => {
  const number = numberOf(milliseconds);
  return number === null ? null : new Date(number).toISOString();
};

export type Point = { step: number; at: number; value: number };

/** The points of a curve in their order; those that are no number are left out. */
export const pointsOf = (history: History): Point[] =>
  (history.metrics ?? [])
    .map(({ step, timestamp, value }) => ({ step: numberOf(step) ?? 0, at: numberOf(timestamp) ?? 0, value: numberOf(value) }))
    .filter((point): point is Point => point.value !== null)
    .sort((one, other) => one.step - other.step || one.at - other.at);

const keysIn = (runs: TrackedRun[], part: 'metrics' | 'params'): string[] => [...new Set(runs.flatMap(({ data }) => (data[part] ?? []).map(({ key }) => key)))].sort();
export const metricNames = (runs: TrackedRun[]): string[] => keysIn(runs, 'metrics');
export const paramNames = (runs: TrackedRun[]): string[] => keysIn(runs, 'params');
