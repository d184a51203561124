/**
 * `npm run test:faults -- [--trials 20] [--seed 1] [--scale full|small]`: lifecycles on one stack, one random kill each.
 * Ends with one line, `N passed, N failed`; the seed makes the same kills again.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stopWhenInterrupted } from '../../deploy/local/end-signals.ts';
import { startStack } from '../../deploy/local/stack.ts';
import { arrivalsOf, fullLifecycle, smallLifecycle } from './scales.ts';
import { runTrial, runTrials, type SuiteOptions } from './suite.ts';

const { values } = parseArgs({ options: { trials: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' }, scale: { type: 'string', default: 'full' } } });

const whole = (name: string, text: string): number => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} must be a whole number from 1, not "${text}"`);
  return number;
};

const say = (line: string): void => console.log(`${new Date().toISOString().slice(11, 19)}  ${line}`);

const main = async (): Promise<void> => {
  const [trials, seed] = [whole('trials', values.trials), whole('seed', values.seed)];
  const home = mkdtempSync(join(tmpdir(), 'perennial-faults-'));
  const arrivals = arrivalsOf(home);
  const stack = await startStack({ home, ports: 'free', environment: { PERENNIAL_SOURCE_ROOTS: arrivals } });
  const forget = stopWhenInterrupted(stack);
  try {
    const { rows, pipelinesOf } = await (values.scale === 'small' ? smallLifecycle : fullLifecycle)(arrivals);
    const options: SuiteOptions = { stack, seed, trials, withinMs: 0, runBoundMs: 300_000, perSecond: 100, rows, pipelinesOf, log: say };
    say(`seed ${seed}, ${trials} trials, scale ${values.scale}; first an undisturbed lifecycle`);
    const quiet = await runTrial(options, 0, null);
    const results = await runTrials({ ...options, withinMs: quiet.lifecycle.seconds * 1_000 });
    const failed = [quiet, ...results].filter(({ violations }) => violations.length > 0).length;
    const requests = results.reduce((sum, { lifecycle }) => sum + lifecycle.sent, 0);
    say(`${results.filter(({ struck }) => struck).length} of ${trials} kills struck; ${requests} requests`);
    console.log(`${trials + 1 - failed} passed, ${failed} failed`);
    process.exitCode = failed === 0 ? 0 : 1;
  } finally {
    forget();
    await stack.stop({ graceMs: 5_000, removeHome: true });
  }
};

await main();
