/** What parameters the next trials get: pure, seeded, and decided by the finished trials in the order of their numbers alone. */
import type { FinishedTrial, SearchSpec, TrialParams } from '../../contracts/search.ts';
import { seededRandom } from '../random.ts';
import { gridPoint, gridSize } from './space.ts';
import { drawRandom, tpeSampler } from './tpe.ts';

/** How many trials a search makes at most: a grid ends with its last combination. */
export const trialsOf = ({ sampler, space, trials }: SearchSpec): number => (sampler === 'grid' ? Math.min(trials, gridSize(space)) : trials);

/** Each trial has a generator of its own, so that what is drawn for it depends on no other trial of its batch. Knuth's multiplicative hash spreads neighbouring numbers. */
const randomOf = (seed: number, number: number): (() => number) => seededRandom((seed ^ Math.imul(number + 1, 0x9e3779b1)) >>> 0);

/**
 * Parameters of the trials `first` to `first + count - 1`.
 *
 * @param finished every trial before them, in any order
 * @param lossOf turns a value of the metric into one of which less is better
 */
export const sampleBatch = (
  search: SearchSpec,
  batch: { first: number; count: number; seed: number },
  trials: { finished: readonly FinishedTrial[]; lossOf: (value: number) => number },
): TrialParams[] => {
  const numbers = Array.from({ length: batch.count }, (_, index) => batch.first + index);
  if (search.sampler === 'grid') return numbers.map((number) => gridPoint(search.space, number));
  const finished = [...trials.finished].sort((one, other) => one.number - other.number);
  const draw = search.sampler === 'random' ? (random: () => number) => drawRandom(search.space, random) : tpeSampler(search.space, finished, trials.lossOf);
  return numbers.map((number) => draw(randomOf(batch.seed, number)));
};
