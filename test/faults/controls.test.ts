/**
 * Negative controls: a system that is broken on purpose in two ways must not pass the checker. Its workflows have no undo, and its database
 * does not know that a promotion happens once, while the worker dies between a promotion's commit and its answer.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStack, type Stack } from '../../deploy/local/stack.ts';
import { bundleTwin, replaceOnce } from '../support/twin-bundle.ts';
import type { Violation } from './invariants.ts';
import { arrivalsOf, smallLifecycle } from './scales.ts';
import { runTrial } from './suite.ts';

const withoutUndo = { file: 'rollout.ts', change: replaceOnce('.restoreTraffic(request)', ".monitorSpecOf({ model: request.model, version: 1 }).then(() => ({ generation: 0 }))") };

const bundleFile = async (home: string): Promise<string> => {
  const file = join(home, 'workflow-bundle-without-undo.js');
  writeFileSync(file, (await bundleTwin([withoutUndo])).code);
  return file;
};

const dropConstraint = async ({ urls }: Stack): Promise<void> => {
  const client = new pg.Client({ connectionString: urls.postgres });
  await client.connect();
  await client.query('alter table promotions drop constraint promotions_once');
  await client.end();
};

describe('a system that is broken on purpose', () => {
  let stack: Stack;
  let violations: Violation[];

  beforeAll(async () => {
    const home = mkdtempSync(join(tmpdir(), 'perennial-controls-'));
    const arrivals = arrivalsOf(home);
    const environment = { PERENNIAL_SOURCE_ROOTS: arrivals, PERENNIAL_WORKFLOW_BUNDLE: await bundleFile(home), PERENNIAL_FAULT_POINTS: 'promote.after-commit' };
    stack = await startStack({ home, ports: 'free', pools: ['workflows', 'data', 'cpu', 'gpu'], environment, readyMs: 120_000 });
    await dropConstraint(stack);
    const { rows, pipelinesOf } = await smallLifecycle(arrivals);
    const options = { stack, seed: 0, trials: 1, withinMs: 0, runBoundMs: 180_000, settleMs: 8_000, perSecond: 60, rows, pipelinesOf };
    ({ violations } = await runTrial(options, 1, null));
  }, 400_000);

  afterAll(() => stack.stop({ graceMs: 5_000, removeHome: true }), 60_000);

  it('without the undo: traffic is left with a version that was taken back', () => {
    expect(violations).toContainEqual({ invariant: 'I5', what: 'fault-0-1 does not serve its champion alone in the end' });
  });

  it('without the constraint on promotions: one promotion is counted twice', () => {
    expect(violations).toContainEqual({ invariant: 'I2', what: 'fault-0-1 1 was promoted 2 times by one request' });
  });

  it('nothing else is found', () => {
    expect(violations.filter(({ invariant }) => invariant !== 'I5' && invariant !== 'I2')).toEqual([]);
  });
});
