import { sql, type Kysely } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMonitorWindows } from '../../../adapters/postgres/monitor-windows.ts';
import type { Database } from '../../../adapters/postgres/schema.ts';
import type { ColumnDistribution } from '../../../contracts/features.ts';
import { MonitorSpec } from '../../../contracts/monitor.ts';
import { distributionOfValues } from '../../../domain/drift/binning.ts';
import { startMonitorRig, type LoggedRow } from './support/monitor-rig.ts';

type Row = Omit<LoggedRow, 'at' | 'score'> & { score?: number };

/** Twenty rows of each number, which no float holds exactly. */
const distances = [0.1, 0.2, 0.30000000000000004, 17.123456789012345, 20];
const distance = distributionOfValues('distance', Float64Array.from({ length: 100 }, (_, row) => distances[row % 5]!));
const reference: ColumnDistribution[] = [distance, { type: 'categorical', column: 'carrier', categories: ['AA', 'B6'], counts: [50, 50, 0], missing: 0 }];
const spec = MonitorSpec.parse({ rows: 10, quality: { minimumLabels: 4 } });

let rig: Awaited<ReturnType<typeof startMonitorRig>>;

beforeAll(async () => {
  rig = await startMonitorRig(reference);
}, 120_000);
afterAll(() => rig.stop());
beforeEach(() => rig.begin());
afterEach(() => rig.end());

/** A row a second, each at the half of it; its score is 0.5 unless it says otherwise. */
const ship = (segmentId: string, rows: Row[]): Promise<void> =>
  rig.ship(rows.map((row, index) => ({ score: 0.5, ...row, at: new Date(Date.UTC(2013, 4, 1, 0, 0, index, 500)) })), segmentId);

const readWindow = (window: number, { version = 1, rows = 10, columns = reference } = {}) =>
  rig.predictions().window({ model: 'flights', version, task: 'binaryClassification', window, rowsPerWindow: rows, reference: { columns, prediction: null }, training: columns, slices: [] });
const label = (labels: Record<string, number>): Promise<void> => rig.label(Object.entries(labels).map(([id, value]) => ({ id, label: value })));
const rowsOf = (count: number, row: (index: number) => Omit<Row, 'id'>, prefix = 'i'): Row[] => Array.from({ length: count }, (_, index) => ({ id: `${prefix}${index}`, ...row(index) }));

describe('a window of the prediction log', () => {
  it('counts every value and category, null and NaN as missing', async () => {
    const live = [0.1, 0.1 + 1e-16, 0.2, 0.30000000000000004, 0.3, 17.123456789012345, 17.123456789012346, 1e300, null, 'NaN'];
    const carriers = ['AA', 'AA', 'B6', 'ZZ', '', null, 'AA', 'B6', 'AA', 'AA'];
    await ship('s1', rowsOf(10, (index) => ({ inputs: { distance: live[index], carrier: carriers[index] } })));
    const data = await readWindow(0);
    const numbers = live.filter((value) => typeof value === 'number');
    expect(data?.live.columns).toEqual([
      { ...distributionOfValues('distance', Float64Array.from(numbers)), missing: 2 },
      { type: 'categorical', column: 'carrier', categories: ['AA', 'B6', '', 'ZZ'], counts: [5, 2, 1, 1, 0], missing: 1 },
    ]);
    expect(data?.live.prediction).toMatchObject({ column: 'score', edges: [0.5], counts: [10, 0] });
    expect(data).toMatchObject({ rows: 10, from: '2013-05-01T00:00:00.500Z', to: '2013-05-01T00:00:09.500Z' });
  });

  it('counts numbers as single-precision ones where the training rows are', async () => {
    await ship('s1', rowsOf(10, () => ({ inputs: { distance: 59.37, carrier: 'AA' } })));
    const single = distributionOfValues('distance', Float64Array.of(Math.fround(59.37), 4));
    const data = await readWindow(0, { columns: [single, reference[1]!] });
    expect(data?.live.columns[0]).toMatchObject({ edges: [Math.fround(59.37)], counts: [10, 0] });
  });

  it('counts more values than it keeps in the bins of the reference', async () => {
    const many = distributionOfValues('distance', Float64Array.from({ length: 5_000 }, (_, row) => Math.sqrt(row)));
    await ship('s1', rowsOf(3_000, (index) => ({ inputs: { distance: index / 100, carrier: 'AA' } })));
    const data = await readWindow(0, { rows: 3_000, columns: [many, reference[1]!] });
    const byHand = distributionOfValues('distance', Float64Array.from({ length: 3_000 }, (_, row) => row / 100), many.edges);
    expect(data?.live.columns[0]).toMatchObject({ exact: false, edges: byHand.edges, counts: byHand.counts });
  });

  it('finds the columns of a model with one wide input by their place', async () => {
    await ship('s1', rowsOf(10, (index) => ({ inputs: { features: [index < 4 ? 0.05 : null, 'AA'] } })));
    expect((await readWindow(0))?.live.columns).toMatchObject([
      { column: 'distance', edges: [0.05], counts: [4, 0], missing: 6 },
      { column: 'carrier', categories: ['AA'], counts: [10, 0], missing: 0 },
    ]);
  });

  it('gives earlier rows together, as a moving window needs them', async () => {
    await ship('s1', rowsOf(30, (index) => ({ inputs: { distance: index < 15 ? 1 : 2, carrier: 'AA' } })));
    const columns = [{ name: 'distance', type: 'numeric' as const }];
    const earlier = await rig.predictions().earlier({ model: 'flights', version: 1, from: 10, to: 30, columns });
    expect(earlier.columns).toMatchObject([{ edges: [1, 2], counts: [5, 15, 0] }]);
    await expect(rig.predictions().earlier({ model: 'flights', version: 1, from: 10, to: 31, columns })).rejects.toThrow(/have not all been logged/);
  });

  it('is refused when a value is no number, instead of losing the row', async () => {
    await ship('s1', rowsOf(10, (index) => ({ inputs: { distance: index === 3 ? 'far' : 1, carrier: 'AA' } })));
    await expect(readWindow(0)).rejects.toThrow(/"distance" has 1 values that are no numbers in a window of 10 rows/);
  });

  it('is cut over segments and versions, and never changes once closed', async () => {
    const inputs = { distance: 1, carrier: 'AA' };
    await ship('s1', rowsOf(7, (index) => ({ inputs, version: index === 2 ? 2 : 1 }), 'a'));
    expect(await readWindow(0)).toBeUndefined();
    await ship('s2', rowsOf(8, () => ({ inputs }), 'b'));
    await label(Object.fromEntries([...rowsOf(7, () => ({ inputs }), 'a'), ...rowsOf(8, () => ({ inputs }), 'b')].map(({ id }) => [id, 1])));
    const first = await readWindow(0);
    expect(first?.labelled.labels).toHaveLength(10);
    await ship('s2', rowsOf(8, () => ({ inputs }), 'again'));
    await ship('s3', rowsOf(20, () => ({ inputs }), 'c'));
    expect(await readWindow(0)).toEqual(first);
    expect((await readWindow(1))?.labelled.labels).toHaveLength(4);
    expect(await readWindow(0, { version: 2 })).toBeUndefined();
    expect(await readWindow(3)).toBeUndefined();
  });

  it('numbers segments in the order in which they become visible, also of gateways that ship at once', async () => {
    const row = { gateway_id: 'g', model: 'flights', artifact: '{}', rows: 1, rows_by_version: '{}', first_at: new Date(), last_at: new Date() };
    const insert = (database: Kysely<Database>, segment: string) => database.insertInto('prediction_segments').values({ ...row, segment_id: segment }).execute();
    const isWaiting = async (): Promise<boolean> => {
      const { rows } = await sql`select 1 from pg_stat_activity where datname = current_database() and wait_event = 'advisory'`.execute(rig.database());
      return rows.length > 0;
    };
    let fast: Promise<unknown> | undefined;
    await rig.database().transaction().execute(async (transaction) => {
      await insert(transaction, 'slow');
      fast = insert(rig.database(), 'fast');
      await expect.poll(isWaiting, { timeout: 10_000 }).toBe(true);
    });
    await fast;
    const rows = await rig.database().selectFrom('prediction_segments').select('segment_id').orderBy('sequence').execute();
    expect(rows.map((row) => row.segment_id)).toEqual(['slow', 'fast']);
  });
});

describe('the monitor', () => {
  let worker: ReturnType<typeof rig.worker>;
  const startWorker = (): void => {
    worker = rig.worker();
  };
  beforeEach(startWorker);
  const evaluate = (nextWindow: number, attempt = 1) => worker(spec, nextWindow, attempt);
  const asTrained = (index: number) => ({ distance: distances[index % 5], carrier: index % 2 === 0 ? 'AA' : 'B6' });
  const savedWindows = () => rig.database().selectFrom('monitor_windows').selectAll().orderBy('window_number').execute();

  it('closes one window at a time and finds drift', async () => {
    await ship('s1', rowsOf(25, (index) => ({ inputs: index < 10 ? asTrained(index) : { distance: 1e6, carrier: 'ZZ' } })));
    expect(await evaluate(0)).toMatchObject({ nextWindow: 1, changed: [{ window: 0, drifted: false, quality: null, labelled: 0, judgedQuality: 0.9 }] });
    expect(await evaluate(1)).toMatchObject({ nextWindow: 2, changed: [{ window: 1, drifted: true, driftScore: 1 }] });
    expect(await evaluate(2)).toEqual({ nextWindow: 2, changed: [] });
    expect(await savedWindows()).toMatchObject([{ window_number: 0, rows: 10 }, { window_number: 1, rows: 10 }]);
    const [, drifted] = await rig.database().selectFrom('monitor_histograms').select('histograms').orderBy('window_number').execute();
    expect(drifted?.histograms).toMatchObject([{ column: 'distance', type: 'numeric' }, { column: 'carrier', bins: expect.arrayContaining([{ label: 'ZZ', reference: 0, current: 10 }]) }]);
  });

  it('compares with the windows before, and the first one with the training rows', async () => {
    const moving = MonitorSpec.parse({ ...spec, drift: { reference: 'movingWindow', windows: 2 } });
    const look = (nextWindow: number) => worker(moving, nextWindow);
    await ship('s1', rowsOf(40, (index) => ({ inputs: index < 30 ? { distance: 1_000 + (index % 7), carrier: 'ZZ' } : asTrained(index) })));
    expect(await look(0)).toMatchObject({ changed: [{ window: 0, drifted: true }] });
    expect(await look(1)).toMatchObject({ changed: [{ window: 1, drifted: false }] });
    expect(await look(2)).toMatchObject({ changed: [{ window: 2, drifted: false, prediction: { column: 'score', drifted: false } }] });
    expect(await look(3)).toMatchObject({ changed: [{ window: 3, drifted: true, columns: [{ drifted: true }, { drifted: true }] }] });
  });

  it('compares the scores with those of the held-out rows, which the evaluation left', async () => {
    const scores = distributionOfValues('score', Float64Array.from({ length: 2_000 }, (_, row) => (row % 100) / 400));
    const report = await rig.artifacts.put(Buffer.from(JSON.stringify({ scores })));
    await sql`update model_versions set evaluation = jsonb_set(evaluation, '{report}', ${JSON.stringify(report)}::jsonb)`.execute(rig.database());
    await ship('s1', rowsOf(20, (index) => ({ inputs: asTrained(index), score: index < 10 ? (index + 0.5) / 40 : 0.9 })));
    expect(await evaluate(0)).toMatchObject({ changed: [{ drifted: false, prediction: { method: 'wasserstein', drifted: false } }] });
    expect(await evaluate(1)).toMatchObject({ changed: [{ drifted: false, prediction: { method: 'wasserstein', drifted: true } }] });
  });

  it('judges quality again when labels come late, in any order and twice', async () => {
    await ship('s1', rowsOf(10, (index) => ({ inputs: asTrained(index), score: index / 10 })));
    await evaluate(0);
    await label({ i9: 1, i0: 0 });
    expect(await evaluate(1)).toMatchObject({ nextWindow: 1, changed: [{ window: 0, labelled: 2, quality: null, qualityDropped: false }] });
    await label({ i8: 0, i9: 0, i1: 1, unknown: 1 });
    const changed = await evaluate(1);
    // pairs (positive, negative): (9,0) (9,8) in order, (1,0) in order, (1,8) not
    expect(changed).toMatchObject({ changed: [{ window: 0, labelled: 4, quality: 0.75, qualityDropped: true }] });
    expect(await savedWindows()).toMatchObject([{ labelled: 4, report: { quality: 0.75 } }]);
  });

  it('tells a change again when the attempt that found it was lost', async () => {
    await ship('s1', rowsOf(10, (index) => ({ inputs: asTrained(index), score: index / 10 })));
    await evaluate(0);
    await label({ i9: 0, i8: 0, i1: 1, i0: 1 });
    const first = await evaluate(1);
    expect(first).toMatchObject({ changed: [{ qualityDropped: true }] });
    expect(await evaluate(1, 2)).toEqual(first);
    expect(await evaluate(1)).toEqual({ nextWindow: 1, changed: [] });
    startWorker();
    expect(await evaluate(1)).toEqual(first);
  });

  it('keeps the decision on a window when its labels come', async () => {
    const windows = createMonitorWindows(rig.database());
    await ship('s1', rowsOf(10, (index) => ({ inputs: asTrained(index) })));
    await evaluate(0);
    await windows.recordDecision('flights', 1, 0, 'retrain');
    await label({ i0: 1 });
    await evaluate(1);
    expect(await savedWindows()).toMatchObject([{ decision: 'retrain', labelled: 1 }]);
  });
});
