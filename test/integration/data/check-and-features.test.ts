/** Check and features: reports, refusals and feature sets of an ingested dataset. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DatasetVersionRef } from '../../../contracts/dataset.ts';
import { FeatureSetManifest } from '../../../contracts/features.ts';
import { DataCheck } from '../../../contracts/data-check.ts';
import { FeaturesSpec, SourceSpec, SplitSpec } from '../../../contracts/pipeline.ts';
import type { ArtifactRef } from '../../../contracts/artifact.ts';
import { readRows, writeRows } from '../duckdb/source-files.ts';
import { stepContext } from '../../support/fakes.ts';
import { createRig, startActivity, type Rig } from './rig.ts';

let rig: Rig;
let dataset: DatasetVersionRef;
beforeAll(async () => {
  rig = await createRig();
  await writeRows(join(rig.source, 'flights.parquet'), `SELECT range AS id, TIMESTAMP '2013-01-01' + INTERVAL 1 HOUR * range::INTEGER AS seen, range % 7 + 0.5 AS distance, range % 3 = 0 AS late FROM range(2000)`);
  await writeRows(join(rig.source, 'planes.parquet'), 'SELECT 1 AS id');
  const source = SourceSpec.parse({ tables: { flights: { files: 'flights.parquet' }, planes: { files: 'planes.parquet' } } });
  dataset = await startActivity(rig.activities.ingest, { context: stepContext(), dataset: 'flights', source }).outcome;
});
afterAll(() => rig.dispose());
beforeEach(() => {
  rig.ledger.entries.length = 0;
});

const readReport = async (artifact: ArtifactRef) => JSON.parse(Buffer.from(await rig.artifacts.get(artifact)).toString()) as { results: { passed: boolean }[] };

describe('check', () => {
  const check = (checks: unknown[]) =>
    startActivity(rig.activities.check, { context: stepContext({ step: 'check' }), dataset, checks: checks.map((one) => DataCheck.parse({ table: 'flights', ...(one as object) })) }).outcome;

  it('passes with warnings, and stores the whole report', async () => {
    const report = await check([{ kind: 'notNull', column: 'id' }, { kind: 'range', column: 'distance', max: 5, severity: 'warn' }]);
    expect(report).toMatchObject({ passed: true, checks: 2, failed: 0, warned: 1, results: [{ check: 'range(distance)', passed: false }] });
    expect((await readReport(report.report)).results.map(({ passed }) => passed)).toEqual([true, false]);
  });

  it('ends the run when an error fails, and names it with counts and the report', async () => {
    const error = await check([{ kind: 'range', column: 'distance', max: 5 }, { kind: 'notNull', column: 'dest' }]).then(() => new Error('passed'), (reason: Error) => reason);
    expect(error).toMatchObject({ type: 'DataChecksFailed', nonRetryable: true });
    expect(error.message).toMatch(/^2 of 2 data checks failed: range\(distance\) on flights: 570 rows where "distance" lies outside any to 5, such as row \d+ of flights\S*: \{.*notNull\(dest\) on flights: cannot run/);
    const sha256 = /artifact:sha256\/([0-9a-f]{64})/.exec(error.message)?.[1] ?? '';
    expect(await rig.artifacts.get({ uri: `artifact:sha256/${sha256}`, sha256, bytes: 0 })).toBeDefined();
  });

  it('keeps what history holds small, however many checks fail', async () => {
    const failing = Array.from({ length: 400 }, () => ({ kind: 'range', column: 'distance', max: 0, severity: 'warn' }));
    const report = await check(failing);
    expect(report).toMatchObject({ passed: true, warned: 400 });
    expect(report.results).toHaveLength(20);
    expect(JSON.stringify(report).length).toBeLessThan(64 * 1024);
    const error = await check(failing.map((one) => ({ ...one, severity: 'error' }))).then(() => new Error('passed'), (reason: Error) => reason);
    expect(error).toMatchObject({ type: 'DataChecksFailed' });
    expect(error.message.length).toBeLessThan(8 * 1024);
  });

  it('passes when there is nothing to check', async () => {
    expect(await check([])).toMatchObject({ passed: true, checks: 0, results: [] });
  });
});

describe('features', () => {
  const build = (changes: object = {}) => {
    const features = FeaturesSpec.parse({ sql: 'SELECT * FROM flights', identity: ['id'], eventTime: 'seen', label: 'late', columns: [{ name: 'distance', type: 'numeric' }], ...changes });
    return startActivity(rig.activities.features, { context: stepContext({ step: 'features' }), dataset, features, split: SplitSpec.parse({ holdout: { last: 'P1M' } }) });
  };

  it('stores the rows and a manifest, and records the feature set', async () => {
    const ref = await build().outcome;
    expect(ref).toMatchObject({ name: 'flights', trainRows: 1_416, holdoutRows: 584, split: { holdoutFrom: '2013-03-01T00:00:00.000Z', holdoutUntil: '2013-04-01T00:00:00.000Z' } });
    const manifest = FeatureSetManifest.parse(JSON.parse(Buffer.from(await rig.artifacts.get(ref.manifest)).toString()));
    expect(manifest).toMatchObject({ version: ref.version, datasetVersion: dataset.version, train: ref.train, holdout: ref.holdout, reference: [{ column: 'distance', missing: 0 }] });
    expect(rig.ledger.of('recordFeatureSet')).toMatchObject([{ name: 'flights', version: ref.version, manifest, rows: 2_000 }]);
    const file = join(rig.folder, 'holdout.parquet');
    await rig.artifacts.download(ref.holdout, file);
    expect(await readRows(file, 'count(*)::INTEGER AS n')).toEqual([{ n: 584 }]);
    expect(await readdir(rig.scratchFolder)).toEqual([]);
  });

  it('is the same version again, and another one for another query', async () => {
    const [first, again] = [await build().outcome, await build().outcome];
    expect(again).toEqual(first);
    expect((await build({ sql: 'SELECT * FROM flights WHERE id <> 5' }).outcome).version).not.toBe(first.version);
  });

  it('fails for good with a mistake of the user', async () => {
    await expect(build({ sql: 'SELECT * FROM flight' }).outcome).rejects.toMatchObject({ type: 'FeatureQueryInvalid', nonRetryable: true });
    expect(rig.ledger.of('failStep')).toMatchObject([{ code: 'FeatureQueryInvalid', state: 'failed' }]);
    expect(await readdir(rig.scratchFolder)).toEqual([]);
  });

  it('ends a long query when the run is cancelled', async () => {
    const run = build({ sql: 'SELECT f.*, (SELECT count(*) FROM flights a, flights b, flights c WHERE a.id + b.id + c.id <> f.id) AS n FROM flights f' });
    run.environment.on('heartbeat', () => {
      if (run.heartbeats.at(-1)?.progress?.what === 'running the feature SQL') run.environment.cancel();
    });
    await expect(run.outcome).rejects.toMatchObject({ name: 'CancelledFailure' });
    expect(await readdir(rig.scratchFolder)).toEqual([]);
  });
});
