/**
 * Reports of conditions to their incidents, by the activities that know them: the end of a run, the end of a rollout, the windows of a monitor.
 * Occurrences have ids, so a repeated report changes nothing.
 */
import { log } from '@temporalio/activity';
import type { AlertActivities } from '../contracts/activities.ts';
import { AlertsSpec } from '../contracts/alert.ts';
import type { RolloutOutcome } from '../contracts/rollout.ts';
import type { ChampionStanding } from '../contracts/trigger.ts';
import { championConditions, rolloutConditions, runConditions, wantedConditions, windowConditions, type AlertCondition, type RunEnd } from '../domain/alerts.ts';
import { PerennialFailure } from '../domain/failure.ts';
import type { AlertFacts } from '../domain/ports/alerts.ts';
import type { ModelRegistry } from '../domain/ports/model-registry.ts';
import type { Pipelines } from '../domain/ports/monitoring.ts';
import type { WorkflowControl } from '../domain/ports/workflow-control.ts';
import { modelNameOf } from '../domain/steps.ts';
import { effect } from './boundary.ts';

export type ReportPorts = { facts: AlertFacts; pipelines: Pipelines; registry: ModelRegistry; workflows: WorkflowControl };

/** What alerts of a pipeline are about. */
type About = { model: string; pipeline: string; policy: AlertsSpec };

/** The pipeline's model and its policy as it is now; undefined when there is no such pipeline, or it makes no model. */
const aboutOf = async ({ pipelines }: ReportPorts, pipeline: string): Promise<About | undefined> => {
  const spec = (await pipelines.current(pipeline))?.spec;
  // A version that was applied before there were alerts has the default policy.
  return spec?.kind === 'model' ? { model: modelNameOf(spec), pipeline, policy: AlertsSpec.parse(spec.alerts ?? {}) } : undefined;
};

const report = async (ports: ReportPorts, about: About, conditions: AlertCondition[]): Promise<void> => {
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

/** Reports what the end of a run says of its model, after its row has been written. @throws PerennialFailure in an outage */
export const reportRunEnd = async (ports: ReportPorts, end: RunEnd): Promise<void> => {
  const about = await aboutOf(ports, end.pipeline);
  if (about !== undefined) await report(ports, about, runConditions(end, new Date().toISOString()));
};

/** As `reportRunEnd`, beside the end of the run itself. */
export const reportFinishedRun = (ports: ReportPorts, end: RunEnd): Promise<void> => beside(`run ${end.runId}`, () => reportRunEnd(ports, end));

/** Reports what the end of a rollout says, beside that end itself. */
export const reportFinishedRollout = (ports: ReportPorts, { rolloutId, outcome }: { rolloutId: string; outcome: RolloutOutcome }): Promise<void> =>
  beside(`rollout ${rolloutId}`, async () => {
    const { model, version } = outcome;
    const record = await ports.registry.version(model, version);
    const about = record === undefined ? undefined : await aboutOf(ports, record.lineage.pipeline);
    if (about !== undefined) await report(ports, { ...about, model }, rolloutConditions(rolloutId, outcome, new Date().toISOString()));
  });

/** Reports what a retrain says of the champion, beside its record. */
export const reportRetrain = (ports: ReportPorts, pipeline: string, standing: ChampionStanding): Promise<void> =>
  beside(`retrain ${standing.runId}`, async () => {
    const about = await aboutOf(ports, pipeline);
    if (about !== undefined) await report(ports, { ...about, model: standing.model }, championConditions(pipeline, standing, new Date().toISOString()));
  });

const alertOnWindows = async (ports: ReportPorts, { model, pipeline, version, spec }: Parameters<AlertActivities['alertOnWindows']>[0]): Promise<void> => {
  const about = await aboutOf(ports, pipeline);
  if (about === undefined) return;
  const windows = await ports.facts.newestWindows({ model, version, minimumLabels: spec.quality.minimumLabels });
  await report(ports, { ...about, model }, windowConditions(windows, spec, { policy: about.policy, at: new Date().toISOString() }));
};

export const createReportActivities = (ports: ReportPorts): Pick<AlertActivities, 'alertOnWindows'> => ({
  alertOnWindows: effect((input: Parameters<AlertActivities['alertOnWindows']>[0]) => alertOnWindows(ports, input)),
});
