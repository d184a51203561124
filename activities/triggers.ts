/** Steps of the trigger ledger, and of the ticks of schedules, which go into it. */
import type { MonitorActivities, TickActivities, TriggerActivities } from '../contracts/activities.ts';
import type { PipelineSpec } from '../contracts/pipeline.ts';
import type { LedgerPipeline, Trigger, TriggerOutcome } from '../contracts/trigger.ts';
import type { Pipelines, Retrains, TriggerLedger } from '../domain/ports/monitoring.ts';
import type { WorkflowControl } from '../domain/ports/workflow-control.ts';
import { tickTrigger } from '../domain/schedules.ts';
import { modelNameOf } from '../domain/steps.ts';
import { reportRetrain, type ReportPorts } from './alert-reports.ts';
import { effect } from './boundary.ts';

export type TriggerPorts = ReportPorts & { triggers: TriggerLedger; pipelines: Pipelines; retrains: Retrains; workflows: WorkflowControl };

const policyOf = (spec: PipelineSpec) => (spec.kind === 'model' ? { model: modelNameOf(spec), periodSeconds: spec.triggers.budget?.periodSeconds } : {});

/** Only reads, so it is safe to repeat: a later answer is a truer one. */
const loadPipeline = async ({ pipelines, retrains }: TriggerPorts, pipeline: string): Promise<LedgerPipeline | null> => {
  const current = await pipelines.current(pipeline);
  if (current === undefined) return null;
  return { ...current, ...(await retrains.facts({ pipeline, ...policyOf(current.spec) })) };
};

/** Alerts after as many unbeaten retrains as the pipeline says now. Safe to repeat: the first row of a run stands. */
const recordRetrain = async (ports: TriggerPorts, { pipeline, runId }: { pipeline: string; runId: string }) => {
  const current = await ports.pipelines.current(pipeline);
  if (current?.spec.kind !== 'model') return null;
  const standing = await ports.retrains.record({ pipeline, runId, limit: current.spec.triggers.unbeatenRetrains });
  if (standing !== null) await reportRetrain(ports, pipeline, standing);
  return standing;
};

export const createTriggerActivities = (ports: TriggerPorts): TriggerActivities & Pick<MonitorActivities, 'submitTrigger'> => ({
  recordTriggers: effect(({ pipeline, decisions }: { pipeline: string; decisions: { trigger: Trigger; outcome: TriggerOutcome }[] }) =>
    ports.triggers.record(pipeline, decisions),
  ),
  loadPipeline: effect(({ pipeline }: { pipeline: string }) => loadPipeline(ports, pipeline)),
  recordRetrain: effect((input: { pipeline: string; runId: string }) => recordRetrain(ports, input)),
  submitTrigger: effect(({ pipeline, trigger }: { pipeline: string; trigger: Trigger }) => ports.workflows.submitTrigger(pipeline, trigger)),
});

export const createTickActivities = ({ triggers, workflows }: TriggerPorts): TickActivities => ({
  submitTick: effect(async (tick: Parameters<TickActivities['submitTick']>[0]) => {
    const trigger = tickTrigger(tick);
    await workflows.submitTrigger(tick.pipeline, trigger);
    return { triggerId: trigger.id };
  }),
  resolveTrigger: effect(({ pipeline, triggerId }: { pipeline: string; triggerId: string }) => triggers.resolve(pipeline, triggerId)),
  runPresence: effect(({ runId }: { runId: string }) => workflows.runPresence(runId)),
  cancelRun: effect(({ runId }: { runId: string }) => workflows.cancelRun(runId)),
});
