/** The first Wasserstein distance, in standard deviations of the reference. */
import { shareDifferences, type NumericPair } from './numeric-pair.ts';

/** A column without spread would make any difference infinite (Evidently's bound). */
const LEAST_DEVIATION = 0.001;

/**
 * Integral of |difference| over a bin of this width, from its values at both ends and its own integral. Where they have one sign, so has the integral.
 * Else the difference is taken for a step: exact where values lie on edges, and off by less than width times the smaller end elsewhere.
 */
const absoluteIntegral = (integral: number, width: number, [left, right]: [number, number]): number => {
  if (left * right >= 0) return Math.abs(integral);
  const step = Math.min(width, Math.max(0, (integral - right * width) / (left - right)));
  return Math.abs(left) * step + Math.abs(right) * (width - step);
};

/**
 * The area between the two distribution functions. Over a bin (a, b] the integral of a share of values is its value at a times (b - a) plus the mean gap
 * of the bin's values to b: so counts and gaps give it without the values. Below the first and above the last edge there is only the gap.
 */
export const wassersteinDistance = (pair: NumericPair): number => {
  const { edges, reference, current } = pair;
  const differences = shareDifferences(pair);
  const gapOf = (bin: number): number => reference.gaps[bin]! / reference.rows - current.gaps[bin]! / current.rows;
  let distance = Math.abs(gapOf(0)) + Math.abs(gapOf(edges.length));
  for (let bin = 1; bin < edges.length; bin += 1) {
    const width = edges[bin]! - edges[bin - 1]!;
    const [left, right] = [differences[bin - 1]!, differences[bin]!];
    distance += absoluteIntegral(left * width + gapOf(bin), width, [left, right]);
  }
  return distance;
};

export const normedWasserstein = (pair: NumericPair): number => wassersteinDistance(pair) / Math.max(pair.deviation, LEAST_DEVIATION);
