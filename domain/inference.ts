/**
 * Reads an inference request of the Open Inference Protocol V2 (its JSON) against the signature of a model.
 * Whatever a model could misread is refused with the path of the field; a number is the same number in the model or is refused.
 */
import type { ModelSignature, SignatureTensor } from '../contracts/features.ts';
import type { Refusal, RefusalReason } from '../contracts/live-inputs.ts';
import { PerennialFailure } from './failure.ts';
import { checkConversion, fillColumn, isConvertible, wordsOf } from './fill-column.ts';
import { isJsonObject, type JsonObject } from './json-object.ts';
import { widthOf, type ColumnData } from './tensor-columns.ts';

/** Most rows of one request. */
export const MAX_ROWS = 10_000;
const LONGEST_KEY = 256;
const LONGEST_QUOTE = 64;

/** A value as the client sent it, checked: null stands for a missing one. */
export type InferenceValue = number | string | boolean | null;

/** An output by name, as bytes behind the JSON of the answer or in it. */
export type WantedOutput = { name: string; binary: boolean };

/** The parts of a request that do not depend on the model. */
export type InferenceEnvelope = {
  id: string | undefined;
  /** `parameters.key`: what the routing sticks to. */
  key: string | undefined;
  inputs: readonly unknown[];
  /** The wanted outputs; undefined means all. */
  outputs: readonly WantedOutput[] | undefined;
  /** How outputs come that were not asked for by name. */
  binaryOutput: boolean;
};

/** `tensors` are in the order of the signature, flat and row-major. */
export type InferenceRows = { rows: number; tensors: ColumnData[] };

export type InferenceReader = (inputs: readonly unknown[]) => InferenceRows;

/** A request that does not fit the protocol or the signature; `refusal` says it without a word of the client. */
export class InferenceRefused extends PerennialFailure {
  readonly refusal: Refusal;

  constructor(message: string, refusal: Refusal) {
    super('InferenceInvalid', message);
    this.refusal = refusal;
  }
}

const refuse = (where: string, what: string, refusal: Refusal = { reason: 'malformed', input: null }): never => {
  throw new InferenceRefused(`${where}: ${what}`, refusal);
};

/** Client text in a message: short, on one line, quoted. */
const quote = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? typeof value);
  return JSON.stringify(text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text);
};

const kindOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`);

const objectOf = (value: unknown, where: string, keys: ReadonlySet<string>): JsonObject => {
  if (!isJsonObject(value)) return refuse(where, `must be an object, not ${kindOf(value)}`);
  for (const key in value) if (!keys.has(key)) refuse(where, `has the unknown key ${quote(key)}; known are ${[...keys].join(', ')}`);
  return value;
};

const parametersOf = (value: unknown, where: string): JsonObject => {
  if (value === undefined) return {};
  if (!isJsonObject(value)) return refuse(where, `must be an object, not ${kindOf(value)}`);
  if (Object.hasOwn(value, 'binary_data_size')) refuse(`${where}.binary_data_size`, 'the header Inference-Header-Content-Length is missing, which says where the binary part of the body begins');
  return value;
};

const BODY_KEYS: ReadonlySet<string> = new Set(['id', 'parameters', 'inputs', 'outputs']);
const INPUT_KEYS: ReadonlySet<string> = new Set(['name', 'shape', 'datatype', 'parameters', 'data']);
const OUTPUT_KEYS: ReadonlySet<string> = new Set(['name', 'parameters']);

/** Whether outputs are wanted as bytes. */
const isBinary = (parameters: JsonObject, name: 'binary_data' | 'binary_data_output', { where, otherwise }: { where: string; otherwise: boolean }): boolean => {
  const value: unknown = Object.hasOwn(parameters, name) ? parameters[name] : otherwise;
  return typeof value === 'boolean' ? value : refuse(`${where}.${name}`, `must be true or false, not ${kindOf(value)}`);
};

const outputsOf = (value: unknown, binaryOutput: boolean): WantedOutput[] | undefined => {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) return refuse('outputs', `must be a list, not ${kindOf(value)}`);
  if (value.length === 0) return undefined;
  if (value.length > 100) refuse('outputs', 'has more than 100 entries');
  return value.map((entry: unknown, position) => {
    const output = objectOf(entry, `outputs[${position}]`, OUTPUT_KEYS);
    const where = `outputs[${position}].parameters`;
    const binary = isBinary(parametersOf(output['parameters'], where), 'binary_data', { where, otherwise: binaryOutput });
    const name = output['name'];
    return typeof name === 'string' ? { name, binary } : refuse(`outputs[${position}].name`, `must be a string, not ${kindOf(name)}`);
  });
};

/** Checks a sticky key, wherever it came from. */
export const stickyKeyOf = (value: unknown, where: string): string | undefined => {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value.length === 0 || value.length > LONGEST_KEY) return refuse(where, `must be a string of 1 to ${LONGEST_KEY} characters`);
  return value;
};

/**
 * Reads the parts of a parsed body that do not depend on the model.
 * @throws PerennialFailure InferenceInvalid that names the field
 */
export const readEnvelope = (body: unknown): InferenceEnvelope => {
  const request = objectOf(body, 'body', BODY_KEYS);
  const { id, inputs } = request;
  if (id !== undefined && typeof id !== 'string') refuse('id', `must be a string, not ${kindOf(id)}`);
  if (!Array.isArray(inputs)) return refuse('inputs', inputs === undefined ? 'is missing' : `must be a list, not ${kindOf(inputs)}`);
  const parameters = request['parameters'] === undefined ? undefined : parametersOf(request['parameters'], 'parameters');
  const binaryOutput = parameters !== undefined && isBinary(parameters, 'binary_data_output', { where: 'parameters', otherwise: false });
  const key = parameters !== undefined && Object.hasOwn(parameters, 'key') ? stickyKeyOf(parameters['key'], 'parameters.key') : undefined;
  return { id: id as string | undefined, key, inputs, outputs: outputsOf(request['outputs'], binaryOutput), binaryOutput };
};

/** Where an input stands in the request and in the signature. */
type Place = { tensor: SignatureTensor; position: number; width: number };

/** Refuses for what is wrong with one input; `index` is the place of the value in it. */
const refuseInput = ({ tensor, width }: Place, reason: RefusalReason, { where, what, index }: { where: string; what: string; index?: number }): never =>
  refuse(where, what, { reason, input: width === 1 || index === undefined ? tensor.name : `${tensor.name}/${index % width}` });

const refuseValue = (place: Place, index: number, value: unknown): never => {
  const { tensor, position, width } = place;
  const where = `inputs[${position}] "${tensor.name}" data[${index}] (row ${Math.floor(index / width)})`;
  if (value === null) {
    const why = tensor.missing === 'allowed' ? `null has no form in ${tensor.datatype}` : 'null is not allowed, because the signature does not say missing: allowed';
    return refuseInput(place, 'missingValue', { where, what: why, index });
  }
  return refuseInput(place, 'wrongType', { where, what: `${quote(value)} is not ${wordsOf(tensor.datatype)}`, index });
};

type Nested = { data: unknown; shape: readonly number[]; where: string };

const flatten = ({ data, shape, where }: Nested, place: Place, flat: unknown[]): void => {
  const [size = 0, ...inner] = shape;
  if (!Array.isArray(data)) return refuseInput(place, 'wrongShape', { where, what: `must be a list of ${size}, not ${kindOf(data)}` });
  if (data.length !== size) refuseInput(place, 'wrongShape', { where, what: `has ${data.length} entries, shape says ${size}` });
  for (let index = 0; index < size; index += 1) {
    if (inner.length === 0) flat.push(data[index]);
    else flatten({ data: data[index], shape: inner, where: `${where}[${index}]` }, place, flat);
  }
};

/** The values of an input in row-major order; `data` may be nested like the shape, or flat. */
const flatValues = (data: unknown, shape: readonly number[], place: Place): readonly unknown[] => {
  const where = `inputs[${place.position}].data`;
  if (!Array.isArray(data)) return refuseInput(place, 'wrongShape', { where, what: data === undefined ? 'is missing' : `must be a list, not ${kindOf(data)}` });
  const expected = (shape[0] ?? 0) * place.width;
  if (shape.length > 1 && Array.isArray(data[0])) {
    const flat: unknown[] = [];
    flatten({ data, shape, where }, place, flat);
    return flat;
  }
  if (data.length !== expected) refuseInput(place, 'wrongShape', { where, what: `has ${data.length} values, shape [${shape.join(', ')}] needs ${expected}` });
  return data;
};

const shapeOf = (value: unknown, place: Place): number[] => {
  const { tensor, position } = place;
  const where = `inputs[${position}].shape`;
  const fits =
    Array.isArray(value) &&
    value.length === tensor.shape.length &&
    value.every((size, axis) => Number.isInteger(size) && size >= 1 && (tensor.shape[axis] === -1 || tensor.shape[axis] === size));
  if (!fits) {
    const what = `${quote(value)} does not fit [${tensor.shape.join(', ')}] of input "${tensor.name}" (-1 is any number of rows from 1)`;
    return refuseInput(place, 'wrongShape', { where, what });
  }
  if (value[0] > MAX_ROWS) refuseInput(place, 'wrongShape', { where, what: `${value[0]} rows are more than the ${MAX_ROWS} that one request may have` });
  return value as number[];
};

const readInput = (entry: JsonObject, place: Place, into: InferenceRows): void => {
  const { tensor, position } = place;
  const sentAs = entry['datatype'];
  if (sentAs !== tensor.datatype && !isConvertible(sentAs, tensor.datatype)) {
    const what = `is ${quote(entry['datatype'])}, input "${tensor.name}" is ${tensor.datatype}`;
    refuseInput(place, 'wrongType', { where: `inputs[${position}].datatype`, what });
  }
  if (entry['parameters'] !== undefined) parametersOf(entry['parameters'], `inputs[${position}].parameters`);
  const shape = shapeOf(entry['shape'], place);
  const rows = shape[0] ?? 0;
  if (into.rows === 0) into.rows = rows;
  else if (into.rows !== rows) refuseInput(place, 'wrongShape', { where: `inputs[${position}].shape`, what: `has ${rows} rows, the inputs before it have ${into.rows}` });
  const values = flatValues(entry['data'], shape, place);
  const refuseAt = (index: number): never => refuseValue(place, index, values[index]);
  if (sentAs !== tensor.datatype) checkConversion(values, { from: sentAs as string, to: tensor.datatype }, refuseAt);
  into.tensors.push(fillColumn(values, tensor, refuseAt));
};

/** Position in the request of each input of the signature; most clients send them in order, which costs one comparison each. */
const orderOf = (entries: readonly JsonObject[], signature: ModelSignature, names: ReadonlyMap<string, number>): number[] | null => {
  if (entries.length === signature.inputs.length && entries.every((entry, position) => entry['name'] === signature.inputs[position]?.name)) return null;
  const order: number[] = new Array<number>(signature.inputs.length).fill(-1);
  entries.forEach((entry, position) => {
    const name = entry['name'];
    const place = typeof name === 'string' ? names.get(name) : undefined;
    if (place === undefined) return refuse(`inputs[${position}].name`, `${quote(name)} is not an input of the model; see its metadata`, { reason: 'unknownInput', input: null });
    if (order[place] !== -1) refuse(`inputs[${position}].name`, `${quote(name)} is there twice`);
    order[place] = position;
  });
  const missing = order.indexOf(-1);
  const lacking = signature.inputs[missing];
  if (lacking !== undefined) refuse('inputs', `the input "${lacking.name}" is missing`, { reason: 'missingInput', input: lacking.name });
  return order;
};

/**
 * Makes the reader of one signature.
 * The reader throws PerennialFailure InferenceInvalid that names input, row and what is wrong.
 */
export const createInferenceReader = (signature: ModelSignature): InferenceReader => {
  const names = new Map(signature.inputs.map((tensor, place) => [tensor.name, place]));
  const widths = signature.inputs.map(widthOf);
  return (inputs) => {
    if (inputs.length > signature.inputs.length) {
      refuse('inputs', `has ${inputs.length} entries, the model has ${signature.inputs.length} inputs`, { reason: 'unknownInput', input: null });
    }
    const entries = inputs.map((entry, position) => objectOf(entry, `inputs[${position}]`, INPUT_KEYS));
    const order = orderOf(entries, signature, names);
    const result: InferenceRows = { rows: 0, tensors: [] };
    signature.inputs.forEach((tensor, place) => {
      const position = order?.[place] ?? place;
      readInput(entries[position] as JsonObject, { tensor, position, width: widths[place] ?? 1 }, result);
    });
    return result;
  };
};
