/** Keeps the number of values of a label bounded: names of pipelines and models are the users' to make up. */

const OTHER = 'other';

/** The first `limit` values go through as they are; later ones are counted together as `other`. */
export const createLabelBound = (limit: number): ((value: string) => string) => {
  const known = new Set<string>();
  return (value) => {
    if (known.has(value)) return value;
    if (known.size >= limit) return OTHER;
    known.add(value);
    return value;
  };
};
