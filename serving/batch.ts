/** Rows of requests, and the answer of a batch of them taken apart again. */
import type { ModelSignature } from '../contracts/features.ts';
import { widthOf, type ColumnData } from '../domain/tensor-columns.ts';

export type Rows = { rows: number; tensors: ColumnData[] };

/** The answers of `count` rows from row `from` of a batch. */
export const sliceRows = (signature: ModelSignature, tensors: readonly ColumnData[], { from, count }: { from: number; count: number }): ColumnData[] =>
  signature.outputs.map((output, place) => {
    const width = widthOf(output);
    const data = tensors[place] as ColumnData;
    return Array.isArray(data) ? data.slice(from * width, (from + count) * width) : data.subarray(from * width, (from + count) * width);
  });
