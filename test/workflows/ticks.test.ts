import { afterAll, beforeAll, expect, it } from 'vitest';
import { startEnvironment, type Environment } from './support/environment.ts';
import { runTicks } from './support/ticks.ts';

let environment: Environment;
beforeAll(async () => {
  environment = await startEnvironment();
});
afterAll(() => environment.stop());

it('3,000 ticks keep histories short, and lose neither window nor signal', async () => {
  const report = await runTicks(environment, { ticks: 3_000, monitors: 6 });
  expect(report.ticks).toBeGreaterThanOrEqual(3_000);
  expect(report.longestHistory).toBeLessThan(10_000);
  expect(report.executions).toBeGreaterThanOrEqual(6 * 3 + 6);
  expect(report.gaps).toBe(0);
  expect(report.findings).toBeGreaterThanOrEqual(300);
  expect(report.ledgerRows).toBe(report.findings);
  expect(report.signalsSent).toBeGreaterThanOrEqual(100);
  expect(report.signalsSeen).toBe(report.signalsSent);
});
