/**
 * The small lifecycle of `npm test`: one month, about 20,000 rows to train on, 30 trees, steps of one second. The challenger is trained in the pool `gpu`
 * (by the same CPU trainer), so that every trial shows that steps reach the pool that they ask for.
 */
import { join } from 'node:path';
import { deliverMonths, EXAMPLE_FOLDER, loadPipeline } from '../../examples/flight-delays/demo/pipeline.ts';
import { rowsOfMonth } from '../../examples/flight-delays/demo/rows.ts';
import type { LabelledRow } from '../../examples/flight-delays/demo/traffic.ts';

export type LifecycleScale = {
  /** Months that have arrived. */
  months: string[];
  rows: LabelledRow[];
  pipelinesOf: (name: string) => [unknown, unknown];
};

const steps = [25, 100].map((weight) => ({ weight, seconds: 1, minimumRequests: 20, maximumSeconds: 90 }));

/** Both scales differ from the demo in one gate: the challenger has other parameters, not more data, so it need not be better. */
const withoutChampionGate = [{ kind: 'threshold', metric: 'rocAuc', min: 0.55 }];

export const smallLifecycle = async (arrivals: string): Promise<LifecycleScale> => {
  deliverMonths(arrivals, ['2013-01']);
  const base = loadPipeline(arrivals);
  const pipelineOf = (name: string, seed: number, pool: string): unknown => ({
    ...base,
    name,
    split: { holdout: { last: 'P7D' } },
    train: { ...base.train, seed, pool, params: { ...base.train.params, num_iterations: 30, num_leaves: 15 } },
    gates: withoutChampionGate,
    rollout: { ...base.rollout, steps, deadlineMs: 5_000 },
    monitor: undefined,
  });
  return { months: ['2013-01'], rows: await rowsOfMonth({ exampleFolder: EXAMPLE_FOLDER, features: base.features }, '2013-02', 500), pipelinesOf: (name) => [pipelineOf(name, 1, 'cpu'), pipelineOf(name, 2, 'gpu')] };
};

/** The demo's own sizes: three months, 120 trees, four steps. */
export const fullLifecycle = async (arrivals: string): Promise<LifecycleScale> => {
  const months = ['2013-01', '2013-02', '2013-03', '2013-04'];
  deliverMonths(arrivals, months);
  const base = loadPipeline(arrivals);
  const pipelineOf = (name: string, seed: number, pool: string): unknown => ({ ...base, name, train: { ...base.train, seed, pool }, gates: withoutChampionGate, rollout: { ...base.rollout, deadlineMs: 5_000 } });
  return { months, rows: await rowsOfMonth({ exampleFolder: EXAMPLE_FOLDER, features: base.features }, '2013-05', 2_000), pipelinesOf: (name) => [pipelineOf(name, 1, 'cpu'), pipelineOf(name, 2, 'gpu')] };
};

export const arrivalsOf = (home: string): string => join(home, 'arrivals');
