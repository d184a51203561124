import { describe, expect, it } from 'vitest';
import { createRunLedger } from '../../../adapters/postgres/run-ledger.ts';
import type { RunLedger } from '../../../domain/ports/run-ledger.ts';
import { databasePerTest } from '../../support/database-per-test.ts';
import type { TestDatabase, TestPostgres } from '../../support/database.ts';
import { artifactOf, stepContext } from '../../support/fakes.ts';

let postgres: TestPostgres;
let test: TestDatabase;
let ledger: RunLedger;

databasePerTest((fresh, server) => {
  test = fresh;
  postgres = server;
  ledger = createRunLedger(test);
});

const runOf = (runId: string) => test.database.selectFrom('runs').selectAll().where('run_id', '=', runId).executeTakeFirstOrThrow();
const stepOf = (runId: string, step: string) =>
  test.database.selectFrom('run_steps').selectAll().where('run_id', '=', runId).where('step', '=', step).executeTakeFirstOrThrow();

const attempt = (number: number) => ({ number, worker: `host/${number}`, input: { number } });
const failure = { code: 'SourceNotFound', message: 'no file', fix: 'look' };

describe('a step', () => {
  it('is one statement at its start and one at its end, and brings the run row', async () => {
    const queries: string[] = [];
    test.pool.on('acquire', () => queries.push('acquired'));
    await ledger.startStep(stepContext(), attempt(1));
    expect(queries).toHaveLength(1);
    expect(await runOf('flights.r1')).toMatchObject({ state: 'running', pipeline: 'flights', model: 'flights', trigger: { kind: 'manual' } });
    expect(await stepOf('flights.r1', 'ingest')).toMatchObject({ state: 'running', attempts: 1, worker: 'host/1', input: { number: 1 } });
    queries.length = 0;
    await ledger.finishStep(stepContext(), { rows: 3 });
    expect(queries).toHaveLength(1);
    expect(await stepOf('flights.r1', 'ingest')).toMatchObject({ state: 'succeeded', output: { rows: 3 } });
    expect((await runOf('flights.r1')).finished_at).toBeNull();
  });

  it('that is the last ends the run; a repeated one keeps the first end', async () => {
    const last = stepContext({ finishesRun: { kind: 'succeeded' } });
    await ledger.startStep(last, attempt(1));
    await ledger.finishStep(last, { done: true });
    const first = await runOf('flights.r1');
    expect(first).toMatchObject({ state: 'succeeded', outcome: { kind: 'succeeded' } });
    await ledger.startStep(last, attempt(2));
    await ledger.finishStep(last, { done: true });
    expect(await runOf('flights.r1')).toEqual(first);
    expect(await stepOf('flights.r1', 'ingest')).toMatchObject({ state: 'succeeded', attempts: 2 });
  });

  it('of a given-up attempt neither starts anew nor undoes a success', async () => {
    await ledger.startStep(stepContext(), attempt(2));
    await ledger.startStep(stepContext(), attempt(1));
    expect(await stepOf('flights.r1', 'ingest')).toMatchObject({ attempts: 2, worker: 'host/2' });
    await ledger.finishStep(stepContext(), { rows: 3 });
    await ledger.failStep(stepContext(), failure, 'failed');
    expect(await stepOf('flights.r1', 'ingest')).toMatchObject({ state: 'succeeded', output: { rows: 3 }, failure: null });
  });

  it('keeps text that jsonb refuses, with a substitute', async () => {
    await ledger.startStep(stepContext(), attempt(1));
    const message = 'a\u0000b\ud800c \\u0000';
    await ledger.failStep(stepContext(), { ...failure, message }, 'failed');
    expect((await stepOf('flights.r1', 'ingest')).failure).toMatchObject({ message: 'a\uFFFDb\uFFFDc \\u0000' });
  });

  it('may end before anything else was written', async () => {
    await ledger.finishStep(stepContext({ step: 'gate', position: 5 }), [{ gate: 'rows', passed: true }]);
    expect(await stepOf('flights.r1', 'gate')).toMatchObject({ state: 'succeeded', position: 5 });
    expect(await ledger.outputsOf('flights.r1')).toEqual([{ step: 'gate', position: 5, output: [{ gate: 'rows', passed: true }] }]);
  });
});

describe('the end of a run', () => {
  it('closes the steps that were left open', async () => {
    await ledger.startStep(stepContext(), attempt(1));
    await ledger.finishRun(stepContext(), { state: 'failed', failure });
    expect(await runOf('flights.r1')).toMatchObject({ state: 'failed', failure });
    expect(await stepOf('flights.r1', 'ingest')).toMatchObject({ state: 'failed', failure });
  });

  it('is written once', async () => {
    await ledger.finishRun(stepContext(), { state: 'cancelled' });
    await ledger.finishRun(stepContext(), { state: 'failed', failure });
    expect(await runOf('flights.r1')).toMatchObject({ state: 'cancelled', failure: null });
  });

  it('comes from Temporal for an open row, and only the history for one that has its end', async () => {
    const history = { artifact: artifactOf('history'), events: 9 };
    await ledger.startStep(stepContext({ runId: 'flights.open' }), attempt(1));
    await ledger.finishRun(stepContext({ runId: 'flights.ended' }), { state: 'rejected', outcome: { kind: 'rejected', reasons: ['no'] } });
    await ledger.settleRun('flights.open', { state: 'terminated', failure, history });
    await ledger.settleRun('flights.ended', { state: 'terminated', failure, history });
    expect(await runOf('flights.open')).toMatchObject({ state: 'terminated', failure, history });
    expect(await stepOf('flights.open', 'ingest')).toMatchObject({ state: 'failed' });
    expect(await runOf('flights.ended')).toMatchObject({ state: 'rejected', failure: null, history });
    expect(await ledger.unsettledRuns(10)).toEqual([]);
  });

  it('looks at every unsettled run in turn, however many are open', async () => {
    for (const name of ['a', 'b', 'c']) await ledger.startStep(stepContext({ runId: `flights.${name}` }), attempt(1));
    const seen = [];
    for (let look = 0; look < 3; look += 1) seen.push((await ledger.unsettledRuns(1))[0]?.runId);
    expect(seen).toEqual(['flights.a', 'flights.b', 'flights.c']);
    expect((await ledger.unsettledRuns(1))[0]?.runId).toBe('flights.a');
  });
});

describe('an outage', () => {
  it('is the failure PostgresUnavailable, and the pool recovers', async () => {
    await ledger.startStep(stepContext(), attempt(1));
    await postgres.kill();
    await expect(ledger.startStep(stepContext(), attempt(1))).rejects.toMatchObject({ code: 'PostgresUnavailable', retryable: true });
    await postgres.start();
    await ledger.finishStep(stepContext(), { done: true });
    expect(await stepOf('flights.r1', 'ingest')).toMatchObject({ state: 'succeeded' });
  }, 60_000);
});
