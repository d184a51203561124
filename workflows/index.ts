/** The only entry of the workflow bundle: what is exported here are the workflow types. */
export { alert } from './alert.ts';
export { hyperparameterSearch } from './hyperparameter-search.ts';
export { modelMonitor } from './model-monitor.ts';
export { pipelineRun } from './pipeline-run.ts';
export { pipelineTriggers } from './pipeline-triggers.ts';
export { rollout } from './rollout.ts';
export { scheduledTrigger } from './scheduled-trigger.ts';
export { searchTrial } from './search-trial.ts';
