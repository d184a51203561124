import { describe, expect, it } from 'vitest';
import { createMonitorWindows } from '../../../adapters/postgres/monitor-windows.ts';
import { createPipelines } from '../../../adapters/postgres/pipelines.ts';
import { createRetrains } from '../../../adapters/postgres/retrains.ts';
import { createScheduleRows } from '../../../adapters/postgres/schedules.ts';
import { createTriggerLedger } from '../../../adapters/postgres/trigger-ledger.ts';
import { createWorkerLeases } from '../../../adapters/postgres/worker-leases.ts';
import { readReasons } from '../../../api/runs/run-rows.ts';
import type { MonitorWindow } from '../../../contracts/monitor.ts';
import type { TriggerOutcome } from '../../../contracts/trigger.ts';
import { PerennialFailure } from '../../../domain/failure.ts';
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

describe('where a trigger led', () => {
  it('is the run, through what took it in, or not decided yet', async () => {
    const ledger = createTriggerLedger(test.database);
    const decide = (id: string, outcome: TriggerOutcome) => ({ trigger: { id, kind: 'schedule' as const, reason: 'r', at: '2026-01-01T00:00:00Z', source: 's' }, outcome });
    await ledger.record('flights', [
      decide('a', { outcome: 'ran', runId: 'flights.r1' }),
      decide('b', { outcome: 'coalesced', into: 'flights.r1' }),
      decide('c', { outcome: 'coalesced', into: 'schedule/flights/x/1' }),
      decide('d', { outcome: 'coalesced', into: 'event/2' }),
      decide('event/2', { outcome: 'rejected', reason: 'the budget' }),
      decide('e', { outcome: 'coalesced', into: 'a' }),
    ]);
    const led = (id: string) => ledger.resolve('flights', id);
    expect(await led('a')).toEqual({ kind: 'run', runId: 'flights.r1', own: true });
    expect(await led('b')).toEqual({ kind: 'run', runId: 'flights.r1', own: false });
    expect(await led('c')).toEqual({ kind: 'pending' });
    expect(await led('d')).toEqual({ kind: 'rejected', reason: 'the budget' });
    expect(await led('e')).toEqual({ kind: 'run', runId: 'flights.r1', own: false });
    expect(await led('unknown')).toEqual({ kind: 'pending' });
    expect(await ledger.resolve('taxis', 'a')).toEqual({ kind: 'pending' });
  });
});

describe('the reasons of a run', () => {
  it('are those of the trigger that started it, and of all that were coalesced into it or into that', async () => {
    const ledger = createTriggerLedger(test.database);
    const decide = (id: string, reason: string, outcome: TriggerOutcome) => ({ trigger: { id, kind: 'drift' as const, reason, at: '2026-01-01T00:00:00Z', source: 's', quality: 'unknown' as const }, outcome });
    await ledger.record('flights', [
      decide('queued', 'new data', { outcome: 'ran', runId: 'flights.r1' }),
      decide('before', 'more data', { outcome: 'coalesced', into: 'queued' }),
      ...Array.from({ length: 999 }, (_, index) => decide(`storm-${index}`, 'a storm', { outcome: 'coalesced', into: 'flights.r1' })),
      decide('other', 'a storm', { outcome: 'coalesced', into: 'flights.r2' }),
    ]);
    await ledger.record('taxis', [decide('t', 'not ours', { outcome: 'coalesced', into: 'queued' })]);
    const reasons = await readReasons(test.pool, 'flights.r1');
    expect(reasons.map(({ reason, events, started }) => [reason, events, started])).toEqual([['new data', 1, true], ['a storm', 999, false], ['more data', 1, false]]);
    expect(await readReasons(test.pool, 'flights.none')).toEqual([]);
  });
});

describe('what the ledger weighs', () => {
  const run = (id: string, changes: object = {}) =>
    test.database.insertInto('runs').values({ run_id: id, pipeline: 'flights', pipeline_version: 1, model: 'delays', workflow_id: `run/flights/${id}`, trigger: '{}', state: 'running', ...changes }).execute();
  const ago = (seconds: number): Date => new Date(Date.now() - seconds * 1_000);

  it('is what is open of the pipeline and its model, and what training took within the period', async () => {
    const retrains = createRetrains(test.database);
    await run('flights.open');
    await run('taxis.open', { pipeline: 'taxis' });
    await run('taxis.other', { pipeline: 'taxis', model: 'fares' });
    await run('flights.old', { state: 'succeeded', started_at: ago(7_200), finished_at: ago(3_600) });
    const train = (id: string, seconds: number, state = 'succeeded') =>
      test.database.insertInto('run_steps').values({ run_id: id, step: 'train', position: 3, pool: 'cpu', state, started_at: ago(seconds), finished_at: ago(0) }).execute();
    await train('flights.open', 100);
    await train('taxis.open', 50);
    await train('taxis.other', 1_000);
    await train('flights.old', 500);
    expect(await retrains.facts({ pipeline: 'flights', model: 'delays' })).toEqual({ openRuns: expect.arrayContaining(['flights.open', 'taxis.open']) });
    const hour = await retrains.facts({ pipeline: 'flights', model: 'delays', periodSeconds: 3_600 });
    expect(hour.spent?.runs).toBe(2);
    expect(hour.spent?.trainSeconds).toBeCloseTo(150, 0);
    expect((await retrains.facts({ pipeline: 'flights', model: 'delays', periodSeconds: 86_400 })).spent?.runs).toBe(3);
    expect(await retrains.facts({ pipeline: 'nowhere' })).toEqual({ openRuns: [] });
  });

  it('counts the retrains that did not beat the champion, each once', async () => {
    const retrains = createRetrains(test.database);
    await test.database.insertInto('registered_models').values({ name: 'delays' }).execute();
    const record = async (id: string, state: string) => {
      await run(id, { state });
      return retrains.record({ pipeline: 'flights', runId: id, limit: 2 });
    };
    expect(await record('flights.r0', 'rejected')).toMatchObject({ verdict: 'undecided', unbeaten: 0 });
    const version = { model: 'delays', version: 1, run_id: 'x', artifact: '{}', model_sha256: 'h', signature: '{}', metrics: '{}', evaluation: '{}', gates: '[]', lineage: '{}' };
    await test.database.insertInto('model_versions').values(version).execute();
    await test.database.insertInto('model_aliases').values({ model: 'delays', alias: 'champion', version: 1 }).execute();
    expect(await record('flights.r1', 'rejected')).toMatchObject({ verdict: 'unbeaten', unbeaten: 1, isDue: false });
    expect(await record('flights.r2', 'failed')).toMatchObject({ verdict: 'undecided', unbeaten: 1 });
    expect(await record('flights.r3', 'rolledBack')).toMatchObject({ unbeaten: 2, isDue: true });
    const again = await Promise.all(Array.from({ length: 4 }, () => retrains.record({ pipeline: 'flights', runId: 'flights.r3', limit: 2 })));
    expect(again.map((standing) => standing?.unbeaten)).toEqual([2, 2, 2, 2]);
    expect(await record('flights.r4', 'succeeded')).toMatchObject({ verdict: 'promoted', unbeaten: 0, isDue: false });
    expect(await record('flights.r5', 'running')).toBeNull();
    expect(await retrains.record({ pipeline: 'flights', runId: 'flights.gone', limit: 2 })).toBeNull();
  });
});

describe('schedules that are wished for', () => {
  const wish = (changes: object = {}) =>
    test.database.insertInto('schedules').values({ pipeline: 'flights', name: 'nightly', spec: '{"cron":"@daily"}', origin: 'pipeline', created_by: 'test', updated_at: new Date(Date.now() - 60_000), ...changes }).execute();
  const key = { pipeline: 'flights', name: 'nightly' };

  it('are unsynced until Temporal has them, by one at a time, and a refused one rests', async () => {
    const rows = createScheduleRows(test.database);
    await test.database.insertInto('pipelines').values({ name: 'flights', current_version: 1 }).execute();
    await wish();
    expect(await rows.unsynced(10)).toEqual([key]);
    await expect(rows.sync(key, async () => Promise.reject(new PerennialFailure('ScheduleInvalid', 'no such zone')))).rejects.toThrow('no such zone');
    expect(await rows.unsynced(10)).toEqual([]);
    expect(await test.database.selectFrom('schedules').select(['sync_error', 'synced_revision']).execute()).toEqual([{ sync_error: 'no such zone', synced_revision: null }]);
    let [working, most] = [0, 0];
    const work = async (): Promise<void> => {
      working += 1;
      most = Math.max(most, working);
      await new Promise((resolve) => setTimeout(resolve, 20));
      working -= 1;
    };
    await Promise.all(Array.from({ length: 4 }, () => rows.sync(key, work)));
    expect(most).toBe(1);
    expect(await rows.unsynced(10)).toEqual([]);
    await test.database.updateTable('schedules').set({ deleted: true }).execute();
    expect(await rows.unsynced(10)).toEqual([key]);
    const wishes: unknown[] = [];
    for (let time = 0; time < 2; time += 1) await rows.sync(key, async (wished) => void wishes.push(wished));
    expect(wishes).toEqual([null]);
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
