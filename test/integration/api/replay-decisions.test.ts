/** Past decisions judged again, on rows as the run ledger writes them. */
import { expect, it } from 'vitest';
import { createRunLedger } from '../../../adapters/postgres/run-ledger.ts';
import { createTestApi, modelPipeline, unreachableTemporal, type TestApi } from '../../support/api.ts';
import { databasePerTest } from '../../support/database-per-test.ts';
import type { TestDatabase } from '../../support/database.ts';
import { stepContext } from '../../support/fakes.ts';
import { evaluationReport } from '../../workflows/support/artifacts.ts';

let test: TestDatabase;
let api: TestApi;
databasePerTest(async (fresh) => {
  test = fresh;
  api = await createTestApi(fresh, await unreachableTemporal());
});

const decide = async (runId: string, rocAuc: number): Promise<void> => {
  const ledger = createRunLedger(test);
  const report = { ...evaluationReport, candidate: { ...evaluationReport.candidate, rocAuc } };
  await ledger.finishStep(stepContext({ runId, step: 'evaluate', position: 4 }), report);
  const passed = rocAuc >= 0.7;
  await ledger.finishStep(stepContext({ runId, step: 'gate', position: 5 }), { passed, gates: [{ gate: 'threshold rocAuc', passed, reason: 'as it was' }] });
};

const replay = (payload: object, name = 'flights') => api.as('viewer', { method: 'POST', url: `/api/v1/pipelines/${name}/replay-decisions`, payload });

it('says which of them would be others, and changes nothing', async () => {
  await api.as('author', { method: 'PUT', url: '/api/v1/pipelines/flights', payload: modelPipeline('flights', { gates: [{ kind: 'threshold', metric: 'rocAuc', min: 0.7 }] }) });
  await decide('flights.r1', 0.72);
  await decide('flights.r2', 0.65);
  await decide('flights.r3', 0.8);
  const before = await test.database.selectFrom('run_steps').selectAll().orderBy('run_id').orderBy('step').execute();
  expect((await replay({})).body).toMatchObject({ pipeline: 'flights', changed: 0, unreadable: 0 });
  const { status, body } = await replay({ gates: [{ kind: 'threshold', metric: 'rocAuc', min: 0.75 }] });
  expect([status, body.changed]).toEqual([200, 1]);
  expect(body.decisions.map(({ runId, then, now, changed }: { runId: string; then: { passed: boolean }; now: { passed: boolean }; changed: boolean }) => [runId, then.passed, now.passed, changed])).toEqual([
    ['flights.r3', true, true, false],
    ['flights.r2', false, false, false],
    ['flights.r1', true, false, true],
  ]);
  expect((await replay({ limit: 1 })).body.decisions).toHaveLength(1);
  expect(await replay({ gates: [{ kind: 'treshold', metric: 'rocAuc', min: 0.75 }] })).toMatchObject({ status: 400 });
  expect(await replay({}, 'none')).toMatchObject({ status: 404, body: { code: 'PipelineNotFound' } });
  expect(await test.database.selectFrom('run_steps').selectAll().orderBy('run_id').orderBy('step').execute()).toEqual(before);
});
