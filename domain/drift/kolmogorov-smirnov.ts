/** The two-sample Kolmogorov-Smirnov test. */
import { kolmogorovSmirnovTail } from './kolmogorov-distribution.ts';
import { shareDifferences, type NumericPair } from './numeric-pair.ts';

/** The largest difference of the two shares of values up to a point; between the edges of bins it is not seen. */
export const kolmogorovSmirnovStatistic = (pair: NumericPair): number => shareDifferences(pair).reduce((largest, difference) => Math.max(largest, Math.abs(difference)), 0);

/** The p-value, two-sided. */
export const kolmogorovSmirnov = (pair: NumericPair): number => kolmogorovSmirnovTail(kolmogorovSmirnovStatistic(pair), pair.reference.rows, pair.current.rows);
