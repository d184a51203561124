import { describe, expect, it } from 'vitest';
import { createGatewayControl } from '../../../adapters/postgres/gateway-control.ts';
import { createMonitorWindows } from '../../../adapters/postgres/monitor-windows.ts';
import { createRunLedger } from '../../../adapters/postgres/run-ledger.ts';
import type { MonitorWindow } from '../../../contracts/monitor.ts';
import type { AttemptUse } from '../../../contracts/resources.ts';
import { databasePerTest } from '../../support/database-per-test.ts';
import type { TestDatabase } from '../../support/database.ts';
import { columnDrift, stepContext } from '../../support/fakes.ts';

let test: TestDatabase;
databasePerTest((fresh) => void (test = fresh));

const use = (attempt: number, changes: Partial<AttemptUse> = {}): AttemptUse => ({
  attempt, waitingSeconds: 0.25, durationSeconds: 12.5, cpuSeconds: 20.125, memoryGibSeconds: 3.5, peakMemoryBytes: 5_000_000_000, gpuSeconds: 0, gpuPeakMemoryBytes: 0, storedBytes: 7, ...changes,
});
const rows = () => test.database.selectFrom('step_resources').selectAll().orderBy('attempt').execute();
const failure = { code: 'TrainerCrashed', message: 'killed', fix: 'again' };

describe('the account of an attempt', () => {
  it('is written with the end of the step, once per attempt', async () => {
    const ledger = createRunLedger(test);
    const context = stepContext({ step: 'train', pool: 'cpu' });
    await ledger.startStep(context, { number: 1, worker: 'w', input: null });
    await ledger.failStep(context, failure, 'failed', use(1));
    await ledger.startStep(context, { number: 2, worker: 'w', input: null });
    for (const cpuSeconds of [1, 2]) await ledger.finishStep(context, { done: true }, use(2, { cpuSeconds }));
    expect(await rows()).toMatchObject([
      { run_id: 'flights.r1', step: 'train', attempt: 1, outcome: 'failed', pipeline: 'flights', model: 'flights', pool: 'cpu', cpu_seconds: 20.125, peak_memory_bytes: 5_000_000_000, waiting_seconds: 0.25 },
      { attempt: 2, outcome: 'succeeded', cpu_seconds: 2 },
    ]);
  });

  it('is written too with the step that ends the run, and is not needed', async () => {
    const ledger = createRunLedger(test);
    const last = stepContext({ step: 's1', model: undefined, finishesRun: { kind: 'succeeded' } });
    await ledger.finishStep(last, { done: true }, use(1));
    await ledger.finishStep(stepContext({ step: 's2' }), { done: true });
    await ledger.failStep(stepContext({ step: 's3' }), failure, 'cancelled');
    expect(await rows()).toMatchObject([{ step: 's1', model: null }]);
    expect(await test.database.selectFrom('runs').select('state').executeTakeFirst()).toEqual({ state: 'succeeded' });
  });
});

describe('what serving used', () => {
  it('is absolute for a gateway process and a day', async () => {
    const control = createGatewayControl(test);
    const gateway = { gatewayId: 'gateway-1', incarnation: 'a' };
    const resources = { model: 'flights', version: 2, day: '2026-05-01', cpuSeconds: 1.5, memoryGibSeconds: 2, peakMemoryBytes: 3 };
    await control.writeResources(gateway, [resources]);
    await control.writeResources(gateway, [{ ...resources, cpuSeconds: 4 }, { ...resources, day: '2026-05-02' }]);
    await control.writeResources({ ...gateway, incarnation: 'b' }, [resources]);
    await control.writeResources(gateway, []);
    const found = await test.database.selectFrom('serving_resources').select(['incarnation', 'cpu_seconds']).orderBy('incarnation').orderBy('day').execute();
    expect(found).toEqual([{ incarnation: 'a', cpu_seconds: 4 }, { incarnation: 'a', cpu_seconds: 1.5 }, { incarnation: 'b', cpu_seconds: 1.5 }]);
  });
});

describe('histograms of windows', () => {
  const window = (number: number): MonitorWindow => ({
    window: number, version: 1, from: '2026-05-01T00:00:00.000Z', to: '2026-05-01T01:00:00.000Z', rows: 10, labelled: 0, driftScore: 0, drifted: false,
    columns: [columnDrift('x', 0.3)], prediction: null, quality: null, judgedQuality: null, qualityDropped: false,
  });
  const histogram = { column: 'x', type: 'numeric' as const, bins: [{ label: 'all', reference: 1, current: 2 }] };
  it('are kept of the newest windows', async () => {
    const windows = createMonitorWindows(test.database);
    for (const number of [0, 1, 60]) await windows.save('flights', window(number), { histograms: [histogram] });
    await windows.save('flights', window(60), { histograms: [{ ...histogram, bins: [] }] });
    const kept = await test.database.selectFrom('monitor_histograms').select(['window_number', 'histograms']).execute();
    expect(kept).toEqual([{ window_number: 60, histograms: [{ ...histogram, bins: [] }] }]);
  });
  it('of very many columns are kept of the drifted ones first', async () => {
    const windows = createMonitorWindows(test.database);
    await windows.save('flights', window(0), { histograms: [...Array.from({ length: 400 }, (_, index) => ({ ...histogram, column: `c${index}` })), histogram] });
    const [row] = await test.database.selectFrom('monitor_histograms').select('histograms').execute();
    expect((row?.histograms as unknown[]).length).toBe(200);
    expect(row?.histograms).toMatchObject([{ column: 'x' }, { column: 'c0' }, ...new Array(198).fill({})]);
  });
});
