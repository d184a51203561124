/** What a search carries over continue-as-new, packed: numbers and ends of hundreds of trials in one small payload. */
import type { FinishedTrial, PackedTrial, SearchSpace } from '../../contracts/search.ts';
import { parametersOf } from './space.ts';

export const packTrials = (space: SearchSpace, finished: readonly FinishedTrial[]): PackedTrial[] => {
  const names = parametersOf(space).map(({ name }) => name);
  return finished.map(({ number, state, value, rung, params }): PackedTrial => [number, state, value, rung, ...names.map((name) => params[name]!)]);
};

export const unpackTrials = (space: SearchSpace, packed: readonly PackedTrial[]): FinishedTrial[] => {
  const names = parametersOf(space).map(({ name }) => name);
  return packed.map(([number, state, value, rung, ...values]) => ({ number, state, value, rung, params: Object.fromEntries(names.map((name, index) => [name, values[index]!])) }));
};
