/** Distances of two lists of shares over the same bins or categories: Jensen-Shannon and the population stability index. */
export type SharePair = { reference: number[]; current: number[] };

/** x ln(x / y); nothing where x is 0. */
const relativeEntropy = (x: number, y: number): number => (x === 0 ? 0 : x * Math.log(x / y));

/** The square root of the Jensen-Shannon divergence in nats: 0 when equal, sqrt(ln 2) = 0.83 without anything in common. */
export const jensenShannon = ({ reference, current }: SharePair): number => {
  const divergence = reference.reduce((total, share, bin) => {
    const other = current[bin] ?? 0;
    const middle = (share + other) / 2;
    return total + relativeEntropy(share, middle) + relativeEntropy(other, middle);
  }, 0);
  return Math.sqrt(Math.max(0, divergence) / 2);
};

/** An empty bin would make the index infinite: Evidently puts a small share there, 1e-4 or a millionth of the least other one. */
const fillEmpty = (shares: number[]): number[] => {
  const least = Math.min(...shares.filter((share) => share > 0));
  const filling = least <= 1e-4 ? least / 1e6 : 1e-4;
  return shares.map((share) => (share === 0 ? filling : share));
};

/** The population stability index: the sum of (reference - current) ln(reference / current). */
export const stabilityIndex = (pair: SharePair): number => {
  const current = fillEmpty(pair.current);
  return fillEmpty(pair.reference).reduce((total, share, bin) => total + (share - current[bin]!) * Math.log(share / current[bin]!), 0);
};
