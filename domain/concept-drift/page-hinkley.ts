/**
 * The Page-Hinkley test: E. S. Page, "Continuous Inspection Schemes", Biometrika 41 (1954); D. V. Hinkley, "Inference about the Change-Point from
 * Cumulative Sum Tests", Biometrika 58 (1971). It sums how far values lie above their mean (less `delta`, forgetting by `alpha`), and
 * finds a change when the sum is more than `threshold` above the least that it was. Order of operations as in the library river.
 */
import type { Change } from './change.ts';

export type PageHinkleyParameters = { minimumCount: number; delta: number; threshold: number; alpha: number };

/** Sums of the deviations for a rise and for a fall, with the least and the largest that they were; null before the first value. */
export type PageHinkleyState = { count: number; mean: number; rising: number; falling: number; leastRising: number | null; mostFalling: number | null };

export const newPageHinkley = (): PageHinkleyState => ({ count: 0, mean: 0, rising: 0, falling: 0, leastRising: null, mostFalling: null });

/** Adds one value, changes `state` in place, and says whether the mean has changed, and which way. */
export const updatePageHinkley = (state: PageHinkleyState, value: number, { minimumCount, delta, threshold, alpha }: PageHinkleyParameters): Change => {
  state.count += 1;
  state.mean += (1 / state.count) * (value - state.mean);
  const deviation = value - state.mean;
  state.rising = alpha * state.rising + deviation - delta;
  state.falling = alpha * state.falling + deviation + delta;
  state.leastRising = Math.min(state.leastRising ?? Infinity, state.rising);
  state.mostFalling = Math.max(state.mostFalling ?? -Infinity, state.falling);
  if (state.count < minimumCount) return 'none';
  if (state.rising - state.leastRising > threshold) return 'rise';
  return state.mostFalling - state.falling > threshold ? 'fall' : 'none';
};
