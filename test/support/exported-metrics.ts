/** Names of the metrics that API, gateways and workers export, as their registries have them; nothing is collected. */
import { Registry } from 'prom-client';
import { registerProcessMetrics } from '../../adapters/prometheus/process-metrics.ts';
import { measure } from '../../api/system/metrics.ts';
import { registerRecordMetrics } from '../../api/system/record-metrics.ts';
import { createMetrics } from '../../serving/metrics.ts';
import { createWorkerMetrics } from '../../workers/metrics.ts';

const unasked = (): never => {
  throw new Error('metrics are named here, not collected');
};

const apiRegistry = (): Registry => {
  const registry = new Registry();
  measure({ addHook: () => undefined } as unknown as Parameters<typeof measure>[0], registry);
  registerRecordMetrics(registry, { database: unasked, temporalCalls: { call: unasked }, temporal: { namespace: '', uiUrl: '' } } as unknown as Parameters<typeof registerRecordMetrics>[1]);
  registerProcessMetrics(registry, { kind: 'api', build: '1' });
  return registry;
};

const gatewayRegistry = (): Registry => {
  const registry = new Registry();
  createMetrics({ weights: () => [], inFlight: () => [], hosts: () => [], refusals: () => [], logCommits: () => 0, closedLogFiles: async () => 0 }, registry);
  return registry;
};

const workerRegistry = (): Registry => {
  const registry = new Registry();
  createWorkerMetrics({ registry, prices: null, build: '1' }).showPool('cpu', () => ({ total: 2, used: 0 }));
  return registry;
};

export type ExportedMetric = { name: string; help: string; type: string };

export const exportedMetrics = (): ExportedMetric[] =>
  [apiRegistry(), gatewayRegistry(), workerRegistry()].flatMap((registry) => registry.getMetricsAsArray() as unknown as ExportedMetric[]);
