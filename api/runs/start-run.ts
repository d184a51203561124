/** Starts the workflow of a run. The API writes no run row: the run's own steps do, so that there are never two writers. */
import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { composeRunId, runWorkflowId, SEARCH_ATTRIBUTES } from '../../contracts/ids.ts';
import { modelOf } from '../../contracts/pipeline.ts';
import { taskQueueOf, WORKFLOWS_POOL } from '../../contracts/queues.ts';
import type { RunInput } from '../../contracts/run.ts';
import type { ApiContext } from '../http/app-types.ts';
import type { RunMemo } from './live-runs.ts';
import { runLinks } from './run-links.ts';
import type { StartedRun } from './run-schemas.ts';

const keyword = (name: string, value: string): SearchAttributePair => ({ key: defineSearchAttributeKey(name, 'KEYWORD'), value });

const searchAttributesOf = ({ pipeline, spec, trigger }: RunInput): SearchAttributePair[] => [
  keyword(SEARCH_ATTRIBUTES.pipeline, pipeline),
  keyword(SEARCH_ATTRIBUTES.trigger, trigger.kind),
  ...(spec.kind === 'model' ? [keyword(SEARCH_ATTRIBUTES.model, modelOf(spec))] : []),
];

/** `unique` is the last part of the run id: the same one is the same run, however often it is started. */
export const startRun = async (context: ApiContext, { unique, ...run }: Omit<RunInput, 'runId'> & { unique: string }): Promise<StartedRun> => {
  const runId = composeRunId(run.pipeline, unique);
  const workflowId = runWorkflowId(run.pipeline, runId);
  const input: RunInput = { runId, ...run };
  const memo: RunMemo = { pipelineVersion: run.pipelineVersion, trigger: run.trigger, ...(run.retryOf === undefined ? {} : { retryOf: run.retryOf }) };
  try {
    const handle = await context.temporalCalls.call((client) =>
      client.workflow.start('pipelineRun', {
        workflowId,
        taskQueue: taskQueueOf(WORKFLOWS_POOL),
        args: [input],
        workflowIdConflictPolicy: 'USE_EXISTING',
        // A run that has ended under this id is the answer, not something to do again.
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        typedSearchAttributes: searchAttributesOf(input),
        memo,
        staticSummary: `${run.pipeline}, version ${run.pipelineVersion}: ${run.trigger.reason}`.slice(0, 200),
      }),
    );
    context.liveRuns.started(workflowId, { workflowRunId: handle.firstExecutionRunId, startedAt: new Date().toISOString(), memo });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  return { runId, workflowId, links: runLinks(context.temporal, { runId, workflowId }) };
};
