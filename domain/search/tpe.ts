/**
 * The tree-structured Parzen estimator (Bergstra, Bardenet, Bengio, Kégl: Algorithms for Hyper-Parameter Optimization, 2011): models the good trials
 * and the others as densities l and g, and takes of some draws of l the one with the largest l/g. Settings are those of Optuna 4.
 */
import type { FinishedTrial, SearchSpace, TrialParams } from '../../contracts/search.ts';
import { parzenEstimator, type ParzenEstimator } from './parzen.ts';
import { drawEvenly, parametersOf } from './space.ts';

/** Trials that are drawn evenly before there is something to learn from. */
const STARTUP_TRIALS = 10;
const CANDIDATES = 24;

/** How many of the trials count as good. */
const goodCount = (trials: number): number => Math.min(Math.ceil(0.1 * trials), 25);

export const drawRandom = (space: SearchSpace, random: () => number): TrialParams => Object.fromEntries(parametersOf(space).map(({ name, parameter }) => [name, drawEvenly(parameter, random())]));

/**
 * Best first: trials that were judged by their loss, then pruned ones, those that came further first; equal ones by number. What failed or was cancelled
 * says nothing of its parameters.
 */
const ranked = (finished: readonly FinishedTrial[], lossOf: (value: number) => number): FinishedTrial[] => {
  const rankOf = ({ state, rung }: FinishedTrial): number => (state === 'succeeded' ? -1_000 : -(rung ?? -1));
  const loss = ({ value }: FinishedTrial): number => (value === null ? Number.POSITIVE_INFINITY : lossOf(value));
  return finished
    .filter(({ state }) => state === 'succeeded' || state === 'pruned')
    .map((trial) => ({ trial, rank: rankOf(trial), loss: loss(trial) }))
    .sort((first, second) => first.rank - second.rank || (first.loss < second.loss ? -1 : first.loss > second.loss ? 1 : first.trial.number - second.trial.number))
    .map(({ trial }) => trial);
};

const byNumber = (first: FinishedTrial, second: FinishedTrial): number => first.number - second.number;

/**
 * Learns from the finished trials; the function that it gives draws the parameters of one trial.
 *
 * @param lossOf turns a value of the metric into one of which less is better
 */
export const tpeSampler = (space: SearchSpace, finished: readonly FinishedTrial[], lossOf: (value: number) => number): ((random: () => number) => TrialParams) => {
  const trials = ranked(finished, lossOf);
  if (trials.length < STARTUP_TRIALS) return (random) => drawRandom(space, random);
  const parameters = parametersOf(space);
  const good = goodCount(trials.length);
  const estimatorOf = (part: FinishedTrial[]): ParzenEstimator => parzenEstimator(parameters, part.sort(byNumber).map(({ params }) => params));
  const [below, above] = [estimatorOf(trials.slice(0, good)), estimatorOf(trials.slice(good))];
  return (random) => {
    let best: { params: TrialParams; gain: number } | undefined;
    for (let drawn = 0; drawn < CANDIDATES; drawn += 1) {
      const params = below.draw(random);
      const gain = below.logLikelihood(params) - above.logLikelihood(params);
      if (best === undefined || gain > best.gain) best = { params, gain };
    }
    return best!.params;
  };
};
