/** /metrics of the gateway. Requests are counted in plain objects; Prometheus' form is made when it is asked for. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { DeploymentTable } from './deployment-table.ts';
import { MAX_QUEUE_REQUESTS } from './version-host.ts';
import { newDurations, observe, registerHistogram, type Durations } from './scraped-histogram.ts';

/** Requests of one version in one role, or of no version (bad requests). */
export type VersionMetrics = {
  model: string;
  version: string;
  role: string;
  byCode: Map<number, number>;
  durations: Durations;
  failures: number;
  /** How long clients had waited for these answers. */
  failureSeconds: number;
  fallbacks: number;
  unlogged: number;
  /** Copies that it got as a shadow, by what became of them. */
  copies: Record<'same' | 'differing' | 'failed' | 'dropped', number>;
};

/** What is looked up, not counted, when metrics are asked for. */
export type GatewayState = {
  weights(): { model: string; version: number; ratio: number }[];
  /** Requests that no version could read. */
  refusals(): { model: string; version: number; reason: string; requests: number }[];
  inFlight(): { model: string; requests: number }[];
  hosts(): {
    host: { name: string; queueLength: number; restarts: number; batches: number; busySeconds: number; queueDurations: Durations };
    /** CPU seconds so far and present memory of its process. */
    used: { cpuSeconds: number; memoryBytes: number };
  }[];
  /** Group commits of the prediction log. */
  logCommits(): number;
  closedLogFiles(): Promise<number>;
};

export type Metrics = {
  of(model: string, version: string, role: string): VersionMetrics;
  /** What is counted of a version, in each role that it had. */
  versions(model: string, version: string): VersionMetrics[];
  text(): Promise<string>;
  contentType: string;
};

/** Counts one finished request. */
export const countRequest = (metrics: VersionMetrics, code: number, seconds: number): void => {
  metrics.byCode.set(code, (metrics.byCode.get(code) ?? 0) + 1);
  observe(metrics.durations, seconds);
};

/** Failed requests are counted by model and status alone: what the client sent must not become a label. */
export const countFailure = ({ metrics, table }: { metrics: Pick<Metrics, 'of'>; table: Pick<DeploymentTable, 'get'> }, { model, status }: { model: string; status: number }): void =>
  countRequest(metrics.of(table.get(model) === undefined ? 'unknown' : model, 'none', 'none'), status, 0);

type Sample = { labels: Record<string, string>; value: number };
type Definition = { name: string; help: string; labels: string[]; read: () => Sample[] | Promise<Sample[]> };

const hostLabels = (name: string): Record<string, string> => {
  const slash = name.lastIndexOf('/');
  return { model: name.slice(0, slash), version: name.slice(slash + 1) };
};

/** A sample for each host. */
const perHost = (state: GatewayState, read: (entry: ReturnType<GatewayState['hosts']>[number]) => number) => (): Sample[] =>
  state.hosts().map((entry) => ({ labels: hostLabels(entry.host.name), value: read(entry) }));

const hasCopies = ({ copies }: VersionMetrics): boolean => Object.values(copies).some((count) => count > 0);

const countersOf = (all: () => VersionMetrics[], state: GatewayState): Definition[] => {
  const perVersion = (read: (entry: VersionMetrics) => number) => () => all().map((entry) => ({ labels: { model: entry.model, version: entry.version, role: entry.role }, value: read(entry) }));
  const labels = ['model', 'version', 'role'];
  return [
    {
      name: 'perennial_inference_requests_total',
      help: 'Inference requests by the version that answered and the HTTP status.',
      labels: [...labels, 'code'],
      read: () => all().flatMap(({ model, version, role, byCode }) => [...byCode].map(([code, value]) => ({ labels: { model, version, role, code: String(code) }, value }))),
    },
    { name: 'perennial_inference_failures_total', help: 'Answers that a version owed and did not give.', labels, read: perVersion((entry) => entry.failures) },
    { name: 'perennial_inference_fallbacks_total', help: 'Answers that stable gave for a canary that failed or was late.', labels, read: perVersion((entry) => entry.fallbacks) },
    {
      name: 'perennial_shadow_copies_total',
      help: 'Copies of requests for a version in shadow: answered the same, differently, not at all, or dropped.',
      labels: ['model', 'version', 'result'],
      read: () => all().filter(hasCopies).flatMap(({ model, version, copies }) => Object.entries(copies).map(([result, value]) => ({ labels: { model, version, result }, value }))),
    },
    { name: 'perennial_inference_unlogged_total', help: 'Answers given without a record in the prediction log.', labels, read: perVersion((entry) => entry.unlogged) },
    {
      name: 'perennial_inference_refusals_total',
      help: 'Requests that the signature of the model does not allow, by what was wrong.',
      labels: ['model', 'version', 'reason'],
      read: () => state.refusals().map(({ model, version, reason, requests }) => ({ labels: { model, version: String(version), reason }, value: requests })),
    },
    {
      name: 'perennial_model_host_restarts_total',
      help: 'Model host processes that died or were killed.',
      labels: ['model', 'version'],
      read: perHost(state, ({ host }) => host.restarts),
    },
    {
      name: 'perennial_inference_batches_total',
      help: 'Batches that the host of a version was given.',
      labels: ['model', 'version'],
      read: perHost(state, ({ host }) => host.batches),
    },
    { name: 'perennial_model_host_busy_seconds_total', help: 'Time that the host of a version ran batches: its share of the time is how busy it is.', labels: ['model', 'version'], read: perHost(state, ({ host }) => host.busySeconds) },
    { name: 'perennial_model_host_cpu_seconds_total', help: 'CPU time of the host process of a version.', labels: ['model', 'version'], read: perHost(state, ({ used }) => used.cpuSeconds) },
    { name: 'perennial_prediction_log_commits_total', help: 'Group commits of the prediction log.', labels: [], read: () => [{ labels: {}, value: state.logCommits() }] },
  ];
};

const gaugesOf = (state: GatewayState): Definition[] => [
  {
    name: 'perennial_rollout_weight_ratio',
    help: 'Share of requests that a version gets.',
    labels: ['model', 'version'],
    read: () => state.weights().map(({ model, version, ratio }) => ({ labels: { model, version: String(version) }, value: ratio })),
  },
  {
    name: 'perennial_inference_queue_length',
    help: 'Requests that wait for the host of a version.',
    labels: ['model', 'version'],
    read: perHost(state, ({ host }) => host.queueLength),
  },
  { name: 'perennial_inference_queue_limit', help: 'Requests that may wait for one host; more are refused.', labels: [], read: () => [{ labels: {}, value: MAX_QUEUE_REQUESTS }] },
  { name: 'perennial_inference_in_flight', help: 'Requests that have no answer yet.', labels: ['model'], read: () => state.inFlight().map(({ model, requests }) => ({ labels: { model }, value: requests })) },
  { name: 'perennial_model_host_memory_bytes', help: 'Resident memory of the host process of a version.', labels: ['model', 'version'], read: perHost(state, ({ used }) => used.memoryBytes) },
  {
    name: 'perennial_prediction_log_files',
    help: 'Closed files of the prediction log that are not in the artifact store yet.',
    labels: [],
    read: async () => [{ labels: {}, value: await state.closedLogFiles() }],
  },
];

/** Versions with counts of their own; when there are more, those that are no longer served are forgotten. */
const MOST_ENTRIES = 500;

const forgetUnserved = (entries: Map<string, VersionMetrics>, state: GatewayState): void => {
  const served = new Set(state.weights().map(({ model, version }) => `${model}/${version}`));
  for (const [key, { model, version }] of entries) if (!served.has(`${model}/${version}`)) entries.delete(key);
};

export const createMetrics = (state: GatewayState, registry: Registry): Metrics => {
  const entries = new Map<string, VersionMetrics>();
  const all = (): VersionMetrics[] => [...entries.values()];
  for (const { name, help, labels, read } of countersOf(all, state)) {
    const counter: Counter = new Counter({
      name,
      help,
      labelNames: labels,
      registers: [registry],
      collect: async () => {
        const samples = await read();
        counter.reset();
        for (const sample of samples) counter.inc(sample.labels, sample.value);
      },
    });
  }
  for (const { name, help, labels, read } of gaugesOf(state)) {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames: labels,
      registers: [registry],
      collect: async () => {
        const samples = await read();
        gauge.reset();
        for (const sample of samples) gauge.set(sample.labels, sample.value);
      },
    });
  }
  registerHistogram(registry, 'perennial_inference_duration_seconds', {
    help: 'Time from the whole request to its answer.',
    series: () => all().map(({ model, version, role, durations }) => ({ labels: { model, version, role }, durations })),
  });
  registerHistogram(registry, 'perennial_inference_queue_duration_seconds', {
    help: 'Time that requests waited for the host of a version.',
    series: () => state.hosts().map(({ host }) => ({ labels: hostLabels(host.name), durations: host.queueDurations })),
  });
  return {
    of: (model, version, role) => {
      const key = `${model}/${version}/${role}`;
      let entry = entries.get(key);
      if (entry === undefined) {
        if (entries.size >= MOST_ENTRIES) forgetUnserved(entries, state);
        entry = { model, version, role, byCode: new Map(), durations: newDurations(), failures: 0, failureSeconds: 0, fallbacks: 0, unlogged: 0, copies: { same: 0, differing: 0, failed: 0, dropped: 0 } };
        entries.set(key, entry);
      }
      return entry;
    },
    versions: (model, version) => all().filter((entry) => entry.model === model && entry.version === version),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
};
