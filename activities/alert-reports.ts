/**
 * Reports of conditions to their incidents, by the activities that know them: the end of a run, the end of a rollout, the windows of a monitor.
 * Occurrences have ids, so a repeated report changes nothing.
 */
import { log } from '@temporalio/activity';
import type { AlertActivities } from '../contracts/activities.ts';
import { AlertsSpec } from '../contracts/alert.ts';
import type { RolloutOutcome } from '../contracts/rollout.ts';
import { rolloutConditions, runConditions, wantedConditions, windowConditions, type AlertCondition, type RunEnd } from '../domain/alerts.ts';
import { PerennialFailure } from '../domain/failure.ts';
import type { AlertFacts } from '../domain/ports/alerts.ts';
import type { ModelRegistry } from '../domain/ports/model-registry.ts';
import type { Pipelines } from '../domain/ports/monitoring.ts';
import type { WorkflowControl } from '../domain/ports/workflow-control.ts';
import { effect } from './boundary.ts';

export type ReportPorts = { facts: AlertFacts; pipelines: Pipelines; registry: ModelRegistry; workflows: WorkflowControl };

/** Runs that may be needed to see that the champion was not beaten for as long as a policy can say. */
const RUN_ENDS = 200;

/** The policy of the pipeline as it is now; undefined when there is no such pipeline, or it makes no model. */
const policyOf = async ({ pipelines }: ReportPorts, pipeline: string): Promise<AlertsSpec | undefined> => {
  const current = await pipelines.current(pipeline);
  // A version that was applied before there were alerts has the default policy.
  return current?.spec.kind === 'model' ? AlertsSpec.parse(current.spec.alerts ?? {}) : undefined;
};

const report = async (ports: ReportPorts, about: { model: string; pipeline: string; policy: AlertsSpec }, conditions: AlertCondition[]): Promise<void> => {
  for (const { kind, subject, occurrence } of wantedConditions(conditions, about.policy)) {
    await ports.workflows.reportAlert({ ...about, kind, subject, occurrence });
  }
};

/** An outage is outlasted with the activity; anything else must not keep a run or a rollout from ending. */
const beside = async (what: string, work: () => Promise<void>): Promise<void> => {
  try {
    await work();
  } catch (error) {
    if (error instanceof PerennialFailure && error.retryable) throw error;
    log.warn('an alert could not be reported', { what, error: String(error) });
  }
};

/** Reports what the end of a run says of its model, after its row has been written. */
export const reportRunEnd = (ports: ReportPorts, end: RunEnd & { model?: string }): Promise<void> =>
  beside(`run ${end.runId}`, async () => {
    const { pipeline, model } = end;
    const policy = await policyOf(ports, pipeline);
    if (policy === undefined || model === undefined) return;
    const ends = await ports.facts.runEnds(pipeline, RUN_ENDS);
    await report(ports, { model, pipeline, policy }, runConditions(end, ends, { policy, at: new Date().toISOString() }));
  });

/** Reports what the end of a rollout says. */
export const reportRolloutEnd = (ports: ReportPorts, { rolloutId, outcome }: { rolloutId: string; outcome: RolloutOutcome }): Promise<void> =>
  beside(`rollout ${rolloutId}`, async () => {
    const { model, version } = outcome;
    const record = await ports.registry.version(model, version);
    const policy = record === undefined ? undefined : await policyOf(ports, record.lineage.pipeline);
    if (record === undefined || policy === undefined) return;
    await report(ports, { model, pipeline: record.lineage.pipeline, policy }, rolloutConditions(rolloutId, outcome, new Date().toISOString()));
  });

const alertOnWindows = async (ports: ReportPorts, { model, pipeline, version, spec }: Parameters<AlertActivities['alertOnWindows']>[0]): Promise<void> => {
  const policy = await policyOf(ports, pipeline);
  if (policy === undefined) return;
  const windows = await ports.facts.newestWindows({ model, version, minimumLabels: spec.quality.minimumLabels });
  await report(ports, { model, pipeline, policy }, windowConditions(windows, spec, { policy, at: new Date().toISOString() }));
};

export const createReportActivities = (ports: ReportPorts): Pick<AlertActivities, 'alertOnWindows'> => ({
  alertOnWindows: effect((input: Parameters<AlertActivities['alertOnWindows']>[0]) => alertOnWindows(ports, input)),
});
