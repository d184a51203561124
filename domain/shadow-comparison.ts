/** Compares what two versions answered to the same request. */
import type { SignatureTensor } from '../contracts/features.ts';
import type { ColumnData } from './tensor-columns.ts';

/** The outputs of one version, in the order of its signature. */
export type Outputs = { signature: readonly SignatureTensor[]; columns: readonly ColumnData[] };

export type ShadowComparison =
  /** The candidate gave a number that is none where the signature allows no missing value: it has given no answer. */
  | { kind: 'failed' }
  | { kind: 'compared'; /** The first output that differs, or null. */ differing: string | null; /** Of numbers, absolute. */ maximumDifference: number };

const isNumeric = (column: ColumnData): column is Exclude<ColumnData, string[]> => !Array.isArray(column);

const isMissing = (value: number | bigint): boolean => typeof value === 'number' && Number.isNaN(value);

/** Infinity where one number is there and the other is missing. */
const distance = (first: number | bigint, second: number | bigint): number => {
  if (first === second || (isMissing(first) && isMissing(second))) return 0;
  const difference = Math.abs(Number(first) - Number(second));
  return Number.isNaN(difference) ? Infinity : difference;
};

const largestDistance = (first: ColumnData, second: ColumnData): number => {
  if (first.length !== second.length || isNumeric(first) !== isNumeric(second)) return Infinity;
  if (!isNumeric(first) || !isNumeric(second)) return (first as string[]).every((value, place) => value === second[place]) ? 0 : Infinity;
  let largest = 0;
  for (let place = 0; place < first.length; place += 1) largest = Math.max(largest, distance(first[place] as number, second[place] as number));
  return largest;
};

const isNoAnswer = (tensor: SignatureTensor, column: ColumnData): boolean => {
  if (!(column instanceof Float32Array || column instanceof Float64Array)) return false;
  return column.some((value) => !Number.isFinite(value) && !(tensor.missing === 'allowed' && Number.isNaN(value)));
};

/** Outputs are matched by name; one that the candidate does not have differs. Further ones of the candidate are not looked at. */
export const compareOutputs = (stable: Outputs, candidate: Outputs, tolerance: number): ShadowComparison => {
  if (candidate.signature.some((tensor, place) => isNoAnswer(tensor, candidate.columns[place] as ColumnData))) return { kind: 'failed' };
  let differing: string | null = null;
  let maximumDifference = 0;
  stable.signature.forEach(({ name }, place) => {
    const other = candidate.columns[candidate.signature.findIndex((tensor) => tensor.name === name)];
    const difference = other === undefined ? Infinity : largestDistance(stable.columns[place] as ColumnData, other);
    if (difference > tolerance) differing ??= name;
    if (Number.isFinite(difference)) maximumDifference = Math.max(maximumDifference, difference);
  });
  return { kind: 'compared', differing, maximumDifference };
};
