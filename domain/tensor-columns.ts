/** The flat form in which rows reach a model and its answers leave it, in the gateway and in evaluation alike. */
import type { Datatype, SignatureTensor } from '../contracts/features.ts';

/**
 * The values of one tensor, row-major: rows x the product of the other dimensions of the signature.
 * Numbers are in the typed array of their datatype (64 bits as bigint), BOOL in a Uint8Array of 0 and 1, BYTES in a list of strings.
 */
export type ColumnData = Float32Array | Float64Array | BigInt64Array | Int32Array | Int16Array | Int8Array | BigUint64Array | Uint32Array | Uint16Array | Uint8Array | string[];

/** The typed array of each datatype but BYTES. */
export const TYPED_ARRAYS = {
  FP32: Float32Array,
  FP64: Float64Array,
  INT64: BigInt64Array,
  INT32: Int32Array,
  INT16: Int16Array,
  INT8: Int8Array,
  UINT64: BigUint64Array,
  UINT32: Uint32Array,
  UINT16: Uint16Array,
  UINT8: Uint8Array,
  BOOL: Uint8Array,
} as const satisfies Record<Exclude<Datatype, 'BYTES'>, unknown>;

const unsigned = (bits: number): { least: number; most: number } => ({ least: 0, most: Math.min(2 ** bits - 1, Number.MAX_SAFE_INTEGER) });
const signed = (bits: number): { least: number; most: number } => ({ least: Math.max(-(2 ** (bits - 1)), Number.MIN_SAFE_INTEGER), most: Math.min(2 ** (bits - 1) - 1, Number.MAX_SAFE_INTEGER) });

/** The whole numbers that a datatype holds and JSON can say exactly: of 64 bits those up to 2^53 - 1. */
export const WHOLE_NUMBERS: Partial<Record<string, { least: number; most: number }>> = {
  INT64: signed(64),
  INT32: signed(32),
  INT16: signed(16),
  INT8: signed(8),
  UINT64: unsigned(64),
  UINT32: unsigned(32),
  UINT16: unsigned(16),
  UINT8: unsigned(8),
};

/** Input tensors by name. A missing numeric value is NaN, a missing string "". */
export type TensorColumns = Record<string, ColumnData>;

/** Output tensors by name: those that the signature names. */
export type OutputColumns = Record<string, ColumnData>;

/** Values per row of a tensor: the product of the dimensions after the first. */
export const widthOf = (tensor: SignatureTensor): number => tensor.shape.slice(1).reduce((product, size) => product * size, 1);

/** Room for `length` values of a datatype. */
export const allocateColumn = (datatype: Datatype, length: number): ColumnData => (datatype === 'BYTES' ? new Array<string>(length).fill('') : new TYPED_ARRAYS[datatype](length));
