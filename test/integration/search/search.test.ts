/** A hyper-parameter search on the real system, whose workers are killed while it runs. */
import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startStack, type Stack } from '../../../deploy/local/stack.ts';
import { createApiClient, type ApiClient } from '../../../examples/flight-delays/demo/api-client.ts';
import type { SearchOutcome } from '../../../contracts/search.ts';
import { awaitSearch, searchPipeline, trialExecutions, type RunView, type Trials } from '../../faults/search-trials.ts';

const TRIALS = 6;

let stack: Stack;
let api: ApiClient;
let arrivals: string;

beforeAll(async () => {
  const home = mkdtempSync(join(tmpdir(), 'perennial-search-'));
  arrivals = join(home, 'arrivals');
  stack = await startStack({ home, ports: 'free', gateways: 0, pools: ['workflows', 'data', 'cpu'], environment: { PERENNIAL_SOURCE_ROOTS: arrivals }, readyMs: 120_000 });
  api = createApiClient({ url: stack.urls.api, apiKey: stack.adminKey!, patienceMs: 60_000 });
}, 200_000);

afterAll(() => stack.stop({ graceMs: 5_000, removeHome: true }), 60_000);

const stepOf = (run: RunView, name: string) => run.steps.find((step) => step.name === name)!;

it('makes each trial once though every worker is killed, and trains with the best', { timeout: 300_000 }, async () => {
  await api.put('/pipelines/searched', searchPipeline(arrivals, 'searched', { trials: TRIALS, parallel: 2, sampler: 'random', pruner: 'asha', rounds: 16 }));
  const { runId } = await api.post<{ runId: string }>('/pipelines/searched/runs', {}, 'first');
  // All at one moment: what is lost of their work is noticed by its silence, 30 s later.
  const victims = ['worker-workflows', 'worker-cpu', 'worker-data'];
  let killed = false;
  const onProgress = async (ended: number): Promise<void> => {
    if (killed || ended < 2) return;
    killed = true;
    victims.forEach((victim) => stack.processes.kill(victim));
  };
  const run = await awaitSearch(api, runId, { boundMs: 280_000, onProgress });
  expect({ state: run.state, failure: run.failure, killed }).toEqual({ state: 'rejected', failure: null, killed: true });

  const { trials, best, metric, planned } = await api.get<Trials>(`/runs/${runId}/trials`);
  expect({ metric, planned, numbers: trials.map(({ number }) => number) }).toEqual({ metric: 'logLoss', planned: TRIALS, numbers: [0, 1, 2, 3, 4, 5] });
  expect(trials.every(({ state }) => state === 'succeeded' || state === 'pruned')).toBe(true);
  const succeeded = trials.filter(({ state }) => state === 'succeeded');
  const least = succeeded.reduce((first, second) => (second.value! < first.value! ? second : first));
  expect(best).toBe(least.number);
  expect(trials.some(({ reports }) => reports.length > 0)).toBe(true);

  const outcome = stepOf(run, 'search').output as SearchOutcome;
  expect(outcome).toMatchObject({ trials: TRIALS, succeeded: succeeded.length, pruned: TRIALS - succeeded.length, best: { trial: least.number, value: least.value, params: least.params } });
  expect(outcome.rows.fitRows).toBeGreaterThan(outcome.rows.validationRows);
  expect((stepOf(run, 'train').input as { train: { params: object } }).train.params).toEqual({ num_iterations: 16, min_data_in_leaf: 100, bagging_freq: 1, ...least.params });

  const executions = await trialExecutions(stack, runId, TRIALS);
  expect(executions).toEqual(trials.map(({ number, state }) => `trial/${runId}/${number} ${state === 'succeeded' ? 'COMPLETED' : 'CANCELLED'}`));

  const environment = { ...process.env, PERENNIAL_URL: stack.urls.api, PERENNIAL_API_KEY: stack.adminKey! };
  const { stdout } = await promisify(execFile)(process.execPath, ['cli/perennial.mjs', 'run', 'trials', runId], { env: environment });
  expect(stdout).toContain(`6 of 6 trials, by logLoss; best: trial ${least.number}`);
  expect(stdout).toContain('num_leaves=');
});
