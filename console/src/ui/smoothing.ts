/**
 * Exponential moving average with bias correction (Kingma and Ba, 2014, section 3), as TensorBoard smooths its curves: `weight` of 0 leaves the values as they are,
 * towards 1 the past counts more.
 */
export const smoothed = (values: number[], weight: number): number[] => {
  if (weight <= 0) return values;
  let average = 0;
  return values.map((value, index) => {
    average = average * weight + (1 - weight) * value;
    return average / (1 - weight ** (index + 1));
  });
};
