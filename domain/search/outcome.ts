/** What a search ended with, and which metric it goes by. */
import type { Task } from '../../contracts/features.ts';
import type { MetricName } from '../../contracts/metric.ts';
import type { ModelPipelineSpec } from '../../contracts/pipeline.ts';
import type { FinishedTrial, SearchOutcome, SearchSpec } from '../../contracts/search.ts';
import { DIRECTION } from '../metrics.ts';

/** The metric by which the trials of a task are judged when the pipeline names none: a proper score, or the error that training makes small. */
export const searchMetric = (search: SearchSpec, task: Task): MetricName => search.metric ?? (task === 'regression' ? 'rmse' : 'logLoss');

/** Turns a value of the metric into one of which less is better. */
export const lossOf = (metric: MetricName): ((value: number) => number) => (DIRECTION[metric] === 1 ? (value) => -value : (value) => value);

/** The period of validation: by default as long as the holdout. */
export const validationPeriod = (spec: ModelPipelineSpec): string => spec.search?.validation?.last ?? spec.split.holdout.last;

/** The trial with the smallest loss, the earlier of equal ones; null when none succeeded. */
export const bestOf = (finished: readonly FinishedTrial[], metric: MetricName): SearchOutcome['best'] | null => {
  const loss = lossOf(metric);
  let best: SearchOutcome['best'] | null = null;
  for (const { number, state, value, params } of [...finished].sort((first, second) => first.number - second.number)) {
    if (state !== 'succeeded' || value === null) continue;
    if (best === null || loss(value) < loss(best.value)) best = { trial: number, value, params };
  }
  return best;
};

/** How many trials ended in each way. */
export const countEnds = (finished: readonly FinishedTrial[]): Pick<SearchOutcome, 'trials' | 'succeeded' | 'pruned' | 'failed' | 'cancelled'> => {
  const counts = { trials: finished.length, succeeded: 0, pruned: 0, failed: 0, cancelled: 0 };
  for (const { state } of finished) counts[state] += 1;
  return counts;
};
