/** McNemar's test: whether two models decide right equally often, by the rows on which only one of them does (Q. McNemar, Psychometrika 12, 1947). */
import { logGamma, upperGamma } from './drift/special-functions.ts';

/** Above this many discordant rows the distribution is taken as normal, with Edwards' correction for continuity. */
const MOST_EXACT_ROWS = 1_000;

const DECISION = 0.5;

export type McNemar = { bothRight: number; candidateOnly: number; championOnly: number; bothWrong: number; pValue: number; exact: boolean };

/** Share of a binomial distribution of one half, up to and with k of n. */
const halfBinomial = (k: number, n: number): number => {
  let sum = 0;
  for (let count = 0; count <= k; count += 1) sum += Math.exp(logGamma(n + 1) - logGamma(count + 1) - logGamma(n - count + 1) - n * Math.LN2);
  return sum;
};

/** Two-sided p-value of the numbers of rows on which one model alone is right. */
export const mcnemarPValue = (candidateOnly: number, championOnly: number): { pValue: number; exact: boolean } => {
  const discordant = candidateOnly + championOnly;
  if (discordant <= MOST_EXACT_ROWS) return { pValue: Math.min(1, 2 * halfBinomial(Math.min(candidateOnly, championOnly), discordant)), exact: true };
  const statistic = (Math.abs(candidateOnly - championOnly) - 1) ** 2 / discordant;
  return { pValue: upperGamma(0.5, statistic / 2), exact: false };
};

/** Compares decisions at 0.5. */
export const mcnemarOf = ({ labels, candidate, champion }: { labels: ArrayLike<number>; candidate: Float64Array; champion: Float64Array }): McNemar => {
  const counts = { bothRight: 0, candidateOnly: 0, championOnly: 0, bothWrong: 0 };
  for (let row = 0; row < labels.length; row += 1) {
    const isRight = (score: number): boolean => (score >= DECISION ? 1 : 0) === labels[row];
    const [own, rival] = [isRight(candidate[row]!), isRight(champion[row]!)];
    counts[own ? (rival ? 'bothRight' : 'candidateOnly') : rival ? 'championOnly' : 'bothWrong'] += 1;
  }
  return { ...counts, ...mcnemarPValue(counts.candidateOnly, counts.championOnly) };
};
