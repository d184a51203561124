/** Steps of the trigger ledger. */
import type { MonitorActivities, TriggerActivities } from '../contracts/activities.ts';
import type { Trigger, TriggerOutcome } from '../contracts/trigger.ts';
import type { Pipelines, TriggerLedger } from '../domain/ports/monitoring.ts';
import type { WorkflowControl } from '../domain/ports/workflow-control.ts';
import { effect } from './boundary.ts';

export type TriggerPorts = { triggers: TriggerLedger; pipelines: Pipelines; workflows: WorkflowControl };

export const createTriggerActivities = ({ triggers, pipelines, workflows }: TriggerPorts): TriggerActivities & Pick<MonitorActivities, 'submitTrigger'> => ({
  recordTriggers: effect(({ pipeline, decisions }: { pipeline: string; decisions: { trigger: Trigger; outcome: TriggerOutcome }[] }) =>
    triggers.record(pipeline, decisions),
  ),
  loadPipeline: effect(async ({ pipeline }: { pipeline: string }) => (await pipelines.current(pipeline)) ?? null),
  submitTrigger: effect(({ pipeline, trigger }: { pipeline: string; trigger: Trigger }) => workflows.submitTrigger(pipeline, trigger)),
});
