import { describe, expect, it } from 'vitest';
import { createNoopActivity } from '../../../activities/noop.ts';
import { createRunRecordActivities } from '../../../activities/run-record.ts';
import { step } from '../../../activities/boundary.ts';
import { createRunLedger } from '../../../adapters/postgres/run-ledger.ts';
import { PerennialFailure } from '../../../domain/failure.ts';
import type { RunLedger } from '../../../domain/ports/run-ledger.ts';
import { runActivity } from '../../support/activity.ts';
import { databasePerTest } from '../../support/database-per-test.ts';
import type { TestDatabase, TestPostgres } from '../../support/database.ts';
import { memoryArtifactStore, stepContext, silentReports } from '../../support/fakes.ts';

let postgres: TestPostgres;
let test: TestDatabase;
let ledger: RunLedger;

databasePerTest((fresh, server) => {
  test = fresh;
  postgres = server;
  ledger = createRunLedger(test);
});

const stepRow = () => test.database.selectFrom('run_steps').selectAll().executeTakeFirstOrThrow();

describe('a step activity', () => {
  it('writes run and step, and again when it is retried', async () => {
    const { noop } = createNoopActivity({ ledger });
    const context = stepContext({ step: 's1', finishesRun: { kind: 'succeeded' } });
    expect(await runActivity(noop, { context })).toEqual({ done: true });
    expect(await runActivity(noop, { context }, { attempt: 2 })).toEqual({ done: true });
    expect(await stepRow()).toMatchObject({ state: 'succeeded', attempts: 2, output: { done: true } });
    expect(await test.database.selectFrom('runs').selectAll().execute()).toMatchObject([{ state: 'succeeded' }]);
  });

  it('that fails leaves its failure in the row and a named failure to Temporal', async () => {
    const failing = step(ledger, async () => {
      throw new PerennialFailure('SourceNotFound', 'no file matches data/*.parquet');
    });
    await expect(runActivity(failing, { context: stepContext() })).rejects.toMatchObject({
      type: 'SourceNotFound',
      nonRetryable: true,
      details: [{ code: 'SourceNotFound', message: 'no file matches data/*.parquet' }],
    });
    expect(await stepRow()).toMatchObject({ state: 'failed', failure: { code: 'SourceNotFound' } });
  });

  it('is retried after an error that nobody judged, but not for ever', async () => {
    const broken = step(ledger, async () => {
      throw new TypeError('undefined is not a function');
    });
    await expect(runActivity(broken, { context: stepContext() }, { attempt: 9 })).rejects.toThrow(TypeError);
    await expect(runActivity(broken, { context: stepContext() }, { attempt: 10 })).rejects.toMatchObject({ type: 'Internal', nonRetryable: true, message: 'undefined is not a function' });
    const away = step(ledger, async () => {
      throw new PerennialFailure('ArtifactStoreUnavailable', 'no answer');
    });
    await expect(runActivity(away, { context: stepContext() }, { attempt: 50 })).rejects.toMatchObject({ type: 'ArtifactStoreUnavailable', nonRetryable: false });
  });

  it('fails retryably while the database is away', async () => {
    const { noop } = createNoopActivity({ ledger });
    await postgres.kill();
    await expect(runActivity(noop, { context: stepContext() })).rejects.toMatchObject({ type: 'PostgresUnavailable', nonRetryable: false });
    await postgres.start();
    expect(await runActivity(noop, { context: stepContext() }, { attempt: 2 })).toEqual({ done: true });
  });
});

describe('a step without activity', () => {
  it('is running, then ended, however often it is recorded', async () => {
    const { recordStep } = createRunRecordActivities({ ...silentReports, ledger, artifacts: memoryArtifactStore() });
    const context = stepContext({ step: 'gate', position: 5 });
    for (const _attempt of [1, 2]) await runActivity(recordStep, { context, state: 'running' });
    expect(await stepRow()).toMatchObject({ state: 'running', worker: 'workflow' });
    for (const _attempt of [1, 2]) await runActivity(recordStep, { context, state: 'succeeded', output: { passed: true, gates: [] } });
    expect(await stepRow()).toMatchObject({ state: 'succeeded', output: { passed: true } });
  });
});

describe('proven outputs', () => {
  const artifacts = memoryArtifactStore();
  const finish = (name: string, position: number, output: unknown) => ledger.finishStep(stepContext({ step: name, position }), output);
  const load = (before: string) => runActivity(createRunRecordActivities({ ...silentReports, ledger, artifacts }).loadProvenOutputs, { retryOf: 'flights.r1', before });

  it('are those before the step, in one chain, whose artifacts are there', async () => {
    const manifest = await artifacts.put(Buffer.from('manifest'));
    const lost = await artifacts.put(Buffer.from('report'));
    await finish('ingest', 0, { dataset: 'flights', manifest });
    await finish('check', 1, { passed: true, nested: [{ report: lost }] });
    await finish('features', 2, { version: 'v', manifest });
    expect(Object.keys(await load('train'))).toEqual(['ingest', 'check', 'features']);
    expect(Object.keys(await load('features'))).toEqual(['ingest', 'check']);
    artifacts.delete(lost);
    expect(Object.keys(await load('train'))).toEqual(['ingest']);
  });

  it('end at the first gap', async () => {
    await finish('ingest', 0, {});
    await ledger.failStep(stepContext({ step: 'check', position: 1 }), { code: 'Internal', message: 'm', fix: 'f' }, 'failed');
    await finish('features', 2, {});
    expect(await load('train')).toEqual({ ingest: {} });
    expect(await runActivity(createRunRecordActivities({ ...silentReports, ledger, artifacts }).loadProvenOutputs, { retryOf: 'flights.none', before: 'train' })).toEqual({});
  });
});
