/** What the ends of runs and rollouts and the windows of a monitor report, on real rows. */
import { expect, it } from 'vitest';
import type { z } from 'zod';
import { createTriggerActivities } from '../../../activities/triggers.ts';
import { createReportActivities, reportFinishedRollout, reportFinishedRun, type ReportPorts } from '../../../activities/alert-reports.ts';
import { createAlertFacts } from '../../../adapters/postgres/alert-facts.ts';
import { createModelRegistry } from '../../../adapters/postgres/model-registry.ts';
import { createMonitorWindows } from '../../../adapters/postgres/monitor-windows.ts';
import { createPipelines } from '../../../adapters/postgres/pipelines.ts';
import { createRetrains } from '../../../adapters/postgres/retrains.ts';
import { createRunLedger } from '../../../adapters/postgres/run-ledger.ts';
import { createTriggerLedger } from '../../../adapters/postgres/trigger-ledger.ts';
import type { AlertsSpec } from '../../../contracts/alert.ts';
import { MonitorSpec } from '../../../contracts/monitor.ts';
import { PerennialFailure } from '../../../domain/failure.ts';
import type { AlertReport } from '../../../domain/ports/alerts.ts';
import { runActivity } from '../../support/activity.ts';
import { databasePerTest } from '../../support/database-per-test.ts';
import type { TestDatabase } from '../../support/database.ts';
import { registration, silentReports, stepContext } from '../../support/fakes.ts';
import { monitorWindow } from '../../workflows/support/artifacts.ts';
import { modelPipeline } from '../../workflows/support/specs.ts';

let test: TestDatabase;
let reported: AlertReport[];
let ports: ReportPorts;

const apply = async (alerts: z.input<typeof AlertsSpec>): Promise<void> => {
  const spec = modelPipeline('flights', { alerts });
  await test.database.insertInto('pipelines').values({ name: 'flights', current_version: 1 }).execute();
  await test.database.insertInto('pipeline_versions').values({ pipeline: 'flights', version: 1, spec: JSON.stringify(spec), spec_hash: 'x', created_by: 'ada' }).execute();
};

databasePerTest((fresh) => {
  test = fresh;
  reported = [];
  ports = {
    facts: createAlertFacts(test.database),
    pipelines: createPipelines(test.database),
    registry: createModelRegistry(test.database),
    workflows: { ...silentReports.workflows, reportAlert: async (report) => void reported.push(report) },
  };
});

const shape = () => reported.map(({ kind, subject, occurrence }) => `${kind}/${subject} ${occurrence.firing ? 'holds' : 'is clear'}`);

it('a champion that was not beaten for long is reported with the retrain that did not, however often that is recorded', async () => {
  await apply({ on: ['championNotBeaten'] });
  await ports.registry.registerVersion(registration('flights.r0'));
  await test.database.insertInto('model_aliases').values({ model: 'flights', alias: 'champion', version: 1 }).execute();
  const ledger = createRunLedger(test);
  const { recordRetrain } = createTriggerActivities({ ...ports, triggers: createTriggerLedger(test.database), retrains: createRetrains(test.database) });
  for (const runId of ['flights.r1', 'flights.r2', 'flights.r3']) {
    const context = stepContext({ runId, workflowId: `run/flights/${runId}` });
    await ledger.startStep(context, { number: 1, worker: 'w', input: {} });
    await ledger.finishRun(context, { state: 'rejected', outcome: { kind: 'rejected', reasons: ['champion: no better'] } });
    for (const _attempt of [1, 2]) await runActivity(recordRetrain, { pipeline: 'flights', runId });
  }
  expect(reported.map(({ occurrence }) => [occurrence.id, occurrence.reason])).toEqual([1, 2].map(() => ['flights.r3', '3 retrains in a row did not beat the champion']));
});

it('a rollout that was rolled back is reported for the pipeline that made its version', async () => {
  await apply({ receivers: ['team'] });
  await ports.registry.registerVersion(registration('flights.r1'));
  const outcome = { kind: 'rolledBack' as const, model: 'flights', version: 1, reason: 'slow', step: 0, generation: 3 };
  await runActivity((input: Parameters<typeof reportFinishedRollout>[1]) => reportFinishedRollout(ports, input), { rolloutId: 'flights.x', outcome });
  expect(reported).toMatchObject([{ model: 'flights', pipeline: 'flights', kind: 'rolledBack', policy: { receivers: ['team'] }, occurrence: { id: 'flights.x', firing: true } }]);
});

it('windows are reported as they are now, as often as they are looked at', async () => {
  await apply({ labelsMissingWindows: 2 });
  const { alertOnWindows } = createReportActivities(ports);
  const look = async (): Promise<string[]> => {
    reported = [];
    await runActivity(alertOnWindows, { model: 'flights', pipeline: 'flights', version: 1, spec: MonitorSpec.parse({}) });
    return shape();
  };
  const windows = createMonitorWindows(test.database);
  expect(await look()).toEqual([]);
  await windows.save('flights', monitorWindow(0, 1, { drifted: true, driftScore: 0.5 }));
  expect(await look()).toEqual(['drift/champion holds', 'labelsMissing/champion is clear']);
  await windows.save('flights', monitorWindow(1, 1));
  expect(await look()).toEqual(['drift/champion is clear', 'labelsMissing/champion holds']);
  await windows.save('flights', monitorWindow(0, 1, { drifted: true, driftScore: 0.5, labelled: 700, quality: 0.5, qualityDropped: true }));
  expect(await look()).toEqual(['drift/champion is clear', 'quality/champion holds', 'labelsMissing/champion is clear']);
});

it('an outage is outlasted with the activity; anything else does not keep the run from ending', async () => {
  await apply({});
  const end = { pipeline: 'flights', runId: 'flights.r1', state: 'failed' as const };
  const report = (error: Error) => {
    const workflows = { ...silentReports.workflows, reportAlert: async () => Promise.reject(error) };
    return runActivity((input: typeof end) => reportFinishedRun({ ...ports, workflows }, input), end);
  };
  await expect(report(new PerennialFailure('TemporalUnavailable', 'away'))).rejects.toThrow('away');
  await expect(report(new Error('a defect'))).resolves.toBeUndefined();
});
