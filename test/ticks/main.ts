/** `npm run test:ticks -- --ticks 100000 [--monitors 20]`: ends with one line of JSON, and non-zero when a promise was broken. */
import { parseArgs } from 'node:util';
import { startEnvironment } from '../workflows/support/environment.ts';
import { runTicks } from '../workflows/support/ticks.ts';

const LONGEST_HISTORY = 10_000;

const { values } = parseArgs({ args: process.argv.slice(2), options: { ticks: { type: 'string', default: '100000' }, monitors: { type: 'string', default: '20' } } });
const wholeNumber = (name: string, text: string): number => {
  if (!/^[1-9]\d{0,7}$/.test(text)) throw new Error(`--${name} is "${text}": give a whole number from 1`);
  return Number(text);
};

const environment = await startEnvironment();
try {
  const beganAt = performance.now();
  const report = await runTicks(environment, { ticks: wholeNumber('ticks', values.ticks), monitors: wholeNumber('monitors', values.monitors) });
  const isKept = report.longestHistory < LONGEST_HISTORY && report.gaps === 0 && report.ledgerRows === report.findings && report.signalsSeen === report.signalsSent;
  console.log(JSON.stringify({ ...report, seconds: Math.round((performance.now() - beganAt) / 1_000), kept: isKept }));
  process.exitCode = isKept ? 0 : 1;
} finally {
  await environment.stop();
}
