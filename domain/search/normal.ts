/** The normal distribution cut off at both ends, of which Parzen estimators are made. */

/** Hart's rational approximation (algorithm 5666) as West gives it: Better approximations to cumulative normal functions, 2005. */
const NUMERATOR = [3.52624965998911e-2, 0.700383064443688, 6.37396220353165, 33.912866078383, 112.079291497871, 221.213596169931, 220.206867912376];
const DENOMINATOR = [8.83883476483184e-2, 1.75566716318264, 16.064177579207, 86.7807322029461, 296.564248779674, 637.333633378831, 793.826512519948, 440.413735824752];
const RATIONAL_ENDS = 7.07106781186547;
const SQRT_TWO_PI = Math.sqrt(2 * Math.PI);

const polynomial = (coefficients: readonly number[], x: number): number => {
  let sum = 0;
  for (const coefficient of coefficients) sum = sum * x + coefficient;
  return sum;
};

/** Share of a standard normal distribution below z, for z <= 0. */
const lowerTail = (z: number): number => {
  const x = -z;
  if (x > 38) return 0;
  const exponential = Math.exp((-x * x) / 2);
  if (x < RATIONAL_ENDS) return (exponential * polynomial(NUMERATOR, x)) / polynomial(DENOMINATOR, x);
  return exponential / (x + 1 / (x + 2 / (x + 3 / (x + 4 / (x + 0.65))))) / SQRT_TWO_PI;
};

/** Share of a standard normal distribution below z; its error is below 1e-14. */
export const normalBelow = (z: number): number => (z <= 0 ? lowerTail(z) : 1 - lowerTail(-z));

/** Share between two points; computed in the lower tail, where no digits are lost. */
const shareBetween = (from: number, to: number): number => (from > 0 ? lowerTail(-from) - lowerTail(-to) : normalBelow(to) - normalBelow(from));

/** Coefficients of Acklam's rational approximation of the normal quantile (relative error 1.15e-9). */
const CENTRE_NUMERATOR = [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239];
const CENTRE_DENOMINATOR = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1];
const TAIL_NUMERATOR = [-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783];
const TAIL_DENOMINATOR = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1];
const TAIL_BEGINS = 0.02425;

/** The z below which the share of a standard normal distribution lies; its error is below 1e-8. */
export const normalQuantile = (share: number): number => {
  if (share <= 0) return Number.NEGATIVE_INFINITY;
  if (share > 1 - TAIL_BEGINS) return -normalQuantile(1 - share);
  if (share < TAIL_BEGINS) {
    const q = Math.sqrt(-2 * Math.log(share));
    return polynomial(TAIL_NUMERATOR, q) / polynomial(TAIL_DENOMINATOR, q);
  }
  const q = share - 0.5;
  return (polynomial(CENTRE_NUMERATOR, q * q) * q) / polynomial(CENTRE_DENOMINATOR, q * q);
};

export type TruncatedNormal = {
  /** A value of the distribution, from a number in [0, 1). */
  draw(share: number): number;
  /** Logarithm of the density at a point within the bounds. */
  logDensity(point: number): number;
  /** Logarithm of the mass between two points within the bounds. */
  logMass(from: number, to: number): number;
};

/** The mean lies within the bounds. */
export const truncatedNormal = ({ mean, deviation, low, high }: { mean: number; deviation: number; low: number; high: number }): TruncatedNormal => {
  const below = normalBelow((low - mean) / deviation);
  const mass = shareBetween((low - mean) / deviation, (high - mean) / deviation);
  const [logScale, logMassAll] = [Math.log(SQRT_TWO_PI * deviation * mass), Math.log(mass)];
  return {
    draw: (share) => Math.min(high, Math.max(low, mean + deviation * normalQuantile(below + share * mass))),
    logDensity: (point) => {
      const z = (point - mean) / deviation;
      return (-z * z) / 2 - logScale;
    },
    logMass: (from, to) => Math.log(shareBetween((from - mean) / deviation, (to - mean) / deviation)) - logMassAll,
  };
};
