/**
 * The multivariate Parzen estimator of TPE (Bergstra et al. 2011; Falkner et al. 2018 for the product kernel), with the settings of
 * Optuna 4's `TPESampler(multivariate=True)`: one kernel per observation and one for the prior, truncated normals of the bandwidth
 * 0.2 n^(-1/(d+4)) of the range, never below the range / min(100, kernels + 1); a category's kernel is its own value and the prior.
 */
import type { ParameterValue, TrialParams } from '../../contracts/search.ts';
import { truncatedNormal, type TruncatedNormal } from './normal.ts';
import { fromInterval, intervalOf, toInterval, type NamedParameter, type NumericParameter } from './space.ts';

/** One parameter of the estimator: draws from a kernel, and weighs a value under each of them. */
type Dimension = {
  draw(kernel: number, random: () => number): ParameterValue;
  /** Logarithm of the density (of the mass, for steps and categories) of a value under a kernel. */
  logLikelihood(kernel: number, value: ParameterValue): number;
};

export type ParzenEstimator = { draw(random: () => number): TrialParams; logLikelihood(params: TrialParams): number };

const BANDWIDTH = 0.2;
const MOST_KERNELS_THAT_NARROW = 100;
const PRIOR_WEIGHT = 1;

const bandwidthOf = (range: number, { observations, dimensions }: { observations: number; dimensions: number }): number => {
  const width = BANDWIDTH * range * Math.max(observations, 1) ** (-1 / (dimensions + 4));
  return Math.min(range, Math.max(range / Math.min(MOST_KERNELS_THAT_NARROW, observations + 2), width));
};

const numericDimension = (parameter: NumericParameter, observed: number[], dimensions: number): Dimension => {
  const { low, high, step } = intervalOf(parameter);
  const range = high - low;
  const deviation = bandwidthOf(range, { observations: observed.length, dimensions });
  const kernels: TruncatedNormal[] = [
    ...observed.map((value) => truncatedNormal({ mean: Math.min(high, Math.max(low, toInterval(parameter, value))), deviation, low, high })),
    truncatedNormal({ mean: (low + high) / 2, deviation: range, low, high }),
  ];
  return {
    draw: (kernel, random) => fromInterval(parameter, kernels[kernel]!.draw(random())),
    logLikelihood: (kernel, value) => {
      const point = toInterval(parameter, value as number);
      return step === 0 ? kernels[kernel]!.logDensity(point) : kernels[kernel]!.logMass(point - step / 2, point + step / 2);
    },
  };
};

const pick = (weights: readonly number[], share: number): number => {
  let rest = share * weights.reduce((sum, weight) => sum + weight, 0);
  const index = weights.findIndex((weight) => (rest -= weight) < 0);
  return index < 0 ? weights.length - 1 : index;
};

const categoricalDimension = (values: readonly ParameterValue[], observed: ParameterValue[]): Dimension => {
  const prior = PRIOR_WEIGHT / (observed.length + 1);
  const kernels = [...observed, undefined].map((seen) => {
    const weights = values.map((value) => prior + (value === seen ? 1 : 0));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight) => weight / total);
  });
  return {
    draw: (kernel, random) => values[pick(kernels[kernel]!, random())]!,
    logLikelihood: (kernel, value) => Math.log(kernels[kernel]![values.indexOf(value)] ?? 0),
  };
};

/** Weights of observations in the order of their trials: the last 25 count fully, older ones less the older they are. */
const observationWeights = (count: number): number[] =>
  Array.from({ length: count }, (_, index) => {
    const older = count - 25;
    if (index >= older) return 1;
    return older === 1 ? 1 / count : 1 / count + ((1 - 1 / count) * index) / (older - 1);
  });

const logSumExp = (terms: readonly number[]): number => {
  const largest = terms.reduce((most, term) => Math.max(most, term), Number.NEGATIVE_INFINITY);
  return largest === Number.NEGATIVE_INFINITY ? largest : largest + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - largest), 0));
};

/** @param observed parameters of trials in the order of their numbers; none gives the prior */
export const parzenEstimator = (parameters: readonly NamedParameter[], observed: readonly TrialParams[]): ParzenEstimator => {
  const dimensions = parameters.map(({ name, parameter }) => {
    const values = observed.map((params) => params[name]!);
    return parameter.type === 'categorical' ? categoricalDimension(parameter.values, values) : numericDimension(parameter, values as number[], parameters.length);
  });
  const weights = [...observationWeights(observed.length), PRIOR_WEIGHT];
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const logWeights = weights.map((weight) => Math.log(weight / total));
  return {
    draw: (random) => {
      const kernel = pick(weights, random());
      return Object.fromEntries(parameters.map(({ name }, index) => [name, dimensions[index]!.draw(kernel, random)]));
    },
    logLikelihood: (params) =>
      logSumExp(logWeights.map((logWeight, kernel) => parameters.reduce((sum, { name }, index) => sum + dimensions[index]!.logLikelihood(kernel, params[name]!), logWeight))),
  };
};
