/**
 * Inference requests that give rows, not tensors: the V1 protocol of KServe and TensorFlow Serving (`instances`, or `inputs` by column), and what MLflow's and SageMaker's
 * scoring servers take at /invocations (`dataframe_split`, `dataframe_records`, `instances`, `inputs`). They become the inputs of a V2 request by the model's signature, so
 * that one reader checks them all.
 */
import type { ModelSignature, SignatureTensor } from '../contracts/features.ts';
import { InferenceRefused, type InferenceValue } from './inference.ts';
import { isJsonObject, type JsonObject } from './json-object.ts';
import { widthOf } from './tensor-columns.ts';

export type RowForm = 'v1' | 'invocations';

const FORMS: Record<RowForm, readonly string[]> = { v1: ['instances', 'inputs'], invocations: ['dataframe_split', 'dataframe_records', 'instances', 'inputs'] };
/** Members that may stand beside the rows and change nothing here. */
const BESIDE: ReadonlySet<string> = new Set(['signature_name', 'params']);

const refuse = (where: string, what: string): never => {
  throw new InferenceRefused(`${where}: ${what}`, { reason: 'malformed', input: null });
};

const listOf = (value: unknown, where: string): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : refuse(where, 'must be a list'));

/** A tensor as an entry of a V2 request; `values` has one entry per row. */
const inputOf = ({ name, datatype, shape }: SignatureTensor, values: readonly unknown[]): object => ({ name, datatype, shape: [values.length, ...shape.slice(1)], data: values });

const checkNames = (names: readonly string[], { inputs }: ModelSignature, where: string): void => {
  const unknown = names.find((name) => !inputs.some((input) => input.name === name));
  if (unknown !== undefined) refuse(where, `${JSON.stringify(unknown.slice(0, 64))} is not an input of the model; see its metadata`);
  const missing = inputs.find(({ name }) => !names.includes(name));
  if (missing !== undefined) refuse(where, `the input "${missing.name}" is missing`);
};

const fromRows = (rows: readonly unknown[], signature: ModelSignature, where: string): object[] => {
  if (rows.length === 0) refuse(where, 'has no rows');
  const [only, ...others] = signature.inputs;
  if (only !== undefined && others.length === 0 && !isJsonObject(rows[0])) return [inputOf(only, rows)];
  rows.forEach((row, index) => {
    if (!isJsonObject(row)) return refuse(`${where}[${index}]`, `must be an object with the inputs ${signature.inputs.map(({ name }) => `"${name}"`).join(', ')}`);
    checkNames(Object.keys(row), signature, `${where}[${index}]`);
  });
  return signature.inputs.map((input) => inputOf(input, rows.map((row) => (row as JsonObject)[input.name])));
};

const fromColumns = (value: unknown, signature: ModelSignature, where: string): object[] => {
  const [only] = signature.inputs;
  if (Array.isArray(value) && only !== undefined && signature.inputs.length === 1) return [inputOf(only, value as unknown[])];
  if (!isJsonObject(value)) return refuse(where, 'must be an object from input to its values');
  checkNames(Object.keys(value), signature, where);
  return signature.inputs.map((input) => inputOf(input, listOf(value[input.name], `${where}.${input.name}`)));
};

/**
 * A frame in pandas' orientation "split". The columns of a frame may also be the values of a model's only input, in their order.
 * @throws InferenceRefused that names the place
 */
export const fromSplit = (value: unknown, signature: ModelSignature, where: string): object[] => {
  if (!isJsonObject(value)) return refuse(where, 'must be an object with columns and data');
  const columns = listOf(value['columns'], `${where}.columns`).map(String);
  const rows = listOf(value['data'], `${where}.data`).map((row, index) => {
    const cells = listOf(row, `${where}.data[${index}]`);
    return cells.length === columns.length ? cells : refuse(`${where}.data[${index}]`, `has ${cells.length} values for ${columns.length} columns`);
  });
  const [only, ...others] = signature.inputs;
  if (only !== undefined && others.length === 0 && widthOf(only) === columns.length && !columns.includes(only.name)) return fromRows(rows, signature, `${where}.data`);
  checkNames(columns, signature, `${where}.columns`);
  if (columns.length !== signature.inputs.length) refuse(`${where}.columns`, 'names a column twice');
  if (rows.length === 0) refuse(`${where}.data`, 'has no rows');
  return signature.inputs.map((input) => {
    const place = columns.indexOf(input.name);
    return inputOf(input, rows.map((cells) => cells[place]));
  });
};

/** A frame in pandas' orientation "records"; its columns, too, may be the values of a model's only input. */
const fromRecords = (rows: readonly unknown[], signature: ModelSignature, where: string): object[] => {
  const [first] = rows;
  const [only, ...others] = signature.inputs;
  if (only === undefined || others.length > 0 || !isJsonObject(first) || Object.hasOwn(first, only.name)) return fromRows(rows, signature, where);
  const columns = Object.keys(first);
  const data = rows.map((row, index) => {
    const isAlike = isJsonObject(row) && Object.keys(row).length === columns.length && columns.every((column) => Object.hasOwn(row, column));
    return isAlike ? columns.map((column) => row[column]) : refuse(`${where}[${index}]`, 'must have the columns of the first row');
  });
  return fromSplit({ columns, data }, signature, where);
};

/** MLflow's clients may send parameters of the model's own; a model of ours has none. */
const refuseParameters = ({ params }: JsonObject): void => {
  const isEmpty = params === undefined || params === null || (isJsonObject(params) && Object.keys(params).length === 0);
  if (!isEmpty) refuse('params', 'must be left out: the model has no parameters');
};

/**
 * The body of the same request in V2.
 * @throws InferenceRefused that names the place
 */
export const fromRowRequest = (body: unknown, signature: ModelSignature, form: RowForm): { inputs: object[] } => {
  const known = FORMS[form];
  if (!isJsonObject(body)) return refuse('body', `must be an object with one of ${known.join(', ')}`);
  const given = Object.keys(body).filter((key) => !BESIDE.has(key));
  const [member] = given;
  if (member === undefined || given.length > 1 || !known.includes(member)) return refuse('body', `must have exactly one of ${known.join(', ')}; it has ${given.slice(0, 5).join(', ').slice(0, 64) || 'none'}`);
  refuseParameters(body);
  const value = body[member];
  if (member === 'dataframe_split') return { inputs: fromSplit(value, signature, member) };
  if (member === 'inputs') return { inputs: fromColumns(value, signature, member) };
  const rows = listOf(value, member);
  return { inputs: member === 'dataframe_records' ? fromRecords(rows, signature, member) : fromRows(rows, signature, member) };
};

const nest = (values: readonly InferenceValue[], [size, ...inner]: readonly number[]): unknown => {
  if (size === undefined) return values[0];
  const width = values.length / size;
  return Array.from({ length: size }, (_, index) => nest(values.slice(index * width, (index + 1) * width), inner));
};

/** Rows of an output: the value itself where a row has one. */
const rowsOf = (tensor: SignatureTensor, values: readonly InferenceValue[]): unknown[] => {
  const width = widthOf(tensor);
  const inner = width === 1 ? [] : tensor.shape.slice(1);
  return Array.from({ length: values.length / width }, (_, row) => nest(values.slice(row * width, (row + 1) * width), inner));
};

/**
 * The answer: one prediction per row, by name where the model has several outputs.
 * @param outputs flat values of each output of the signature, row-major
 */
export const predictionsOf = ({ outputs: tensors }: Pick<ModelSignature, 'outputs'>, outputs: readonly (readonly InferenceValue[])[]): { predictions: unknown[] } => {
  const columns = tensors.map((tensor, place) => rowsOf(tensor, outputs[place] ?? []));
  const [only = [], ...others] = columns;
  if (others.length === 0) return { predictions: only };
  return { predictions: only.map((_, row) => Object.fromEntries(tensors.map(({ name }, place) => [name, columns[place]?.[row]]))) };
};
