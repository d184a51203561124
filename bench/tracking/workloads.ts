/** What is measured on each server, with the bodies that MLflow's client sends. */
import type { Server } from './servers.ts';

type NewRun = { run: { info: { run_id: string } } };

let counter = 0;
/** Distinct in every body, so that no create is taken for a replay. */
const next = (): number => {
  counter += 1;
  return counter;
};

export const createRun = async ({ call }: Server): Promise<string> => {
  const number = next();
  const tags = ['mlflow.user', 'mlflow.source.name', 'mlflow.source.type', 'mlflow.runName'].map((key) => ({ key, value: `bench-${number}` }));
  const { run } = (await call('POST', 'runs/create', { experiment_id: '0', user_id: 'bench', run_name: `bench-${number}`, start_time: Date.now(), tags })) as NewRun;
  return run.info.run_id;
};

const metrics = (count: number) => Array.from({ length: count }, (_, index) => ({ key: `m${index % 20}`, value: Math.random(), timestamp: Date.now(), step: next() }));

export type Workload = { name: string; ratio: string; repeat: number; prepare(server: Server): Promise<string>; act(server: Server, prepared: string): Promise<unknown> };

/** Some 500 of the 10,000 runs match; the first 100 of them by another metric are given. */
export const searchOf = (server: Server): object => ({
  experiment_ids: [server.seeded],
  filter: "metrics.m3 > 0.85 and params.model = 'tree'",
  order_by: ['metrics.m7 DESC'],
  max_results: 100,
});

export const WORKLOADS: readonly Workload[] = [
  { name: 'log_metric', ratio: 'log_metric_vs_mlflow', repeat: 200, prepare: createRun, act: ({ call }, run) => call('POST', 'runs/log-metric', { run_id: run, run_uuid: run, key: 'loss', value: Math.random(), timestamp: Date.now(), step: next() }) },
  { name: 'log_batch of 1,000 metrics', ratio: 'log_batch_vs_mlflow', repeat: 15, prepare: createRun, act: ({ call }, run) => call('POST', 'runs/log-batch', { run_id: run, metrics: metrics(1_000), params: [], tags: [] }) },
  {
    name: 'create, log and end a run',
    ratio: 'create_run_vs_mlflow',
    repeat: 40,
    prepare: async () => '',
    act: async (server) => {
      const run = await createRun(server);
      const params = Array.from({ length: 10 }, (_, index) => ({ key: `p${index}`, value: String(index) }));
      await server.call('POST', 'runs/log-batch', { run_id: run, metrics: metrics(20), params, tags: [] });
      await server.call('POST', 'runs/update', { run_id: run, run_uuid: run, status: 'FINISHED', end_time: Date.now() });
    },
  },
  { name: 'search in 10,000 runs', ratio: 'search_vs_mlflow', repeat: 12, prepare: async () => '', act: (server) => server.call('POST', 'runs/search', searchOf(server)) },
];
