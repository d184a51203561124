/** Puts the values of a request, as JSON brings them, into the column of a tensor; what the datatype cannot hold is refused by its place. */
import type { Datatype, SignatureTensor } from '../contracts/features.ts';
import { allocateColumn, WHOLE_NUMBERS, type ColumnData } from './tensor-columns.ts';

/** Refuses the value at a place. */
export type RefuseValue = (index: number) => never;

const OTHER_WORDS: Partial<Record<Datatype, string>> = {
  FP32: 'a number that fits FP32',
  FP64: 'a finite number',
  INT64: 'a whole number of at most 2^53 - 1',
  INT32: 'a whole number of 32 bits',
  UINT64: 'a whole number from 0 to 2^53 - 1',
  BOOL: 'true or false',
  BYTES: 'a well-formed string',
};

/** What a value of a datatype is, in words. */
export const wordsOf = (datatype: Datatype): string => OTHER_WORDS[datatype] ?? `a whole number from ${WHOLE_NUMBERS[datatype]?.least} to ${WHOLE_NUMBERS[datatype]?.most}`;

const isFloat = (datatype: unknown): boolean => datatype === 'FP16' || datatype === 'FP32' || datatype === 'FP64';
const isNumeric = (datatype: unknown): boolean => isFloat(datatype) || (typeof datatype === 'string' && Object.hasOwn(WHOLE_NUMBERS, datatype));

/** Numbers of one datatype may be sent for a tensor of another; `checkConversion` says which. */
export const isConvertible = (from: unknown, to: Datatype): boolean => isNumeric(from) && isNumeric(to);

/**
 * Checks that numbers of another datatype stay the same numbers in the model: whole ones that their own type cannot hold are refused, and whole ones that a float
 * would round. (A float for a float may be rounded, as the numbers of JSON are; a fraction for a whole number is refused by `fillColumn`.)
 */
export const checkConversion = (values: readonly unknown[], { from, to }: { from: string; to: Datatype }, refuse: RefuseValue): void => {
  const range = WHOLE_NUMBERS[from];
  if (range === undefined) return;
  values.forEach((value, index) => {
    if (typeof value !== 'number') return;
    const isRounded = to === 'FP32' && Math.fround(value) !== value;
    if (!Number.isInteger(value) || value < range.least || value > range.most || isRounded) refuse(index);
  });
};

const LONE_SURROGATE = /\p{Surrogate}/u;

const fillFloats = (column: Float32Array | Float64Array, values: readonly unknown[], { isMissingAllowed, refuse }: { isMissingAllowed: boolean; refuse: RefuseValue }): void => {
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index];
    if (typeof value === 'number') {
      column[index] = value;
      if (!Number.isFinite(column[index])) refuse(index);
    } else if (value === null && isMissingAllowed) column[index] = NaN;
    else refuse(index);
  }
};

const fillWith = <T>(column: { [index: number]: T }, values: readonly unknown[], { read, refuse }: { read: (value: unknown) => T | undefined; refuse: RefuseValue }): void => {
  for (let index = 0; index < values.length; index += 1) {
    const converted = read(values[index]);
    column[index] = converted === undefined ? refuse(index) : converted;
  }
};

const wholeNumberOf =
  ({ least, most }: { least: number; most: number }) =>
  (value: unknown): number | undefined =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most ? (value as number) : undefined;

const bigintOf = (range: { least: number; most: number }): ((value: unknown) => bigint | undefined) => {
  const read = wholeNumberOf(range);
  return (value) => {
    const number = read(value);
    return number === undefined ? undefined : BigInt(number);
  };
};

const booleanOf = (value: unknown): number | undefined => (typeof value === 'boolean' ? Number(value) : undefined);
const stringOf = (value: unknown): string | undefined => (typeof value === 'string' && !LONE_SURROGATE.test(value) ? value : undefined);
const stringOrMissingOf = (value: unknown): string | undefined => (value === null ? '' : stringOf(value));

/** The column of a tensor; values that it cannot hold are refused. */
export const fillColumn = (values: readonly unknown[], { datatype, missing }: SignatureTensor, refuse: RefuseValue): ColumnData => {
  const column = allocateColumn(datatype, values.length);
  const isMissingAllowed = missing === 'allowed';
  const range = WHOLE_NUMBERS[datatype];
  if (column instanceof Float32Array || column instanceof Float64Array) fillFloats(column, values, { isMissingAllowed, refuse });
  else if (Array.isArray(column)) fillWith(column, values, { read: isMissingAllowed ? stringOrMissingOf : stringOf, refuse });
  else if (range === undefined) fillWith(column as Uint8Array, values, { read: booleanOf, refuse });
  else if (column instanceof BigInt64Array || column instanceof BigUint64Array) fillWith(column, values, { read: bigintOf(range), refuse });
  else fillWith(column, values, { read: wholeNumberOf(range), refuse });
  return column;
};
