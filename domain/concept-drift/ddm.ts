/**
 * DDM, drift detection method: J. Gama, P. Medas, G. Castillo, P. Rodrigues, "Learning with Drift Detection", SBIA 2004. It watches the share of
 * errors p with its standard deviation s, and compares p + s with the least that it ever was: two deviations above is a warning, three
 * a change. It only sees errors become more. Strict comparisons, as in the library river.
 */
import type { Change } from './change.ts';

export type DdmParameters = { warmStart: number; warningThreshold: number; driftThreshold: number };

/** `least` is the share and deviation at which their sum was least; null before the warm start is over. */
export type DdmState = { count: number; share: number; least: { share: number; deviation: number } | null };

export const newDdm = (): DdmState => ({ count: 0, share: 0, least: null });

/** @param error 1 for a wrong decision, 0 for a right one */
export const updateDdm = (state: DdmState, error: number, { warmStart, warningThreshold, driftThreshold }: DdmParameters): Change => {
  state.count += 1;
  state.share += (1 / state.count) * (error - state.share);
  if (state.count <= warmStart) return 'none';
  const { share } = state;
  const deviation = Math.sqrt((share * (1 - share)) / state.count);
  if (state.least === null || share + deviation <= state.least.share + state.least.deviation) state.least = { share, deviation };
  const { least } = state;
  if (share + deviation > least.share + driftThreshold * least.deviation) return 'rise';
  return share + deviation > least.share + warningThreshold * least.deviation ? 'warning' : 'none';
};
