/**
 * Comparing two shares of failures by a sequential test that may be looked at any time: however often somebody looks, and whenever he stops,
 * the chance of a wrong verdict stays below the significance. An ordinary test looked at again and again is wrong sooner or later.
 *
 * Each arm has a confidence sequence for the mean of a Bernoulli: the values of p that the mixture likelihood ratio
 * M(p) = B(a + f, b + n - f) / (B(a, b) p^f (1 - p)^(n - f)) does not exclude, M(p) < 1 / alpha. M(p) is a non-negative martingale under p, so by Ville's
 * inequality it ever reaches 1 / alpha with probability at most alpha. It is the mixture sequential probability ratio test with a beta
 * mixture (H. Robbins, "Statistical methods related to the law of the iterated logarithm", Annals of Mathematical Statistics 41, 1970); always-valid inference in
 * A/B tests: R. Johari, P. Koomen, L. Pekelis, D. Walsh, "Always valid inference: continuous monitoring of A/B tests", Operations Research 70(3), 2022;
 * confidence sequences: S. R. Howard, A. Ramdas, J. McAuliffe, J. Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals of
 * Statistics 49(2), 2021. It is exact for any number of requests, which the normal approximation is not for rare failures. The interval of the
 * difference joins the two arms by the union bound.
 */
import { logGamma } from './drift/special-functions.ts';

/** Requests of one arm and how many of them failed. */
export type Arm = { requests: number; failures: number };

/** Bounds of a share or of a difference of shares. */
export type Interval = { low: number; high: number };

/** Weights of the mixture: the beta distribution of Jeffreys, which is narrow for rare failures. */
const MIXTURE = 0.5;

const logBeta = (a: number, b: number): number => logGamma(a) + logGamma(b) - logGamma(a + b);

const logLikelihood = ({ requests, failures }: Arm, p: number): number =>
  (failures === 0 ? 0 : failures * Math.log(p)) + (failures === requests ? 0 : (requests - failures) * Math.log1p(-p));

/** Halvings after which a bound is exact to the precision of a double near 0. */
const HALVINGS = 60;

/** Where `isExcluded` changes between a value that is excluded and one that is not; the excluded end, so that no error of rounding narrows the interval. */
const boundary = (excluded: number, included: number, isExcluded: (p: number) => boolean): number => {
  let [out, inside] = [excluded, included];
  for (let step = 0; step < HALVINGS; step += 1) {
    const middle = (out + inside) / 2;
    if (isExcluded(middle)) out = middle;
    else inside = middle;
  }
  return out;
};

/**
 * The confidence sequence of one arm at its present counts.
 * @param alpha chance, over all looks together, that the interval ever misses the true share; 0 to 1
 * @returns 0 to 1 for an arm without requests
 */
export const shareInterval = (arm: Arm, alpha: number): Interval => {
  const { requests, failures } = arm;
  if (requests === 0) return { low: 0, high: 1 };
  const logMixture = logBeta(MIXTURE + failures, MIXTURE + requests - failures) - logBeta(MIXTURE, MIXTURE);
  const isExcluded = (p: number): boolean => logMixture - logLikelihood(arm, p) >= -Math.log(alpha);
  const estimate = failures / requests;
  return {
    low: failures === 0 ? 0 : boundary(0, estimate, isExcluded),
    high: failures === requests ? 1 : boundary(1, estimate, isExcluded),
  };
};

/** Failure share of the canary less that of stable, as an interval that holds at all looks together with probability 1 - alpha. */
export const differenceInterval = (canary: Arm, stable: Arm, alpha: number): Interval => {
  const ofCanary = shareInterval(canary, alpha / 2);
  const ofStable = shareInterval(stable, alpha / 2);
  return { low: ofCanary.low - ofStable.high, high: ofCanary.high - ofStable.low };
};

export type Comparison = Interval & { kind: 'worse' | 'noWorse' | 'better' | 'undecided' };

/**
 * `worse`: the canary fails more often than stable by more than `maximumDifference`; `noWorse`: it does not. Both are said with the error `alpha`,
 * whatever the number of looks; until one of them can be said it is `undecided`. `better` is `noWorse` and more: it fails less often than stable.
 */
export const compareFailures = (canary: Arm, stable: Arm, { maximumDifference, alpha }: { maximumDifference: number; alpha: number }): Comparison => {
  const interval = differenceInterval(canary, stable, alpha);
  if (interval.low > maximumDifference) return { kind: 'worse', ...interval };
  if (interval.high < 0) return { kind: 'better', ...interval };
  return { kind: interval.high <= maximumDifference ? 'noWorse' : 'undecided', ...interval };
};
