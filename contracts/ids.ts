/**
 * Identifiers and the one place that composes them. Zod-free: workflows import these as values.
 */

/** What a user may call a pipeline, a model, a dataset, a table or an alias: no path, no space, at most 128 characters. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export const runWorkflowId = (pipeline: string, runId: string): string => `run/${pipeline}/${runId}`;
export const rolloutWorkflowId = (model: string): string => `rollout/${model}`;
export const searchWorkflowId = (runId: string): string => `search/${runId}`;
/** Trials of a search count from 0. */
export const trialWorkflowId = (runId: string, number: number): string => `trial/${runId}/${number}`;
export const monitorWorkflowId = (model: string): string => `monitor/${model}`;
export const triggersWorkflowId = (pipeline: string): string => `triggers/${pipeline}`;
/** One open incident per model, kind and subject. */
export const alertWorkflowId = ({ model, kind, subject }: { model: string; kind: string; subject: string }): string => `alert/${model}/${kind}/${subject}`;

/** A Temporal Schedule, and the workflow that it starts: Temporal appends `-` and the scheduled time, in seconds. */
export const scheduleId = (pipeline: string, name: string): string => `schedule/${pipeline}/${name}`;
export const tickWorkflowId = (pipeline: string, name: string): string => `tick/${pipeline}/${name}`;

/** The scheduled time of a tick from the id of its workflow, ISO 8601 in UTC; undefined when there is none. */
export const scheduledTimeOf = (workflowId: string, { pipeline, name }: { pipeline: string; name: string }): string | undefined => {
  const prefix = `${tickWorkflowId(pipeline, name)}-`;
  const time = workflowId.startsWith(prefix) ? Date.parse(workflowId.slice(prefix.length)) : Number.NaN;
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
};

/** A run id is `<pipeline>.<unique part>`, so that a run is found without a row; the unique part has no dot. */
export const composeRunId = (pipeline: string, uniquePart: string): string => `${pipeline}.${uniquePart}`;

/** The pipeline of a run id; undefined when the text is no run id. */
export const pipelineOfRunId = (runId: string): string | undefined => {
  const dot = runId.lastIndexOf('.');
  return dot > 0 && dot < runId.length - 1 ? runId.slice(0, dot) : undefined;
};

/** Workflow id of a run id; undefined when the text is no run id. */
export const workflowIdOfRunId = (runId: string): string | undefined => {
  const pipeline = pipelineOfRunId(runId);
  return pipeline === undefined ? undefined : runWorkflowId(pipeline, runId);
};

/**
 * Names one execution of a rollout: the model and the run id of its first Temporal execution, which
 * continue-as-new keeps. Every request id of the rollout starts with it.
 */
export const composeRolloutId = (model: string, firstExecutionRunId: string): string => `${model}.${firstExecutionRunId}`;

/** The search attributes that `up` registers. */
export const SEARCH_ATTRIBUTES = {
  pipeline: 'PerennialPipeline',
  model: 'PerennialModel',
  stage: 'PerennialStage',
  outcome: 'PerennialOutcome',
  trigger: 'PerennialTrigger',
} as const;

export const CHAMPION = 'champion';
export const CHALLENGER = 'challenger';
