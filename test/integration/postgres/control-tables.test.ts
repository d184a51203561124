import { describe, expect, it } from 'vitest';
import { createMonitorWindows } from '../../../adapters/postgres/monitor-windows.ts';
import { createPipelines } from '../../../adapters/postgres/pipelines.ts';
import { createTriggerLedger } from '../../../adapters/postgres/trigger-ledger.ts';
import { createWorkerLeases } from '../../../adapters/postgres/worker-leases.ts';
import type { MonitorWindow } from '../../../contracts/monitor.ts';
import type { TriggerOutcome } from '../../../contracts/trigger.ts';
import { databasePerTest } from '../../support/database-per-test.ts';
import type { TestDatabase } from '../../support/database.ts';

let test: TestDatabase;

databasePerTest((fresh) => {
  test = fresh;
});

describe('the trigger ledger', () => {
  it('gives an event one outcome, the first, also when two write at once', async () => {
    const ledger = createTriggerLedger(test.database);
    const decide = (id: string, outcome: TriggerOutcome) => ({ trigger: { id, kind: 'drift' as const, reason: 'r', at: '2026-01-01T00:00:00Z', source: 'monitor/flights' }, outcome });
    await ledger.record('flights', []);
    await Promise.all(Array.from({ length: 8 }, (_, index) => ledger.record('flights', [decide('t1', { outcome: 'ran', runId: `flights.r${index}` })])));
    await ledger.record('flights', [decide('t1', { outcome: 'rejected', reason: 'late' }), decide('t2', { outcome: 'coalesced', into: 'flights.r1' }), decide('t3', { outcome: 'rejected', reason: 'cool-down' })]);
    const rows = await test.database.selectFrom('triggers').select(['trigger_id', 'outcome', 'coalesced_into', 'rejection']).orderBy('trigger_id').execute();
    expect(rows).toEqual([
      { trigger_id: 't1', outcome: 'ran', coalesced_into: null, rejection: null },
      { trigger_id: 't2', outcome: 'coalesced', coalesced_into: 'flights.r1', rejection: null },
      { trigger_id: 't3', outcome: 'rejected', coalesced_into: null, rejection: 'cool-down' },
    ]);
  });
});

describe('leases', () => {
  it('count per pool while they are renewed, by the clock of the database', async () => {
    const leases = createWorkerLeases(test.database);
    const worker = (workerId: string, pool: string, leaseMs = 60_000) => ({ workerId, pool, pid: 1, host: 'h', leaseMs });
    await leases.renew(worker('a', 'data'));
    await leases.renew(worker('a', 'data'));
    await leases.renew(worker('b', 'data'));
    await leases.renew(worker('c', 'gpu', 1));
    await expect.poll(() => leases.live(), { timeout: 5_000 }).toEqual({ data: 2 });
    await leases.renew(worker('c', 'gpu'));
    await leases.release('a');
    expect(await leases.live()).toEqual({ data: 1, gpu: 1 });
  });
});

describe('pipelines', () => {
  it('are read in their current and in older versions', async () => {
    await test.database.insertInto('pipelines').values({ name: 'flights', current_version: 2 }).execute();
    for (const version of [1, 2]) {
      const spec = JSON.stringify({ kind: 'steps', name: 'flights', description: `v${version}` });
      await test.database.insertInto('pipeline_versions').values({ pipeline: 'flights', version, spec, spec_hash: 'h', created_by: 'test' }).execute();
    }
    const pipelines = createPipelines(test.database);
    expect(await pipelines.current('flights')).toMatchObject({ version: 2, spec: { description: 'v2' } });
    expect(await pipelines.version('flights', 1)).toMatchObject({ description: 'v1' });
    expect(await pipelines.version('flights', 3)).toBeUndefined();
    expect(await pipelines.current('taxis')).toBeUndefined();
  });
});

describe('monitor windows that wait for labels', () => {
  const window = (number: number, labelled: number): MonitorWindow => ({
    window: number, version: 1, from: '2026-01-01T00:00:00Z', to: '2026-01-01T00:01:00Z', rows: 10, labelled,
    driftScore: 0, drifted: false, columns: [], prediction: null, quality: null, judgedQuality: null, qualityDropped: false,
  });
  const label = (inferenceId: string, receivedAt: Date) =>
    test.database.insertInto('labels').values({ model: 'flights', inference_id: inferenceId, label: 1, received_at: receivedAt }).execute();

  it('are those that lack labels, after some came, the one judged longest ago first', async () => {
    const windows = createMonitorWindows(test.database);
    for (const number of [0, 1, 2]) await windows.save('flights', window(number, number === 1 ? 10 : 3));
    expect(await windows.awaitingLabels('flights', 1, 10)).toEqual([]);
    await label('i1', new Date());
    expect(await windows.awaitingLabels('flights', 1, 1)).toEqual([0]);
    await windows.save('flights', window(0, 4));
    expect(await windows.awaitingLabels('flights', 1, 1)).toEqual([2]);
    expect(await windows.awaitingLabels('flights', 1, 10)).toEqual([0, 2]);
    expect(await windows.awaitingLabels('flights', 2, 10)).toEqual([]);
  });

  it('are asked for again when their judgement was not saved', async () => {
    const windows = createMonitorWindows(test.database);
    await windows.save('flights', window(0, 3));
    await label('i1', new Date(Date.now() - 3_600_000));
    expect(await windows.awaitingLabels('flights', 1, 10)).toEqual([0]);
    expect(await windows.awaitingLabels('flights', 1, 10)).toEqual([0]);
    await windows.save('flights', window(0, 4));
    expect(await windows.awaitingLabels('flights', 1, 10)).toEqual([]);
  });
});
