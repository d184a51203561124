/** Columns that tell rows apart for gates: each row has the number of its value. */

/** `codes` hold for each row a position in `values`; null is a missing value. */
export type ColumnCodes = { codes: Uint32Array; values: (string | null)[] };

/** Numbers values in their order of appearance, part by part. */
export const valueNumbering = (): { number(rows: readonly (string | null)[]): Uint32Array; values(): (string | null)[] } => {
  const numbers = new Map<string | null, number>();
  return {
    number: (rows) =>
      Uint32Array.from(rows, (value) => {
        const known = numbers.get(value);
        if (known !== undefined) return known;
        numbers.set(value, numbers.size);
        return numbers.size - 1;
      }),
    values: () => [...numbers.keys()],
  };
};
