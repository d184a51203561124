/** Metrics of a worker: the attempts that it ran, what they used and cost, and its slots. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { createLabelBound } from '../adapters/prometheus/label-bound.ts';
import { registerProcessMetrics } from '../adapters/prometheus/process-metrics.ts';
import type { PriceTable } from '../contracts/resources.ts';
import { costOf } from '../domain/cost.ts';
import type { AttemptEnd } from './metered-ledger.ts';

export type WorkerMetrics = {
  attemptEnded: (end: AttemptEnd) => void;
  /** Names the pool and its slots, which are asked for at each scrape. Once. */
  showPool: (pool: string, slots: () => { total: number; used: number }) => void;
  text: () => Promise<string>;
  contentType: string;
};

/** Pipelines and steps with series of their own; what comes later is counted together. */
const MOST_PIPELINES = 100;
const MOST_STEPS = 50;

/** A step takes from milliseconds to days. */
const SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400];

const createInstruments = (registry: Registry) => {
  const registers = [registry];
  const labelNames = ['pipeline', 'step'] as const;
  return {
    attempts: new Counter({ name: 'perennial_step_attempts_total', help: 'Attempts of steps that ended here, by how they ended.', labelNames: [...labelNames, 'outcome'], registers }),
    duration: new Histogram({ name: 'perennial_step_attempt_duration_seconds', help: 'Duration of attempts of steps.', labelNames: ['step', 'outcome'], buckets: SECONDS, registers }),
    waiting: new Histogram({ name: 'perennial_step_waiting_duration_seconds', help: 'Time that attempts waited for a worker of their pool.', labelNames: ['pool'], buckets: SECONDS, registers }),
    cpu: new Counter({ name: 'perennial_step_cpu_seconds_total', help: 'CPU time of steps, with their processes.', labelNames, registers }),
    memory: new Gauge({ name: 'perennial_step_peak_memory_bytes', help: 'Highest resident memory of the processes of the last attempt of a step.', labelNames, registers }),
    gpu: new Counter({ name: 'perennial_gpu_seconds_total', help: 'Time that processes of steps held a GPU.', labelNames, registers }),
    stored: new Counter({ name: 'perennial_step_stored_bytes_total', help: 'Bytes that steps left in the artifact store.', labelNames, registers }),
    cost: new Counter({ name: 'perennial_cost_total', help: 'Cost of steps by the declared prices, in the currency of the label.', labelNames: [...labelNames, 'resource', 'currency'], registers }),
  };
};

const countCost = (cost: Counter, labels: { pipeline: string; step: string }, { use, prices }: { use: AttemptEnd['use']; prices: PriceTable | null }): void => {
  const parts = costOf(use, prices);
  if (parts === null || prices === null) return;
  const { currency } = prices;
  for (const resource of ['cpu', 'memory', 'gpu', 'storage'] as const) cost.inc({ ...labels, resource, currency }, parts[resource]);
};

const registerSlots = (registry: Registry, pool: string, slots: () => { total: number; used: number }): void => {
  const total: Gauge = new Gauge({ name: 'perennial_worker_slots', help: 'Tasks that this worker runs at once at most.', labelNames: ['pool'], registers: [registry], collect: () => total.set({ pool }, slots().total) });
  const used: Gauge = new Gauge({ name: 'perennial_worker_slots_used', help: 'Tasks that this worker runs now.', labelNames: ['pool'], registers: [registry], collect: () => used.set({ pool }, slots().used) });
};

export const createWorkerMetrics = ({ registry, prices, build }: { registry: Registry; prices: PriceTable | null; build: string }): WorkerMetrics => {
  const instruments = createInstruments(registry);
  const [pipelineLabel, stepLabel] = [createLabelBound(MOST_PIPELINES), createLabelBound(MOST_STEPS)];
  return {
    attemptEnded: ({ context, outcome, use }) => {
      const step = stepLabel(context.step);
      const labels = { pipeline: pipelineLabel(context.pipeline), step };
      instruments.attempts.inc({ ...labels, outcome });
      instruments.duration.observe({ step, outcome }, use.durationSeconds);
      instruments.waiting.observe({ pool: context.pool }, use.waitingSeconds);
      instruments.cpu.inc(labels, use.cpuSeconds);
      instruments.memory.set(labels, use.peakMemoryBytes);
      instruments.gpu.inc(labels, use.gpuSeconds);
      instruments.stored.inc(labels, use.storedBytes);
      countCost(instruments.cost, labels, { use, prices });
    },
    showPool: (pool, slots) => {
      registerProcessMetrics(registry, { kind: `worker-${pool}`, build });
      registerSlots(registry, pool, slots);
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
};
