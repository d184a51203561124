/** A fault trial: one lifecycle, one random kill, then the checker; and a row of trials on one stack. */
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { createArtifactStore } from '../../adapters/objectstore/index.ts';
import type { Stack } from '../../deploy/local/stack.ts';
import type { LabelledRow } from '../../examples/flight-delays/demo/traffic.ts';
import { disturb, planDisturbance, type Disturbance } from './chaos.ts';
import { seededRandom } from '../../domain/random.ts';
import { checkInvariants, type CheckerSystems, type Violation } from './invariants.ts';
import { runLifecycle, type LifecycleResult } from './lifecycle.ts';
import { leftovers } from './leftovers.ts';

export type TrialResult = {
  trial: number;
  disturbance: Disturbance | null;
  struck: boolean;
  lifecycle: LifecycleResult;
  violations: Violation[];
};

export type SuiteOptions = {
  stack: Stack;
  seed: number;
  trials: number;
  /** How long an undisturbed lifecycle takes, in milliseconds: a kill falls in this time. */
  withinMs: number;
  runBoundMs: number;
  /** How long the checker may look until it is satisfied; default 45 s. */
  settleMs?: number;
  perSecond: number;
  rows: LabelledRow[];
  pipelinesOf: (name: string) => [unknown, unknown];
  log?: (line: string) => void;
};

const openSystems = async (stack: Stack): Promise<{ systems: CheckerSystems; close: () => Promise<void> }> => {
  const pool = new pg.Pool({ connectionString: stack.urls.postgres, max: 2 });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const connection = await Connection.connect({ address: stack.urls.temporal });
  const systems = { pool, artifacts: createArtifactStore(stack.config.artifactStore), temporal: new Client({ connection }) };
  return { systems, close: async () => void (await Promise.all([pool.end(), connection.close()])) };
};

const SETTLE_MS = 45_000;

/** The log ships and rows settle soon after, not at once: the checker looks again until it is satisfied or the bound is reached. */
const settledViolations = async (systems: CheckerSystems, { stack, settleMs = SETTLE_MS }: SuiteOptions, lifecycle: LifecycleResult, name: string): Promise<Violation[]> => {
  const evidence = { acceptedRuns: lifecycle.acceptedRuns, answeredInferences: lifecycle.answered.map(({ inferenceId }) => inferenceId), models: [name] };
  const until = Date.now() + settleMs;
  for (;;) {
    const violations = await checkInvariants(systems, evidence).catch((error: unknown) => [{ invariant: 'checker', what: String(error) }]);
    if (violations.length === 0 || Date.now() > until) return [...violations, ...(await leftovers(stack))];
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
};

/** The first run, the challenger's run, the rollout that the operator took back. */
const EXPECTED_ENDS = ['succeeded', 'succeeded', 'aborted'];

const clientViolations = ({ failed, failures, ends, sent }: LifecycleResult): Violation[] => [
  ...(failed === 0 ? [] : [{ invariant: 'clients', what: `${failed} of ${sent} requests failed, such as: ${failures[0]}` }]),
  ...(ends.join() === EXPECTED_ENDS.join() ? [] : [{ invariant: 'runs', what: `they ended ${ends.join(', ')}, not ${EXPECTED_ENDS.join(', ')}` }]),
];

/** Lifecycles without a kill measure the time; with one they are trials. Throws nothing for a violation: it is in the result. */
export const runTrials = async (options: SuiteOptions): Promise<TrialResult[]> => {
  const random = seededRandom(options.seed);
  const results: TrialResult[] = [];
  for (let trial = 1; trial <= options.trials; trial += 1) {
    const disturbance = planDisturbance(random, options.withinMs);
    results.push(await runTrial(options, trial, disturbance));
  }
  return results;
};

/** One trial; without a disturbance it is the measure of an undisturbed lifecycle. */
export const runTrial = async (options: SuiteOptions, trial: number, disturbance: Disturbance | null): Promise<TrialResult> => {
  const { stack, log = () => undefined } = options;
  const name = `fault-${options.seed}-${trial}`;
  const ended = new AbortController();
  const striking = disturbance === null ? Promise.resolve(false) : disturb(stack, disturbance, ended.signal);
  const { systems, close } = await openSystems(stack);
  try {
    const lifecycle = await runLifecycle({ stack, name, pipelines: options.pipelinesOf(name), rows: options.rows, perSecond: options.perSecond, runBoundMs: options.runBoundMs });
    ended.abort();
    const struck = await striking;
    const violations = [...clientViolations(lifecycle), ...(await settledViolations(systems, options, lifecycle, name))];
    const kill = disturbance === null ? 'no kill' : `${disturbance.victim} after ${disturbance.afterMs} ms${struck ? '' : ' (the trial had ended)'}`;
    log(`trial ${trial}: ${kill}; ${lifecycle.seconds.toFixed(1)} s; ${lifecycle.sent} requests, ${lifecycle.failed} failed; ${lifecycle.ends.join(', ')}; ${violations.length} violations`);
    for (const { invariant, what } of violations) log(`  ${invariant}: ${what}`);
    return { trial, disturbance, struck, lifecycle, violations };
  } finally {
    ended.abort();
    await close();
  }
};
