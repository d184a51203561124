/** Puts the rows of several requests into one batch, and takes the batch's answer apart again. */
import type { ModelSignature } from '../contracts/features.ts';
import { allocateColumn, widthOf, type ColumnData } from '../domain/tensor-columns.ts';

export type Rows = { rows: number; tensors: ColumnData[] };

/** Rows after each other, tensor by tensor. One request alone is its own batch, without a copy. */
export const joinRows = (signature: ModelSignature, parts: readonly Rows[]): Rows => {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const tensors = signature.inputs.map((input, place) => {
    const column = allocateColumn(input.datatype, rows * widthOf(input));
    let offset = 0;
    for (const part of parts) {
      const data = part.tensors[place] as ColumnData;
      copyInto(column, data, offset);
      offset += data.length;
    }
    return column;
  });
  return { rows, tensors };
};

const copyInto = (column: ColumnData, data: ColumnData, offset: number): void => {
  if (Array.isArray(column)) for (let index = 0; index < data.length; index += 1) column[offset + index] = data[index] as string;
  else (column as Float32Array).set(data as Float32Array, offset);
};

/** The answers of `count` rows from row `from` of a batch. */
export const sliceRows = (signature: ModelSignature, tensors: readonly ColumnData[], { from, count }: { from: number; count: number }): ColumnData[] =>
  signature.outputs.map((output, place) => {
    const width = widthOf(output);
    const data = tensors[place] as ColumnData;
    return Array.isArray(data) ? data.slice(from * width, (from + count) * width) : data.subarray(from * width, (from + count) * width);
  });
