/** Reports, costs and metrics of what is recorded, on a real database. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createMonitorWindows } from '../../../adapters/postgres/monitor-windows.ts';
import { createModelRegistry } from '../../../adapters/postgres/model-registry.ts';
import { createRunLedger } from '../../../adapters/postgres/run-ledger.ts';
import { createTriggerLedger } from '../../../adapters/postgres/trigger-ledger.ts';
import type { MonitorReport } from '../../../contracts/monitor-report.ts';
import { PriceTable } from '../../../contracts/resources.ts';
import { createTestApi, modelPipeline, unreachableTemporal, type TestApi } from '../../support/api.ts';
import { databasePerTest } from '../../support/database-per-test.ts';
import type { TestDatabase } from '../../support/database.ts';
import { registration, stepContext } from '../../support/fakes.ts';
import { attemptUse, columnDrift, driftWindow } from '../../support/monitoring.ts';

let test: TestDatabase;
let api: TestApi;
const prices = PriceTable.parse({ currency: 'EUR', cpuSecond: 0.001, gpuSecond: 1 });

databasePerTest(async (fresh) => {
  test = fresh;
  api = await createTestApi(fresh, await unreachableTemporal(), { prices });
});

const get = (url: string) => api.as('viewer', { method: 'GET', url });
const record = async (): Promise<void> => {
  await api.as('author', { method: 'PUT', url: '/api/v1/pipelines/flights', payload: modelPipeline('flights', { monitor: { drift: { columnThreshold: 0.25, shareThreshold: 0.4 } } }) });
  await createModelRegistry(test.database).registerVersion(registration('flights.r1'));
  const windows = createMonitorWindows(test.database);
  const histogram = { column: 'wind', type: 'numeric' as const, bins: [{ label: '≤ 1', reference: 10, current: 90 }] };
  for (const number of [0, 1]) await windows.save('flights', driftWindow(number, { quality: number === 0 ? 0.71 : null, labelled: number === 0 ? 600 : 0 }), { histograms: [histogram] });
  await windows.recordDecision('flights', 1, 1, 'drift: of wind');
  const at = '2026-05-01T02:30:00.000Z';
  const trigger = { id: 't1', kind: 'drift' as const, reason: 'drift score 0.5', at, source: 'monitor/flights' };
  await createTriggerLedger(test.database).record('flights', [
    { trigger, outcome: { outcome: 'ran', runId: 'flights.r2' } },
    { trigger: { ...trigger, id: 't2', at: '2026-05-01T02:31:00.000Z' }, outcome: { outcome: 'rejected', reason: 'cooling down' } },
  ]);
};

const openAlert = (): Promise<unknown> =>
  test.database
    .insertInto('alerts')
    .values({ alert_id: 'a1', model: 'flights', kind: 'drift', subject: 'champion', pipeline: 'flights', labels: '{}', state: 'escalated', reason: 'drift score 0.5', occurrences: 3, opened_by: 'o1', opened_at: '2026-05-01T02:00:00.000Z', revision: 2 })
    .execute();

describe('a report', () => {
  beforeEach(record);

  it('shows the newest window, drifted columns first, with thresholds of its pipeline', async () => {
    const { status, body } = await get('/api/v1/models/flights/monitor/report');
    expect(status).toBe(200);
    const report = body as MonitorReport;
    expect(report).toMatchObject({ model: 'flights', pipeline: 'flights', version: 1, metric: 'rocAuc', shareThreshold: 0.4, maximumDrop: 0.05 });
    expect(report.window).toMatchObject({ window: 1, drifted: true, quality: null, decision: 'drift: of wind' });
    expect(report.columns.map(({ column, drifted, method, score, threshold }) => [column, drifted, method, score, threshold])).toEqual([
      ['wind', true, 'psi', 0.8, 0.25],
      ['carrier', true, 'wasserstein', 0.12, 0.1],
      ['distance', false, 'psi', 0.02, 0.25],
    ]);
    expect(report.columns[0]?.histogram).toEqual({ column: 'wind', type: 'numeric', bins: [{ label: '≤ 1', reference: 10, current: 90 }] });
    expect(report.windows.map(({ window, quality, judgedQuality }) => [window, quality, judgedQuality])).toEqual([[0, 0.71, 0.75], [1, null, 0.75]]);
    expect(report.decisions.map(({ kind, title, outcome }) => [kind, title, outcome])).toEqual([
      ['trigger', 'drift trigger', 'ran flights.r2'],
      ['trigger', 'drift trigger', 'rejected: cooling down'],
    ]);
  });

  it('shows an older window where it is asked for, and says which is not there', async () => {
    expect((await get('/api/v1/models/flights/monitor/report?window=0')).body).toMatchObject({ window: { window: 0, quality: 0.71 } });
    expect(await get('/api/v1/models/flights/monitor/report?window=7')).toMatchObject({ status: 400, body: { code: 'InvalidRequest' } });
    expect(await get('/api/v1/models/nothing/monitor/report')).toMatchObject({ status: 404, body: { code: 'ModelNotFound' } });
    expect(await get('/api/v1/models/flights/monitor/report?windows=0')).toMatchObject({ status: 400 });
  });

  it('tells of alerts among the decisions', async () => {
    await openAlert();
    const { body } = await get('/api/v1/models/flights/monitor/report');
    expect(body.decisions[0]).toEqual({ at: '2026-05-01T02:00:00.000Z', kind: 'alert', title: 'alert drift of champion', detail: 'drift score 0.5 (3 times)', outcome: 'escalated', good: false });
  });

  it('of a model without windows is empty', async () => {
    await createModelRegistry(test.database).registerVersion(registration('other.r1', 'other'));
    expect((await get('/api/v1/models/other/monitor/report')).body).toMatchObject({ window: null, columns: [], windows: [], decisions: [] });
  });
});

describe('costs', () => {
  beforeEach(async () => {
    await record();
    const ledger = createRunLedger(test);
    await ledger.failStep(stepContext({ step: 'train', position: 3, pool: 'cpu' }), { code: 'TrainerCrashed', message: 'x', fix: 'y' }, 'failed', attemptUse(1, { cpuSeconds: 10 }));
    await ledger.finishStep(stepContext({ step: 'train', position: 3, pool: 'cpu' }), {}, attemptUse(2, { cpuSeconds: 30, gpuSeconds: 2, peakMemoryBytes: 9 }));
    await ledger.finishStep(stepContext({ runId: 'flights.r2', step: 'ingest' }), {}, attemptUse(1, { cpuSeconds: 1, storedBytes: 5 }));
    const day = new Date().toISOString().slice(0, 10);
    const served = { gateway_id: 'g', incarnation: 'i', model: 'flights', version: 1, memory_gib_seconds: 1, peak_memory_bytes: 3 };
    await test.database.insertInto('serving_resources').values([{ ...served, day, cpu_seconds: 50 }, { ...served, day: '2020-01-01', cpu_seconds: 999 }]).execute();
  });

  it('of a model are those of all attempts of its runs, and of its serving', async () => {
    const { body } = await get('/api/v1/models/flights/costs');
    expect(body).toMatchObject({ of: 'flights', currency: 'EUR', by: 'day', total: { cpuSeconds: 91 }, training: { cpuSeconds: 41, gpuSeconds: 2, storedBytes: 5, peakMemoryBytes: 9 }, serving: { cpuSeconds: 50 } });
    expect(body.total.cost.total).toBeCloseTo(91 * 0.001 + 2, 9);
    expect(body.steps.map(({ step, attempts }: { step: string; attempts: number }) => [step, attempts])).toEqual([['train', 2], ['ingest', 1]]);
    expect(body.runs.map(({ runId }: { runId: string }) => runId).sort()).toEqual(['flights.r1', 'flights.r2']);
    expect(body.versions).toMatchObject([{ version: 1, cpuSeconds: 50 }]);
    expect(body.periods).toMatchObject([{ cpuSeconds: 91 }]);
  });

  it('are of the asked time and periods', async () => {
    expect((await get('/api/v1/models/flights/costs?from=2019-12-01&to=2020-02-01&by=month')).body).toMatchObject({ training: { cpuSeconds: 0 }, serving: { cpuSeconds: 999 }, periods: [{ from: '2020-01-01T00:00:00.000Z' }] });
    expect(await get('/api/v1/models/flights/costs?from=2020-01-02&to=2020-01-01')).toMatchObject({ status: 400 });
    expect(await get('/api/v1/models/flights/costs?from=yesterday')).toMatchObject({ status: 400 });
    expect(await get('/api/v1/models/none/costs')).toMatchObject({ status: 404 });
  });

  it('of a pipeline are those of its runs', async () => {
    expect((await get('/api/v1/pipelines/flights/costs')).body).toMatchObject({ of: 'flights', training: { cpuSeconds: 41 }, serving: { cpuSeconds: 0 }, versions: [] });
    expect(await get('/api/v1/pipelines/none/costs')).toMatchObject({ status: 404, body: { code: 'PipelineNotFound' } });
  });

  it('are shown with each step of a run', async () => {
    await createRunLedger(test).finishRun(stepContext({ step: 'train' }), { state: 'succeeded', outcome: { kind: 'succeeded' } });
    const { body } = await get('/api/v1/runs/flights.r1');
    const train = body.steps.find(({ name }: { name: string }) => name === 'train');
    expect(train.resources).toMatchObject({ attempts: 2, cpuSeconds: 40, gpuSeconds: 2, waitingSeconds: 0.5, durationSeconds: 25 });
    expect(train.resources.cost.total).toBeCloseTo(2.04, 9);
    expect(body).toMatchObject({ currency: 'EUR', resources: { cpuSeconds: 40 } });
    expect(body.steps.find(({ name }: { name: string }) => name === 'register').resources).toBeNull();
  });
});

describe('metrics of the record', () => {
  it('are those of the newest windows, runs and triggers, with bounded labels', async () => {
    await record();
    await createRunLedger(test).finishRun(stepContext(), { state: 'succeeded', outcome: { kind: 'succeeded' } });
    await openAlert();
    const { text } = await get('/metrics');
    for (const line of [
      'perennial_alerts_firing{model="flights",kind="drift",state="escalated"} 1',
      'perennial_drift_score{model="flights",feature="wind",test="psi"} 0.8',
      'perennial_drift_detected{model="flights"} 1',
      'perennial_model_quality{model="flights",version="1",metric="rocAuc",window="latest"} 0.71',
      'perennial_model_quality{model="flights",version="1",metric="rocAuc",window="judged"} 0.75',
      'perennial_label_coverage_ratio{model="flights"} 0.3',
      'perennial_runs_total{pipeline="flights",state="succeeded"} 1',
      'perennial_triggers_total{pipeline="flights",kind="drift",outcome="rejected"} 1',
      'perennial_record_readable 1',
    ]) expect(text).toContain(`\n${line}\n`);
  });

  it('stay bounded, however many pipelines, models and columns there are', async () => {
    const windows = createMonitorWindows(test.database);
    const columns = Array.from({ length: 400 }, (_, index) => columnDrift(`c${index}`, { score: index / 100, drifted: index > 20 }));
    for (let model = 0; model < 60; model += 1) await windows.save(`m${model}`, driftWindow(0, { columns }));
    await test.pool.query(`insert into runs (run_id, pipeline, pipeline_version, workflow_id, trigger, state, finished_at) select 'p' || n || '.1', 'p' || n, 1, 'w' || n, '{}', 'succeeded', now() from generate_series(1, 300) n`);
    await test.pool.query(`insert into pipelines (name, current_version) select 'p' || n, 1 from generate_series(1, 300) n`);
    const { text } = await get('/metrics');
    const seriesOf = (name: string): string[] => text.split('\n').filter((line) => line.startsWith(`${name}{`));
    expect(seriesOf('perennial_drift_score')).toHaveLength(50 * 50);
    expect(seriesOf('perennial_drift_score').some((line) => line.includes('feature="c399"'))).toBe(true);
    expect(seriesOf('perennial_runs_total')).toHaveLength(101);
    expect(seriesOf('perennial_runs_total')).toContain('perennial_runs_total{pipeline="other",state="succeeded"} 200');
  });

  it('say that nothing is known while the database is away, and are given all the same', async () => {
    const key = await api.keyOf('viewer');
    await api.request({ method: 'GET', url: '/api/v1/models', headers: { authorization: `Bearer ${key}` } });
    await test.pool.query('alter table runs rename to runs_away');
    const { status, text } = await api.request({ method: 'GET', url: '/metrics', headers: { authorization: `Bearer ${key}` } });
    expect(status).toBe(200);
    expect(text).toContain('\nperennial_record_readable 0\n');
    expect(text).toContain('perennial_api_requests_total');
  });
});
