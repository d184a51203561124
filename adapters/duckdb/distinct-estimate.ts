/**
 * How many different values a column has, in constant memory: bitmaps that hash values set (linear counting), of all values, of a 32nd and of a 1024th of
 * them; the first one that is not too full is read. K. Whang and others, "A linear-time probabilistic counting algorithm", 1990, and C. Estan and others,
 * "Bitmap algorithms for counting active flows", 2003. Right to some 1 % up to 250 million; DuckDB's own estimate was wrong by 30 % for 100 values.
 */
const BITS = 65_536;
/** A bitmap with four values to a bit is still right to 0.7 %. */
const FULL = 4;
const SAMPLES = [1, 32, 1_024];

/** An aggregate over an expression that gives what distinctOf reads. */
export const distinctSql = (value: string, name: string): string => {
  const bitmaps = SAMPLES.map((sample) => `bit_count(bitstring_agg(CASE WHEN (hash(${value}) >> 40) % ${sample} = 0 AND ${value} IS NOT NULL THEN (hash(${value}) % ${BITS})::INTEGER END, 0, ${BITS - 1}))`);
  return `[${bitmaps.join(', ')}] AS ${name}`;
};

/** Null stands for a bitmap without any value. */
export const distinctOf = (bitmaps: readonly (bigint | number | null)[]): number => {
  const sets = bitmaps.map((set) => Number(set ?? 0));
  const level = sets.findIndex((set) => set < BITS * (1 - Math.exp(-FULL)));
  const chosen = level === -1 ? sets.length - 1 : level;
  // A full one says only that there are more than it can tell.
  const set = Math.min(sets[chosen] ?? 0, BITS - 1);
  return Math.round(-BITS * Math.log(1 - set / BITS) * (SAMPLES[chosen] ?? 1));
};
