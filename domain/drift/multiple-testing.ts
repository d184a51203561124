/**
 * Control of the false discovery rate. Of 100 columns that did not change, five have a p-value below 0.05; among the columns that are
 * reported after this adjustment at most that share is expected to be false (Benjamini and Hochberg 1995, for independent or positively
 * dependent tests).
 */

/** Adjusted p-values in the order of the given ones: p(i) n / i of the i-th smallest, made monotone from the largest down. */
export const benjaminiHochberg = (pValues: readonly number[]): number[] => {
  const order = pValues.map((_value, index) => index).sort((left, right) => pValues[right]! - pValues[left]!);
  const adjusted = new Array<number>(pValues.length);
  let least = 1;
  order.forEach((index, position) => {
    least = Math.min(least, (pValues[index]! * pValues.length) / (pValues.length - position));
    adjusted[index] = least;
  });
  return adjusted;
};
