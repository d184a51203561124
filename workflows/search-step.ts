/** The search step: a hyper-parameter search as a child, and the parameters that it found for the training that follows. */
import { CancellationScope, ChildWorkflowCancellationType, executeChild, ParentClosePolicy } from '@temporalio/workflow';
import type { FeatureSetRef } from '../contracts/features.ts';
import { searchWorkflowId } from '../contracts/ids.ts';
import { WORKFLOWS_POOL } from '../contracts/queues.ts';
import type { StepContext } from '../contracts/run.ts';
import type { SearchInput, SearchOutcome, SearchSpec } from '../contracts/search.ts';
import { searchMetric, validationPeriod } from '../domain/search/outcome.ts';
import type { hyperparameterSearch } from './hyperparameter-search.ts';
import { doStep, type ModelRun } from './model-step.ts';
import { quick } from './proxies.ts';
import { searchAttributesOf } from './search-attributes.ts';

const searchInput = ({ spec }: ModelRun, search: SearchSpec, { context, featureSet }: { context: StepContext; featureSet: FeatureSetRef }): SearchInput => {
  const { features, train } = spec;
  const { pool, timeoutSeconds, scheduleToStartSeconds } = train;
  return {
    context,
    featureSet: { train: featureSet.train, trainRows: featureSet.trainRows },
    search,
    metric: searchMetric(search, features.task),
    seed: search.seed ?? train.seed,
    validation: validationPeriod(spec),
    train: { pool, timeoutSeconds, scheduleToStartSeconds },
  };
};

const executeSearch = (input: SearchInput): Promise<SearchOutcome> => {
  const { runId, pipeline, model } = input.context;
  return executeChild<typeof hyperparameterSearch>('hyperparameterSearch', {
    workflowId: searchWorkflowId(runId),
    args: [input],
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    typedSearchAttributes: searchAttributesOf({ pipeline, model, stage: 'search' }),
    staticSummary: `${input.search.trials} trials by ${input.search.sampler} of ${runId}`,
  });
};

const search = (run: ModelRun, declared: SearchSpec, featureSet: FeatureSetRef): Promise<SearchOutcome> =>
  doStep(run, { name: 'search', pool: WORKFLOWS_POOL }, async (context) => {
    await quick(`search of ${declared.trials} trials`).recordStep({ context, state: 'running' });
    const outcome = await executeSearch(searchInput(run, declared, { context, featureSet }));
    await CancellationScope.nonCancellable(() => quick(`trial ${outcome.best.trial} is the best`).recordStep({ context, state: 'succeeded', output: outcome }));
    return outcome;
  });

/** The run with the parameters that its search found, where it declares one. */
export const withSearchedParams = async (run: ModelRun, featureSet: FeatureSetRef): Promise<ModelRun> => {
  const { spec } = run;
  if (spec.search === undefined) return run;
  const { best } = await search(run, spec.search, featureSet);
  return { ...run, spec: { ...spec, train: { ...spec.train, params: { ...spec.train.params, ...best.params } } } };
};
