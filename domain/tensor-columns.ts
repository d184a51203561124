/** The flat form in which rows reach a model and its answers leave it, in the gateway and in evaluation alike. */
import type { Datatype, SignatureTensor } from '../contracts/features.ts';

/**
 * The values of one tensor, row-major: rows x the product of the other dimensions of the signature.
 * FP32 is Float32Array, FP64 Float64Array, INT64 BigInt64Array, INT32 Int32Array, BOOL Uint8Array (0 or 1), BYTES string[].
 */
export type ColumnData = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array | string[];

/** Input tensors by name. A missing numeric value is NaN, a missing string "". */
export type TensorColumns = Record<string, ColumnData>;

/** Output tensors by name: those that the signature names. */
export type OutputColumns = Record<string, ColumnData>;

/** Values per row of a tensor: the product of the dimensions after the first. */
export const widthOf = (tensor: SignatureTensor): number => tensor.shape.slice(1).reduce((product, size) => product * size, 1);

/** Room for `length` values of a datatype. */
export const allocateColumn = (datatype: Datatype, length: number): ColumnData => {
  switch (datatype) {
    case 'FP32':
      return new Float32Array(length);
    case 'FP64':
      return new Float64Array(length);
    case 'INT64':
      return new BigInt64Array(length);
    case 'INT32':
      return new Int32Array(length);
    case 'BOOL':
      return new Uint8Array(length);
    case 'BYTES':
      return new Array<string>(length).fill('');
  }
};
