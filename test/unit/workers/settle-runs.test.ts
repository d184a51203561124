import { expect, it } from 'vitest';
import type { RunEnd } from '../../../domain/alerts.ts';
import { createLogger } from '../../../workers/logger.ts';
import { settleRuns, type SettlementPorts } from '../../../workers/settle-runs.ts';
import { memoryArtifactStore } from '../../support/fakes.ts';

type Row = Awaited<ReturnType<SettlementPorts['ledger']['unsettledRuns']>>[number];

const failure = { code: 'NoWorkerInPool', message: 'nobody came', fix: 'start one' };

const settle = async (row: Row, end: { state: 'failed' | 'cancelled' | 'succeeded' | 'terminated' }, reportEnd: (end: RunEnd) => Promise<void>) => {
  const settled: string[] = [];
  const ledger = { unsettledRuns: async () => [row], settleRun: async (runId: string) => void settled.push(runId) } as unknown as SettlementPorts['ledger'];
  const closedRun = async () => ({ end: end.state === 'failed' ? { ...end, failure } : end, history: '{}', events: 3 });
  const logger = createLogger({ logLevel: 'silent', pool: 'workflows' });
  await settleRuns({ ledger, artifacts: memoryArtifactStore(), closedRun, reportEnd }, logger);
  return settled;
};

const row = (state: Row['state']): Row => ({ runId: 'flights.r1', workflowId: 'run/flights/flights.r1', state });

it('a failed or terminated run whose end could not be written is reported here, and only those', async () => {
  const reported: RunEnd[] = [];
  const report = async (end: RunEnd): Promise<void> => void reported.push(end);
  expect(await settle(row('running'), { state: 'failed' }, report)).toEqual(['flights.r1']);
  expect(reported).toEqual([{ pipeline: 'flights', runId: 'flights.r1', state: 'failed', failure }]);
  await settle(row('failed'), { state: 'failed' }, report);
  await settle(row('running'), { state: 'cancelled' }, report);
  await settle(row('running'), { state: 'succeeded' }, report);
  expect(reported.length).toBe(1);
  await settle(row('running'), { state: 'terminated' }, report);
  expect(reported.at(-1)).toMatchObject({ state: 'terminated' });
});

it('a report that fails is made again before the run counts as settled', async () => {
  expect(await settle(row('running'), { state: 'failed' }, async () => Promise.reject(new Error('away')))).toEqual([]);
});
