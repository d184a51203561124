/** A search on real data and real processes: what it tried, and what Temporal and the rows know of it. */
import { setTimeout as pause } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { ApiClient } from '../../examples/flight-delays/demo/api-client.ts';
import { deliverMonths, loadPipeline } from '../../examples/flight-delays/demo/pipeline.ts';
import type { Stack } from '../../deploy/local/stack.ts';

export type Trial = { number: number; state: string; value: number | null; params: Record<string, unknown>; attempts: number; reports: unknown[] };
export type Trials = { metric: string; planned: number; best: number | null; trials: Trial[] };

export type SearchScale = { trials: number; parallel: number; sampler: string; rounds: number; pruner?: string };

/** One month of flights, a week of it held out, and a week before that to judge the trials on. No model passes its gate, so nothing has to be served. */
export const searchPipeline = (arrivals: string, name: string, { rounds, ...search }: SearchScale): unknown => {
  deliverMonths(arrivals, ['2013-01']);
  const base = loadPipeline(arrivals);
  return {
    ...base,
    name,
    split: { holdout: { last: 'P7D' } },
    train: { ...base.train, threads: 1, params: { num_iterations: rounds, min_data_in_leaf: 100, bagging_freq: 1 } },
    search: {
      ...search,
      space: {
        learning_rate: { type: 'number', min: 0.02, max: 0.5, log: true },
        num_leaves: { type: 'integer', min: 4, max: 64, log: true },
        feature_fraction: { type: 'number', min: 0.2, max: 1 },
        bagging_fraction: { type: 'number', min: 0.4, max: 1 },
      },
    },
    gates: [{ kind: 'threshold', metric: 'rocAuc', min: 0.999 }],
    rollout: { strategy: 'allAtOnce' },
    monitor: undefined,
  };
};

export type RunView = { state: string; failure: unknown; steps: { name: string; state: string; input: unknown; output: unknown }[] };

/** Looks until the run has ended; `onProgress` is told how many trials have ended so far. */
export const awaitSearch = async (api: ApiClient, runId: string, { boundMs, onProgress = async () => undefined }: { boundMs: number; onProgress?: (ended: number) => Promise<void> }): Promise<RunView> => {
  for (const until = Date.now() + boundMs; ; await pause(200)) {
    const { trials } = await api.get<Trials>(`/runs/${runId}/trials`);
    await onProgress(trials.filter(({ state }) => state !== 'running').length);
    const run = await api.get<RunView>(`/runs/${runId}`);
    if (run.state !== 'running') return run;
    if (Date.now() > until) throw new Error(`the run ${runId} did not end within ${boundMs} ms: ${JSON.stringify(run.steps.map(({ name, state }) => `${name} ${state}`))}`);
  }
};

/** Executions of the trials of a run, as Temporal lists them: workflow id and how each ended. */
export const trialExecutions = async (stack: Stack, runId: string, count: number): Promise<string[]> => {
  const connection = await Connection.connect({ address: stack.urls.temporal });
  const { workflow } = new Client({ connection });
  const found: string[] = [];
  try {
    // The list of a dev server is a moment behind.
    for (const until = Date.now() + 30_000; ; await pause(300)) {
      found.length = 0;
      for await (const { workflowId, status } of workflow.list({ query: `WorkflowType = 'searchTrial' AND PerennialStage = 'search'` })) if (workflowId.startsWith(`trial/${runId}/`)) found.push(`${workflowId} ${status.name}`);
      const open = found.some((execution) => execution.endsWith('RUNNING'));
      if ((found.length >= count && !open) || Date.now() > until) return found.sort();
    }
  } finally {
    await connection.close();
  }
};
