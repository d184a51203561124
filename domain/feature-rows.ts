/** Turns feature rows into the input tensors of a model, by its signature, and its output tensors into scores. */
import type { FeatureColumn, ModelSignature, SignatureTensor, Task } from '../contracts/features.ts';
import { PerennialFailure } from './failure.ts';
import { allocateColumn, widthOf, type ColumnData, type OutputColumns, type TensorColumns } from './tensor-columns.ts';

/** An input tensor and the feature columns that fill it, one for each value of a row. */
export type InputPlan = { input: SignatureTensor; columns: FeatureColumn[] };

/** A value as it lies in the rows; null is missing. */
export type FeatureValue = number | bigint | boolean | string | null;

/** Feature columns of a batch by name, each with one value per row. */
export type FeatureBatch = { rows: number; firstRow: number; values: Map<string, ArrayLike<FeatureValue>> };

/**
 * Columns behind one input: the column of the input's name, or, when the model has a single input as wide as the feature
 * declaration, all columns in their declared order.
 */
const columnsBehind = (input: SignatureTensor, signature: ModelSignature, columns: FeatureColumn[]): FeatureColumn[] => {
  const named = columns.find((column) => column.name === input.name);
  if (named !== undefined && widthOf(input) === 1) return [named];
  if (signature.inputs.length === 1 && widthOf(input) === columns.length) return columns;
  throw new PerennialFailure('FeatureMissing', `The model needs the input "${input.name}" of ${widthOf(input)} value(s) per row, and the features have no such column.`);
};

/**
 * Finds the columns behind each input.
 * @throws PerennialFailure FeatureMissing naming the input without a column, FeatureTypeWrong when text meets numbers
 */
export const planInputs = (signature: ModelSignature, columns: FeatureColumn[]): InputPlan[] =>
  signature.inputs.map((input) => {
    const behind = columnsBehind(input, signature, columns);
    const wanted = input.datatype === 'BYTES' ? 'categorical' : 'numeric';
    const wrong = behind.find((column) => column.type !== wanted);
    if (wrong !== undefined) {
      throw new PerennialFailure('FeatureTypeWrong', `The feature "${wrong.name}" is ${wrong.type}: the input "${input.name}" (${input.datatype}) needs a ${wanted} one.`);
    }
    return { input, columns: behind };
  });

type Place = { input: SignatureTensor; column: string; row: number };

const wrongType = ({ input, column, row }: Place, value: FeatureValue): never => {
  throw new PerennialFailure('FeatureTypeWrong', `The feature "${column}" is ${JSON.stringify(String(value))} in row ${row}: the input "${input.name}" needs ${input.datatype}.`);
};

/** NaN and "" are the missing values of numbers and text; the other types have none. */
const missingOf = (place: Place): number | string => {
  const { input, column, row } = place;
  const hasMissing = input.datatype === 'FP32' || input.datatype === 'FP64' || input.datatype === 'BYTES';
  if (input.missing === 'forbidden' || !hasMissing) {
    throw new PerennialFailure('MissingValueForbidden', `The feature "${column}" is missing in row ${row}, and the model's input "${input.name}" forbids it.`);
  }
  return input.datatype === 'BYTES' ? '' : NaN;
};

const toNumber = (place: Place, value: FeatureValue): number => {
  if (typeof value === 'string') return wrongType(place, value);
  const number = value === null ? NaN : Number(value);
  return Number.isNaN(number) ? (missingOf(place) as number) : number;
};

const BITS: Partial<Record<SignatureTensor['datatype'], { bits: number; isSigned: boolean }>> = {
  INT32: { bits: 32, isSigned: true },
  INT16: { bits: 16, isSigned: true },
  INT8: { bits: 8, isSigned: true },
  UINT64: { bits: 64, isSigned: false },
  UINT32: { bits: 32, isSigned: false },
  UINT16: { bits: 16, isSigned: false },
  UINT8: { bits: 8, isSigned: false },
  BOOL: { bits: 1, isSigned: false },
};

const toInteger = (place: Place, value: FeatureValue): bigint => {
  if (value === null || Number.isNaN(value)) return BigInt(missingOf(place));
  if (typeof value === 'string' || (typeof value === 'number' && !Number.isSafeInteger(value))) return wrongType(place, value);
  const integer = BigInt(value);
  const { bits, isSigned } = BITS[place.input.datatype] ?? { bits: 64, isSigned: true };
  const kept = isSigned ? BigInt.asIntN(bits, integer) : BigInt.asUintN(bits, integer);
  return kept === integer ? integer : wrongType(place, value);
};

const toText = (place: Place, value: FeatureValue): string => {
  if (value === null) return missingOf(place) as string;
  return typeof value === 'string' ? value : wrongType(place, value);
};

const writeValue = (target: ColumnData, index: number, place: Place, value: FeatureValue): void => {
  if (Array.isArray(target)) target[index] = toText(place, value);
  else if (target instanceof Float32Array || target instanceof Float64Array) target[index] = toNumber(place, value);
  else if (target instanceof BigInt64Array || target instanceof BigUint64Array) target[index] = toInteger(place, value);
  else target[index] = Number(toInteger(place, value));
};

const fillInput = ({ input, columns }: InputPlan, batch: FeatureBatch): ColumnData => {
  const target = allocateColumn(input.datatype, batch.rows * columns.length);
  columns.forEach(({ name }, position) => {
    const values = batch.values.get(name);
    if (values === undefined) throw new PerennialFailure('FeatureMissing', `The feature "${name}" is not in the rows.`);
    const place: Place = { input, column: name, row: 0 };
    for (let row = 0; row < batch.rows; row += 1) {
      place.row = batch.firstRow + row;
      writeValue(target, row * columns.length + position, place, values[row] ?? null);
    }
  });
  return target;
};

/**
 * Fills the input tensors of a batch. Row numbers in errors count from 0 over the whole file.
 * @throws PerennialFailure MissingValueForbidden, FeatureTypeWrong, FeatureMissing
 */
export const toTensorColumns = (plans: InputPlan[], batch: FeatureBatch): TensorColumns =>
  Object.fromEntries(plans.map((plan) => [plan.input.name, fillInput(plan, batch)]));

const isFloat = (output: SignatureTensor): boolean => output.datatype === 'FP32' || output.datatype === 'FP64';

export type ScoreOutput = { task: Task; name: string; width: 1 | 2 };

/**
 * The output that holds the score: the one named "score", otherwise the first of floats with 1 value per row (the score) or
 * 2 (of a classification: the probabilities of both classes, the second of which is the score).
 * @throws PerennialFailure ModelRefused when there is none
 */
export const scoreOutputOf = (signature: ModelSignature): ScoreOutput => {
  const { task } = signature;
  const widths = task === 'regression' ? [1] : [1, 2];
  const candidates = signature.outputs.filter((output) => isFloat(output) && widths.includes(widthOf(output)));
  const output = candidates.find(({ name }) => name === 'score') ?? candidates[0];
  if (output !== undefined) return { task, name: output.name, width: widthOf(output) === 1 ? 1 : 2 };
  throw new PerennialFailure('ModelRefused', 'The signature has no output that can be the score.', {
    fix: 'Give the model an output "score" of FP32 with the shape [-1, 1].',
  });
};

/** float32 arithmetic may leave the interval from 0 to 1 by a rounding error. */
const ROUNDING = 1e-6;

/** NaN and infinity are no score of anything. */
const isScore = (task: Task, score: number): boolean => (task === 'regression' ? Number.isFinite(score) : score >= -ROUNDING && score <= 1 + ROUNDING);

/**
 * The scores of a batch, one per row.
 * @throws PerennialFailure ModelFailed when one is no probability, or for a regression no number
 */
export const scoresOf = (output: ScoreOutput, columns: OutputColumns, firstRow: number): Float64Array => {
  const values = columns[output.name] as Float32Array | Float64Array;
  const scores = new Float64Array(values.length / output.width);
  for (let row = 0; row < scores.length; row += 1) {
    const score = values[row * output.width + output.width - 1]!;
    if (!isScore(output.task, score)) {
      throw new PerennialFailure('ModelFailed', `The model's score of row ${firstRow + row} is ${score}: a score is ${output.task === 'regression' ? 'a finite number' : 'a probability from 0 to 1'}.`);
    }
    scores[row] = score;
  }
  return scores;
};
