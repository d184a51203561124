/** The search space: parameters in a fixed order, and the values that they may have. */
import type { ParameterValue, SearchParameter, SearchSpace, TrialParams } from '../../contracts/search.ts';

export type NamedParameter = { name: string; parameter: SearchParameter };
export type NumericParameter = Exclude<SearchParameter, { type: 'categorical' }>;

/** By name: the order in which they were written is lost in a database that keeps JSON by its keys. */
export const parametersOf = (space: SearchSpace): NamedParameter[] =>
  Object.entries(space)
    .sort(([first], [second]) => (first < second ? -1 : 1))
    .map(([name, parameter]) => ({ name, parameter }));

const clamp = (value: number, { min, max }: { min: number; max: number }): number => Math.min(max, Math.max(min, value));

/** The largest value of an integer's lattice. */
const lastStep = ({ min, max, step }: { min: number; max: number; step: number }): number => min + Math.floor((max - min) / step) * step;

/** The nearest value that the parameter may have. */
export const roundTo = (parameter: NumericParameter, value: number): number => {
  if (parameter.type === 'number') return clamp(value, parameter);
  const { min, step } = parameter;
  return clamp(min + Math.round((value - min) / step) * step, { min, max: lastStep(parameter) });
};

/** A numeric parameter as an interval on which it is even: logarithmic where it says so, with room around each integer. `step` is 0 where every point of it is a value. */
export const intervalOf = (parameter: NumericParameter): { low: number; high: number; step: number } => {
  if (parameter.type === 'number') return parameter.log ? { low: Math.log(parameter.min), high: Math.log(parameter.max), step: 0 } : { low: parameter.min, high: parameter.max, step: 0 };
  const { min, step, log } = parameter;
  if (log) return { low: Math.log(min - 0.5), high: Math.log(parameter.max + 0.5), step: 0 };
  return { low: min - step / 2, high: lastStep(parameter) + step / 2, step };
};

/** A value of the parameter as a point of its interval. */
export const toInterval = (parameter: NumericParameter, value: number): number => (parameter.log ? Math.log(value) : value);

/** The value of the parameter at a point of its interval. */
export const fromInterval = (parameter: NumericParameter, point: number): number => roundTo(parameter, parameter.log ? Math.exp(point) : point);

/** A value drawn evenly, from a number in [0, 1). */
export const drawEvenly = (parameter: SearchParameter, share: number): ParameterValue => {
  if (parameter.type === 'categorical') return parameter.values[Math.floor(share * parameter.values.length)]!;
  const { low, high } = intervalOf(parameter);
  return fromInterval(parameter, low + share * (high - low));
};

const spaced = (parameter: NumericParameter, points: number): number[] => {
  const [low, high] = [toInterval(parameter, parameter.min), toInterval(parameter, parameter.max)];
  const values = Array.from({ length: points }, (_, index) => fromInterval(parameter, low + ((high - low) * index) / (points - 1)));
  // The ends are named by the user: no rounding of a logarithm is to move them.
  return [...new Set([parameter.min, ...values.slice(1, -1), roundTo(parameter, parameter.max)])];
};

/** The values that a grid takes; undefined for a number that does not say how many. */
export const gridValuesOf = (parameter: SearchParameter): ParameterValue[] | undefined => {
  if (parameter.type === 'categorical') return parameter.values;
  if (parameter.points !== undefined) return spaced(parameter, parameter.points);
  if (parameter.type === 'number') return undefined;
  const { min, max, step } = parameter;
  return Array.from({ length: Math.floor((max - min) / step) + 1 }, (_, index) => min + index * step);
};

/** How many combinations a grid has; Infinity where a number does not say how many values it takes. */
export const gridSize = (space: SearchSpace): number => parametersOf(space).reduce((size, { parameter }) => size * (gridValuesOf(parameter)?.length ?? Number.POSITIVE_INFINITY), 1);

/** The combination at a place of the grid, from 0: the last parameter changes fastest. */
export const gridPoint = (space: SearchSpace, place: number): TrialParams => {
  const params: TrialParams = {};
  let rest = place;
  for (const { name, parameter } of parametersOf(space).reverse()) {
    const values = gridValuesOf(parameter) ?? [];
    params[name] = values[rest % values.length]!;
    rest = Math.floor(rest / values.length);
  }
  return params;
};
