/** Parts of a search that contradict each other or the rest of the pipeline. */
import type { ModelPipelineSpec } from '../../contracts/pipeline.ts';
import { MOST_SEARCH_NUMBERS, type SearchBudget, type SearchParameter, type SearchSpec } from '../../contracts/search.ts';
import { metricNamesOf } from '../../domain/metrics.ts';
import { limitSeconds, reservationSeconds } from '../../domain/search/budget.ts';
import { rungsOf } from '../../domain/search/pruner.ts';
import { gridValuesOf } from '../../domain/search/space.ts';
import type { FieldError } from '../http/problem.ts';
import { metricErrors } from './gate-contradictions.ts';

const MOST_PARAMETERS = 20;

const parameterErrors = (name: string, parameter: SearchParameter, sampler: SearchSpec['sampler']): FieldError[] => {
  const path = `search.space.${name}`;
  if (parameter.type === 'categorical') {
    const { values } = parameter;
    return new Set(values).size === values.length ? [] : [{ path: `${path}.values`, message: 'names a value twice', fix: 'Name each value once.' }];
  }
  const { min, max, log } = parameter;
  if (min > max || (parameter.type === 'number' && min === max)) return [{ path: `${path}.max`, message: `${max} is not above min (${min})`, fix: 'Exchange them, or give the one value in train.params.' }];
  if (log && min <= 0) return [{ path: `${path}.min`, message: `${min} has no place on a logarithmic scale`, fix: 'Raise min above 0, or take log out.' }];
  if (log && parameter.type === 'integer' && parameter.step !== 1) return [{ path: `${path}.step`, message: 'a logarithmic scale has no even steps', fix: 'Take step or log out.' }];
  if (sampler === 'grid' && gridValuesOf(parameter) === undefined) return [{ path: `${path}.points`, message: 'a grid needs to know how many values to take', fix: 'Add points, or use the sampler random or tpe.' }];
  return [];
};

const budgetErrors = (budget: SearchBudget | undefined, timeoutSeconds: number): FieldError[] => {
  if (budget === undefined) return [];
  const { minutes, money, pricePerMinute } = budget;
  if (minutes === undefined && money === undefined) return [{ path: 'search.budget', message: 'limits nothing', fix: 'Add minutes, money or both.' }];
  if (money !== undefined && pricePerMinute === undefined) return [{ path: 'search.budget.pricePerMinute', message: 'without a price, money is no limit', fix: 'Say what a minute of one trial costs.' }];
  const [limit, reservation] = [limitSeconds(budget), reservationSeconds(budget, timeoutSeconds)];
  if (reservation <= limit) return [];
  return [{ path: 'search.budget', message: `${(limit / 60).toFixed(1)} min have no room for one trial, which reserves ${(reservation / 60).toFixed(1)} min`, fix: 'Raise the budget, or lower trialMinutes or train.timeoutSeconds.' }];
};

const sizeErrors = ({ space, trials, pruner }: SearchSpec): FieldError[] => {
  const count = Object.keys(space).length;
  if (count === 0) return [{ path: 'search.space', message: 'names no parameter', fix: 'Add one, or take search out.' }];
  if (count > MOST_PARAMETERS) return [{ path: 'search.space', message: `names ${count} parameters`, fix: `Search at most ${MOST_PARAMETERS} at once.` }];
  const numbers = trials * (count + rungsOf(pruner).length + 2);
  if (numbers <= MOST_SEARCH_NUMBERS) return [];
  const most = Math.floor(MOST_SEARCH_NUMBERS / (numbers / trials));
  return [{ path: 'search.trials', message: `${trials} trials of ${count} parameters with the pruner ${pruner} are more than a search keeps in mind`, fix: `Lower trials to ${most}, or search fewer parameters.` }];
};

export const searchErrors = ({ search, features, train }: ModelPipelineSpec): FieldError[] => {
  if (search === undefined) return [];
  const known = metricNamesOf(features.task);
  const { metric } = search;
  return [
    ...sizeErrors(search),
    ...Object.entries(search.space).flatMap(([name, parameter]) => parameterErrors(name, parameter, search.sampler)),
    ...(metric === undefined ? [] : metricErrors(metric, known, { path: 'search.metric', task: features.task })),
    ...budgetErrors(search.budget, train.timeoutSeconds),
  ];
};
