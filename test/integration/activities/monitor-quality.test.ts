import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MonitorSpec } from '../../../contracts/monitor.ts';
import { qualityReferenceOf } from '../../../domain/performance-estimate/estimate.ts';
import { seededRandom } from '../../../domain/random.ts';
import { qualityMetricsOf } from '../../../domain/window-quality.ts';
import { startMonitorRig, type LoggedRow, type SentLabel } from './support/monitor-rig.ts';

let rig: Awaited<ReturnType<typeof startMonitorRig>>;
let evaluate: ReturnType<typeof rig.worker>;
beforeAll(async () => {
  rig = await startMonitorRig();
}, 120_000);
afterAll(() => rig.stop());

const random = seededRandom(11);
const holdout = Float64Array.from({ length: 2_000 }, random);
const judged = qualityReferenceOf('binaryClassification', { scores: holdout, labels: Uint8Array.from(holdout, (score) => Number(random() < score)) });
beforeEach(async () => {
  await rig.begin(judged);
  evaluate = rig.worker();
});
afterEach(() => rig.end());

const asTrained = (index: number) => ({ distance: index % 10, carrier: index % 3 === 0 ? 'B6' : 'AA' });
const rowsOf = (count: number, prefix = 'i', scoreOf: (index: number) => number = () => random()): LoggedRow[] =>
  Array.from({ length: count }, (_, index) => ({ id: `${prefix}${index}`, inputs: asTrained(index), score: scoreOf(index) }));
const truthOf = (rows: LoggedRow[]): SentLabel[] => rows.map(({ id, score }) => ({ id, label: Number(random() < score) }));
const columnsOf = (rows: LoggedRow[], labels: SentLabel[]) => {
  const byId = new Map(labels.map(({ id, label }) => [id, label]));
  const labelled = rows.filter(({ id }) => byId.has(id));
  return { scores: Float64Array.from(labelled, ({ score }) => score), labels: Uint8Array.from(labelled, ({ id }) => byId.get(id)!) };
};

describe('quality of a window', () => {
  const spec = MonitorSpec.parse({ rows: 60, quality: { minimumLabels: 20, slices: ['carrier', 'gone'], minimumSliceRows: 10 } });

  it('has all metrics, the reliability curve, slices, coverage and the times of the labels', async () => {
    const rows = rowsOf(60);
    const labels = truthOf(rows).slice(0, 45).map((label, index) => ({ ...label, receivedAt: new Date(Date.UTC(2013, 4, 1, 1, 0, index)) }));
    await rig.ship(rows);
    await rig.label(labels);
    const { changed } = await evaluate(spec, 0);
    const [window] = await rig.saved();
    expect(window?.performance?.metrics).toEqual(qualityMetricsOf('binaryClassification', columnsOf(rows, labels)));
    expect(window).toMatchObject({ labelled: 45, quality: window?.performance?.metrics.rocAuc, judgedQuality: judged.metrics.rocAuc, judgedBy: 'labels' });
    expect(window?.performance).toMatchObject({ coverage: 0.75, labels: { firstAt: '2013-05-01T01:00:00.000Z', lastAt: '2013-05-01T01:00:44.000Z', medianDelaySeconds: 3_600 } });
    expect(window?.performance?.calibration.reduce((sum, bin) => sum + bin.rows, 0)).toBe(45);
    const ofCarrier = (carrier: string) => rows.filter(({ inputs }) => inputs['carrier'] === carrier);
    expect(window?.performance?.slices.map(({ column, value, rows: count, metrics }) => ({ column, value, count, metrics }))).toEqual(
      ['AA', 'B6'].map((carrier) => ({ column: 'carrier', value: carrier, count: columnsOf(ofCarrier(carrier), labels).labels.length, metrics: qualityMetricsOf('binaryClassification', columnsOf(ofCarrier(carrier), labels)) })),
    );
    // The history gets a summary.
    expect(changed[0]?.performance).toMatchObject({ calibration: [], coverage: 0.75 });
  });

  it('is that of the sorted clean labels, however late, often and mixed up they come', async () => {
    const rows = rowsOf(120);
    const clean = truthOf(rows);
    await rig.ship(rows);
    await rig.label(clean);
    await evaluate(spec, 0);
    await evaluate(spec, 1);
    const expected = (await rig.saved()).map(({ labelled, quality, performance }) => ({ labelled, quality, metrics: performance?.metrics, slices: performance?.slices, calibration: performance?.calibration }));
    expect(expected.map(({ labelled }) => labelled)).toEqual([60, 60]);

    const delivery = fc.array(fc.array(fc.nat({ max: clean.length - 1 }), { minLength: 1, maxLength: 200 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(delivery, fc.boolean(), async (batches, isRestarted) => {
        await rig.database().deleteFrom('labels').execute();
        await rig.database().deleteFrom('monitor_windows').execute();
        evaluate = rig.worker();
        await evaluate(spec, 0);
        for (const batch of batches) {
          // Labels of unknown inferences, and a repeat that says something else, are part of what comes.
          await rig.label([...batch.map((index) => clean[index]!), { id: `unknown${batch.length}`, label: 1 }]);
          await rig.label(batch.map((index) => ({ ...clean[index]!, label: 1 - clean[index]!.label })));
          if (isRestarted) evaluate = rig.worker();
          await evaluate(spec, 1);
        }
        await rig.label([...clean].reverse());
        await evaluate(spec, 1);
        await evaluate(spec, 2);
        const found = (await rig.saved()).map(({ labelled, quality, performance }) => ({ labelled, quality, metrics: performance?.metrics, slices: performance?.slices, calibration: performance?.calibration }));
        expect(found).toEqual(expected);
      }),
      { numRuns: 6, seed: 7 },
    );
  });

  it('is estimated until labels come, and then judged by them', async () => {
    const estimating = MonitorSpec.parse({ rows: 400, quality: { minimumLabels: 100, estimate: true } });
    const rows = rowsOf(400, 'i', () => 0.45 + random() / 10);
    await rig.ship(rows);
    const first = await evaluate(estimating, 0);
    expect(first.changed).toMatchObject([{ quality: null, judgedBy: 'estimate', qualityDropped: true, labelled: 0 }]);
    expect(first.changed[0]?.estimate?.rocAuc?.value).toBeLessThan(0.6);
    await rig.label(rows.map(({ id, score }) => ({ id, label: Number(score > 0.5) })));
    expect((await evaluate(estimating, 1)).changed).toMatchObject([{ quality: 1, judgedBy: 'labels', qualityDropped: false }]);
  });

  it('has no estimate of a version whose report is gone, and is judged all the same', async () => {
    await rig.end();
    await rig.begin();
    evaluate = rig.worker();
    const rows = rowsOf(60);
    await rig.ship(rows);
    await rig.label(truthOf(rows));
    expect((await evaluate(spec, 0)).changed).toMatchObject([{ estimate: null, judgedQuality: 0.9, judgedBy: 'labels' }]);
  });
});

describe('concept drift', () => {
  const spec = MonitorSpec.parse({ rows: 200, quality: { minimumLabels: 50 }, concept: { detector: 'ddm', minimumCoverage: 0.9 } });
  /** The patience with labels counts from the last answer of a window. */
  const justNow = (rows: LoggedRow[]): LoggedRow[] => rows.map((row) => ({ ...row, at: new Date() }));
  /** Labels by which every so-manieth decision was wrong. */
  const wrongEvery = (rows: LoggedRow[], every: number): SentLabel[] => rows.map(({ id, score }, index) => ({ id, label: Number((score >= 0.5) !== ((index + 1) % every === 0)) }));

  it('reads windows in their order, each once, and tells a window whose turn came later', async () => {
    const [calm, broken] = [justNow(rowsOf(200, 'a')), justNow(rowsOf(200, 'b'))];
    await rig.ship([...calm, ...broken]);
    await evaluate(spec, 0);
    await evaluate(spec, 1);
    // The second window has its labels first: it waits for the first one.
    await rig.label(wrongEvery(broken, 2));
    expect((await evaluate(spec, 2)).changed).toMatchObject([{ window: 1, labelled: 200, concept: null }]);
    await rig.label(wrongEvery(calm, 20).slice(0, 190));
    const { changed } = await evaluate(spec, 2);
    expect(changed.map(({ window, concept }) => [window, concept?.detected, concept?.labels])).toEqual([[0, false, 190], [1, true, 200]]);
    const saved = await rig.saved();
    expect(saved[1]?.concept?.detections[0]).toMatchObject({ direction: 'rise' });
    // What comes after a window was read changes its quality and not what was read.
    await rig.label(wrongEvery(calm.slice(190), 1));
    await evaluate(spec, 2);
    const after = await rig.saved();
    expect(after.map(({ labelled }) => labelled)).toEqual([200, 200]);
    expect(after.map(({ concept }) => concept)).toEqual(saved.map(({ concept }) => concept));
  });

  it('says the same whenever it is asked: by another worker, and again', async () => {
    const rows = rowsOf(200, 'a');
    await rig.ship(rows);
    await rig.label([...wrongEvery(rows.slice(0, 100), 20), ...wrongEvery(rows.slice(100), 2)]);
    const [first] = (await evaluate(spec, 0)).changed;
    expect(first?.concept).toMatchObject({ detector: 'ddm', detected: true, labels: 200 });
    const [again] = (await rig.worker()(spec, 0, 2)).changed.filter(({ window }) => window === 0);
    expect(again?.concept).toEqual(first?.concept);
  });

  it('reads a window with the labels that it has when the patience is over', async () => {
    const impatient = MonitorSpec.parse({ rows: 200, concept: { detector: 'adwin', patienceSeconds: 3_600 } });
    const rows = rowsOf(200, 'a');
    await rig.ship(rows);
    await rig.label(wrongEvery(rows.slice(0, 40), 10));
    expect((await evaluate(impatient, 0)).changed).toMatchObject([{ concept: { detector: 'adwin', labels: 40, detected: false } }]);
  });
});

describe('inputs of live traffic', () => {
  const spec = MonitorSpec.parse({ rows: 10 });
  const at = (second: number): Date => new Date(Date.UTC(2013, 4, 1, 0, 0, second));

  it('are counted where they are unlike the training rows: out of range, or unseen', async () => {
    const distances = [0, 10, 10.000001, 10.1, -1, null, 'NaN', 5, 5, 5];
    const carriers = ['AA', 'B6', 'ZZ', 'AA', 'AA', null, 'AA', 'AA', 'AA', 'AA'];
    await rig.ship(distances.map((distance, index) => ({ id: index < 3 ? `batch/${index}` : `i${index}`, inputs: { distance, carrier: carriers[index] }, score: 0.5 })));
    await evaluate(spec, 0);
    expect((await rig.saved())[0]?.inputs).toEqual({
      requests: 8, refused: 0, refusedShare: 0, refusals: [], unlikeTraining: 0.3,
      columns: [
        { column: 'distance', outOfRange: 0.2, unseen: null },
        { column: 'carrier', outOfRange: null, unseen: 0.1 },
      ],
    });
  });

  it('have their refused requests counted in one window each', async () => {
    const refused = (second: number, requests: number, reason: 'wrongType' | 'malformed' = 'wrongType') =>
      ({ model: 'flights', version: 1, at: at(second).getTime(), reason, input: reason === 'malformed' ? null : 'distance', requests });
    const control = rig.control();
    const gateway = { gatewayId: 'gateway-1', incarnation: 'one' };
    await control.writeRefusals(gateway, [refused(0, 3), refused(10, 5), refused(10, 1, 'malformed'), refused(50, 100)]);
    // A count that is written again stands for itself; another process of the gateway has counts of its own.
    await control.writeRefusals(gateway, [refused(0, 4)]);
    await control.writeRefusals({ ...gateway, incarnation: 'two' }, [refused(0, 2)]);
    const rows = Array.from({ length: 20 }, (_, index) => ({ id: `i${index}`, inputs: asTrained(index), score: 0.5, at: at(3 * index) }));
    await rig.ship(rows);
    await evaluate(spec, 0);
    await evaluate(spec, 1);
    const windows = await rig.saved();
    expect(windows.map(({ inputs }) => [inputs?.requests, inputs?.refused])).toEqual([[10, 12], [10, 0]]);
    expect(windows[0]?.inputs).toMatchObject({ refusedShare: 12 / 22, refusals: [{ reason: 'wrongType', input: 'distance', requests: 11 }, { reason: 'malformed', input: null, requests: 1 }] });
  });
});
