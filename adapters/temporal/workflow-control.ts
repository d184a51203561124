/** What activities ask of the workflow engine, by the Temporal client: signals that start their workflow where it does not run. */
import { WorkflowNotFoundError, type Client, type WorkflowExecutionStatusName } from '@temporalio/client';
import type { AlertInput } from '../../contracts/alert.ts';
import { alertWorkflowId, monitorWorkflowId, searchWorkflowId, triggersWorkflowId, workflowIdOfRunId } from '../../contracts/ids.ts';
import { alertOccurrenceSignal, championChangedSignal, submitTriggerSignal, trialReportedSignal } from '../../contracts/messages.ts';
import type { MonitorInput } from '../../contracts/monitor.ts';
import { WORKFLOWS_POOL, taskQueueOf } from '../../contracts/queues.ts';
import type { RunPresence } from '../../contracts/schedule.ts';
import type { Trigger, TriggersInput } from '../../contracts/trigger.ts';
import type { AlertReport } from '../../domain/ports/alerts.ts';
import type { WorkflowControl } from '../../domain/ports/workflow-control.ts';
import { askTemporal } from './ask-temporal.ts';

/** A workflow that ended (by hand, say) is started again under its id. */
const options = { taskQueue: taskQueueOf(WORKFLOWS_POOL), workflowIdReusePolicy: 'ALLOW_DUPLICATE', workflowIdConflictPolicy: 'USE_EXISTING' } as const;

const PRESENCE: Partial<Record<WorkflowExecutionStatusName, RunPresence>> = { RUNNING: 'open', CONTINUED_AS_NEW: 'open', PAUSED: 'open', COMPLETED: 'ended', CANCELLED: 'cancelled' };

/** Undefined when Temporal does not know the run (any more). */
const ifFound = async <T>(question: Promise<T>): Promise<T | undefined> => {
  try {
    return await question;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
};

const raiseAlert = (client: Client, { model, kind, subject, pipeline, policy, occurrence }: AlertReport): Promise<unknown> => {
  const input: AlertInput = { model, kind, subject, pipeline, policy };
  return client.workflow.signalWithStart('alert', {
    ...options,
    workflowId: alertWorkflowId(input),
    args: [input],
    signal: alertOccurrenceSignal,
    signalArgs: [{ occurrence, pipeline, policy }],
    staticSummary: `${kind} of ${model}: ${occurrence.reason}`.slice(0, 200),
  });
};

/** Without an open incident there is nothing that could be clear. */
const clearAlert = (client: Client, report: AlertReport): Promise<unknown> => {
  const { pipeline, policy, occurrence } = report;
  return ifFound(client.workflow.getHandle(alertWorkflowId(report)).signal(alertOccurrenceSignal, { occurrence, pipeline, policy }));
};

/** @throws PerennialFailure TemporalUnavailable while the server cannot be reached */
export const createWorkflowControl = (client: Client): WorkflowControl => ({
  submitTrigger: async (pipeline: string, trigger: Trigger) => {
    const input: TriggersInput = { pipeline };
    await askTemporal(client, () =>
      client.workflow.signalWithStart('pipelineTriggers', {
        ...options,
        workflowId: triggersWorkflowId(pipeline),
        args: [input],
        signal: submitTriggerSignal,
        signalArgs: [trigger],
      }),
    );
  },
  startMonitor: async (input: MonitorInput) => {
    const { model, version, pipeline, spec } = input;
    await askTemporal(client, () =>
      client.workflow.signalWithStart('modelMonitor', {
        ...options,
        workflowId: monitorWorkflowId(model),
        args: [input],
        signal: championChangedSignal,
        signalArgs: [{ version, pipeline, spec }],
      }),
    );
  },
  reportTrial: async (runId, report) => {
    await ifFound(askTemporal(client, () => client.workflow.getHandle(searchWorkflowId(runId)).signal(trialReportedSignal, report)));
  },
  runPresence: async (runId) => {
    const handle = client.workflow.getHandle(workflowIdOfRunId(runId) ?? runId);
    const description = await ifFound(askTemporal(client, () => handle.describe()));
    return description === undefined ? 'absent' : (PRESENCE[description.status.name] ?? 'failed');
  },
  cancelRun: async (runId) => {
    await ifFound(askTemporal(client, () => client.workflow.getHandle(workflowIdOfRunId(runId) ?? runId).cancel()));
  },
  reportAlert: async (report) => {
    await askTemporal(client, () => (report.occurrence.firing ? raiseAlert(client, report) : clearAlert(client, report)));
  },
});
