/**
 * Wilson's score interval of a share (E. B. Wilson, 1927): where the true share of failures lies with the given certainty, after `failures` of `requests`.
 * It holds for few requests too, where the usual one does not.
 */
export const wilsonInterval = (failures: number, requests: number, z = 1.96): { low: number; high: number } | null => {
  if (requests === 0) return null;
  const share = failures / requests;
  const denominator = 1 + (z * z) / requests;
  const centre = (share + (z * z) / (2 * requests)) / denominator;
  const half = (z / denominator) * Math.sqrt((share * (1 - share)) / requests + (z * z) / (4 * requests * requests));
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
};
