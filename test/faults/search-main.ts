/**
 * `npm run test:search-faults -- [--trials 50] [--parallel 4] [--sampler tpe]`: one search undisturbed, and the same one with every process killed at a quarter, at half and
 * at three quarters of its trials. Both must have made each trial once, with the same parameters and values, and found the same best.
 * Ends with one line, `N passed, N failed`.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stopWhenInterrupted } from '../../deploy/local/end-signals.ts';
import { startStack, type Stack } from '../../deploy/local/stack.ts';
import { createApiClient } from '../../examples/flight-delays/demo/api-client.ts';
import { awaitSearch, searchPipeline, trialExecutions, type SearchScale, type Trials } from './search-trials.ts';

const BOUND_MS = 3_600_000;
const VICTIMS = ['worker-workflows', 'worker-data', 'worker-cpu', 'api', 'postgres', 'temporal'];

const { values } = parseArgs({ options: { trials: { type: 'string', default: '50' }, parallel: { type: 'string', default: '4' }, sampler: { type: 'string', default: 'tpe' } } });

const say = (line: string): void => console.log(`${new Date().toISOString().slice(11, 19)}  ${line}`);

type Ran = Trials & { executions: string[]; kills: number; seconds: number };

const killAll = (stack: Stack): number => {
  const alive = VICTIMS.filter((victim) => stack.processes.pid(victim) !== undefined);
  alive.forEach((victim) => stack.processes.kill(victim));
  return alive.length;
};

const runSearch = async (stack: Stack, { name, scale, killsAt }: { name: string; scale: SearchScale; killsAt: number[] }): Promise<Ran> => {
  const startedAt = Date.now();
  const api = createApiClient({ url: stack.urls.api, apiKey: stack.adminKey!, patienceMs: 120_000 });
  await api.put(`/pipelines/${name}`, searchPipeline(join(stack.config.home, 'arrivals'), name, scale));
  const { runId } = await api.post<{ runId: string }>(`/pipelines/${name}/runs`, {}, name);
  const due = [...killsAt];
  let kills = 0;
  const onProgress = async (ended: number): Promise<void> => {
    if (due.length === 0 || ended < due[0]!) return;
    due.shift();
    kills += killAll(stack);
    say(`${name}: ${ended} trials had ended; every process killed`);
  };
  const run = await awaitSearch(api, runId, { boundMs: BOUND_MS, onProgress });
  say(`${name}: ${run.state} after ${Math.round((Date.now() - startedAt) / 1_000)} s`);
  const trials = await api.get<Trials>(`/runs/${runId}/trials`);
  return { ...trials, executions: await trialExecutions(stack, runId, scale.trials), kills, seconds: (Date.now() - startedAt) / 1_000 };
};

const checksOf = (quiet: Ran, disturbed: Ran, count: number): [string, boolean][] => {
  const numbers = Array.from({ length: count }, (_, number) => number);
  const told = ({ trials }: Ran): string => JSON.stringify(trials.map(({ number, state, params, value }) => ({ number, state, params, value })));
  const each = ({ trials }: Ran): boolean => JSON.stringify(trials.map(({ number }) => number)) === JSON.stringify(numbers);
  const once = ({ executions }: Ran): boolean => executions.length === count && new Set(executions.map((execution) => execution.split(' ')[0])).size === count;
  return [
    [`the undisturbed search has exactly ${count} trial ids`, each(quiet)],
    [`the disturbed search has exactly ${count} trial ids`, each(disturbed)],
    ['each trial of the disturbed search is one execution of a workflow', once(disturbed)],
    ['every process was killed three times', disturbed.kills === 3 * VICTIMS.length],
    ['the trials have the same parameters, ends and values', told(quiet) === told(disturbed)],
    [`the best is the same: trial ${quiet.best} and ${disturbed.best}`, quiet.best !== null && quiet.best === disturbed.best],
  ];
};

const main = async (): Promise<void> => {
  const scale = { trials: Number(values.trials), parallel: Number(values.parallel), sampler: values.sampler, rounds: 8 };
  const home = mkdtempSync(join(tmpdir(), 'perennial-search-faults-'));
  const stack = await startStack({ home, ports: 'free', gateways: 0, pools: ['workflows', 'data', 'cpu'], environment: { PERENNIAL_SOURCE_ROOTS: join(home, 'arrivals') }, readyMs: 180_000 });
  const forget = stopWhenInterrupted(stack);
  try {
    const quiet = await runSearch(stack, { name: 'quiet', scale, killsAt: [] });
    const disturbed = await runSearch(stack, { name: 'disturbed', scale, killsAt: [0.25, 0.5, 0.75].map((share) => Math.round(share * scale.trials)) });
    const checks = checksOf(quiet, disturbed, scale.trials);
    for (const [what, holds] of checks) say(`${holds ? '✓' : '✗'} ${what}`);
    const failed = checks.filter(([, holds]) => !holds).length;
    console.log(`${checks.length - failed} passed, ${failed} failed`);
    process.exitCode = failed === 0 ? 0 : 1;
  } finally {
    forget();
    await stack.stop({ graceMs: 5_000, removeHome: true });
  }
};

await main();
