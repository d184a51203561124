/** Five trials of the fault suite on a small lifecycle. `npm run test:faults` runs more of them, on the full one. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStack, type Stack } from '../../deploy/local/stack.ts';
import { arrivalsOf, smallLifecycle } from './scales.ts';
import { runTrial, type SuiteOptions } from './suite.ts';
import { planDisturbance } from './chaos.ts';
import { seededRandom } from '../../domain/random.ts';

const SEED = 20_131;
const UNDISTURBED_MS = 25_000;

describe('a kill -9 of a random process at a random moment of a lifecycle', () => {
  let stack: Stack;
  let options: SuiteOptions;

  beforeAll(async () => {
    const home = mkdtempSync(join(tmpdir(), 'perennial-faults-'));
    const arrivals = arrivalsOf(home);
    stack = await startStack({ home, ports: 'free', pools: ['workflows', 'data', 'cpu', 'gpu'], environment: { PERENNIAL_SOURCE_ROOTS: arrivals }, readyMs: 120_000 });
    const { rows, pipelinesOf } = await smallLifecycle(arrivals);
    options = { stack, seed: SEED, trials: 5, withinMs: UNDISTURBED_MS, runBoundMs: 180_000, perSecond: 60, rows, pipelinesOf };
  }, 180_000);

  afterAll(() => stack.stop({ graceMs: 5_000, removeHome: true }), 60_000);

  const random = seededRandom(SEED);
  const disturbances = Array.from({ length: 5 }, () => planDisturbance(random, UNDISTURBED_MS));

  it.each(disturbances.map((disturbance, index) => ({ trial: index + 1, ...disturbance })))(
    'trial $trial: $victim after $afterMs ms loses nothing',
    async ({ trial, victim, afterMs }) => {
      const { violations } = await runTrial(options, trial, { victim, afterMs });
      expect(violations).toEqual([]);
    },
    400_000,
  );
});
