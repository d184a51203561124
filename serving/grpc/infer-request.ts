/**
 * Reads a ModelInferRequest (open-inference.proto) into the form of V2's JSON, so that one reader checks the values of both and the log has one form.
 */
import { PerennialFailure } from '../../domain/failure.ts';
import { rawValues } from '../binary-tensors.ts';
import { checkCount, readInt64, readMessage, readPart, readRepeated, readText, readUint64, type FieldReader, type ProtoReader } from './proto-reader.ts';

/** As many as a signature may have. */
const MOST_INPUTS = 2_000;
const MOST_OUTPUTS = 100;
const MOST_PARAMETERS = 100;
const MOST_DIMENSIONS = 16;

type Parameters = Record<string, boolean | number | string>;

/** Values in the field of InferTensorContents that holds them. */
type Contents = { field: string; values: unknown[] };

type InputMessage = { name: string; datatype: string; shape: number[]; parameters: Parameters | undefined; contents: Contents | undefined };

/** A request of V2, as its JSON would say it. */
export type V2Request = { id?: string; parameters?: Parameters; inputs: object[]; outputs?: object[] };

export type InferMessage = { model: string; version: string; isRaw: boolean; request: () => V2Request };

const invalid = (where: string, what: string): PerennialFailure => new PerennialFailure('InferenceInvalid', `${where}: ${what}`);

const text = (set: (value: string) => void): FieldReader => ({ wire: 'bytes', read: (reader) => set(readText(reader)) });

/** InferParameter; the last of several values counts, as the language wants it. */
const readParameter = (reader: ProtoReader): boolean | number | string => {
  let value: boolean | number | string = '';
  const FIELDS: Record<number, FieldReader> = {
    1: { wire: 'varint', read: (from) => (value = from.bool()) },
    2: { wire: 'varint', read: (from) => (value = readInt64(from)) },
    3: { wire: 'bytes', read: (from) => (value = readText(from)) },
    4: { wire: 'eightBytes', read: (from) => (value = from.double()) },
    5: { wire: 'varint', read: (from) => (value = readUint64(from)) },
  };
  readPart(reader, (field) => FIELDS[field]);
  return value;
};

/** One entry of a map of parameters. */
const parameterEntry = (parameters: Map<string, boolean | number | string>, where: string): FieldReader => ({
  wire: 'bytes',
  read: (reader) => {
    let key = '';
    let value: boolean | number | string = '';
    readPart(reader, (field) => {
      if (field === 1) return text((name) => (key = name));
      return field === 2 ? { wire: 'bytes', read: (from) => (value = readParameter(from)) } : undefined;
    });
    parameters.set(key, value);
    checkCount(parameters.size, MOST_PARAMETERS, where);
  },
});

const parametersOf = (entries: ReadonlyMap<string, boolean | number | string>): Parameters | undefined => (entries.size === 0 ? undefined : Object.fromEntries(entries));

const finiteOrMissing = (value: number): number | null => (Number.isNaN(value) ? null : value);

/** Where values of each kind stand, and how one is read. */
const CONTENTS: Record<number, { field: string; single: FieldReader['wire']; read: (reader: ProtoReader) => unknown }> = {
  1: { field: 'bool_contents', single: 'varint', read: (reader) => reader.bool() },
  2: { field: 'int_contents', single: 'varint', read: (reader) => reader.int32() },
  3: { field: 'int64_contents', single: 'varint', read: readInt64 },
  4: { field: 'uint_contents', single: 'varint', read: (reader) => reader.uint32() },
  5: { field: 'uint64_contents', single: 'varint', read: readUint64 },
  6: { field: 'fp32_contents', single: 'fourBytes', read: (reader) => finiteOrMissing(reader.float()) },
  7: { field: 'fp64_contents', single: 'eightBytes', read: (reader) => finiteOrMissing(reader.double()) },
  8: { field: 'bytes_contents', single: 'bytes', read: readText },
};

/** The field of contents in which a datatype stands. */
export const CONTENTS_FIELDS: Record<string, string> = {
  BOOL: 'bool_contents',
  INT8: 'int_contents',
  INT16: 'int_contents',
  INT32: 'int_contents',
  INT64: 'int64_contents',
  UINT8: 'uint_contents',
  UINT16: 'uint_contents',
  UINT32: 'uint_contents',
  UINT64: 'uint64_contents',
  FP32: 'fp32_contents',
  FP64: 'fp64_contents',
  BYTES: 'bytes_contents',
};

const readContents = (reader: ProtoReader, where: string): Contents => {
  const lists = new Map<number, Contents>();
  const fields = new Map<number, FieldReader>();
  // Made once per kind and wire type: a list may have millions of values.
  const fieldOf = (field: number, wire: number): FieldReader | undefined => {
    const kind = CONTENTS[field];
    if (kind === undefined) return undefined;
    const list: Contents = lists.get(field) ?? { field: kind.field, values: [] };
    lists.set(field, list);
    const made = readRepeated(list.values, wire, kind);
    fields.set(field * 8 + wire, made);
    return made;
  };
  readPart(reader, (field, wire) => fields.get(field * 8 + wire) ?? fieldOf(field, wire));
  const [filled, other] = [...lists.values()].filter(({ values }) => values.length > 0);
  if (other !== undefined) throw invalid(where, `has values in both ${filled?.field} and ${other.field}`);
  return filled ?? { field: '', values: [] };
};

const readInput = (reader: ProtoReader, where: string): InputMessage => {
  const parameters = new Map<string, boolean | number | string>();
  const input: InputMessage = { name: '', datatype: '', shape: [], parameters: undefined, contents: undefined };
  readPart(reader, (field, wire) => {
    switch (field) {
      case 1:
        return text((name) => (input.name = name));
      case 2:
        return text((datatype) => (input.datatype = datatype));
      case 3:
        return readRepeated(input.shape, wire, { single: 'varint', read: readInt64 });
      case 4:
        return parameterEntry(parameters, `${where}.parameters`);
      case 5:
        return { wire: 'bytes', read: (from) => (input.contents = readContents(from, `${where}.contents`)) };
      default:
        return undefined;
    }
  });
  checkCount(input.shape.length, MOST_DIMENSIONS, `${where}.shape`);
  return { ...input, parameters: parametersOf(parameters) };
};

const readOutput = (reader: ProtoReader, where: string): object => {
  let name = '';
  const parameters = new Map<string, boolean | number | string>();
  readPart(reader, (field) => {
    if (field === 1) return text((value) => (name = value));
    return field === 2 ? parameterEntry(parameters, `${where}.parameters`) : undefined;
  });
  return { name };
};

const inputOf = ({ name, datatype, shape, parameters, contents }: InputMessage, raw: Buffer | undefined, where: string): object => {
  const field = Object.hasOwn(CONTENTS_FIELDS, datatype) ? CONTENTS_FIELDS[datatype] : undefined;
  if (contents !== undefined && contents.values.length > 0) {
    if (raw !== undefined) throw invalid(`${where}.contents`, 'is there, and raw_input_contents too');
    if (field !== undefined && field !== contents.field) throw invalid(`${where}.contents`, `values of ${datatype} belong in ${field}, not in ${contents.field}`);
  }
  const data = raw === undefined ? (contents?.values ?? []) : rawValues(datatype, raw, `${where} (raw_input_contents)`);
  return { name, shape, datatype, ...(parameters === undefined ? {} : { parameters }), data };
};

type Message = { id: string; parameters: Map<string, boolean | number | string>; inputs: InputMessage[]; outputs: object[]; raw: Buffer[] };

const requestOf = ({ id, parameters: entries, inputs, outputs, raw }: Message): V2Request => {
  if (raw.length > 0 && raw.length !== inputs.length) throw invalid('raw_input_contents', `has ${raw.length} entries for ${inputs.length} inputs`);
  const parameters = parametersOf(entries);
  return {
    ...(id === '' ? {} : { id }),
    ...(parameters === undefined ? {} : { parameters }),
    inputs: inputs.map((input, position) => inputOf(input, raw[position], `inputs[${position}]`)),
    ...(outputs.length === 0 ? {} : { outputs }),
  };
};

const add = <Entry>(entries: Entry[], most: number, { where, read }: { where: string; read: (reader: ProtoReader, where: string) => Entry }): FieldReader => ({
  wire: 'bytes',
  read: (reader) => {
    checkCount(entries.length + 1, most, where);
    entries.push(read(reader, `${where}[${entries.length}]`));
  },
});

/**
 * Reads the message; `request` gives its content, so that what it refuses can be counted for its model.
 * @throws PerennialFailure MalformedBody or InferenceInvalid
 */
export const readInferRequest = (bytes: Buffer): InferMessage => {
  let model = '';
  let version = '';
  const message: Message = { id: '', parameters: new Map(), inputs: [], outputs: [], raw: [] };
  readMessage(bytes, (field) => {
    switch (field) {
      case 1:
        return text((name) => (model = name));
      case 2:
        return text((name) => (version = name));
      case 3:
        return text((id) => (message.id = id));
      case 4:
        return parameterEntry(message.parameters, 'parameters');
      case 5:
        return add(message.inputs, MOST_INPUTS, { where: 'inputs', read: readInput });
      case 6:
        return add(message.outputs, MOST_OUTPUTS, { where: 'outputs', read: readOutput });
      case 7:
        return add(message.raw, MOST_INPUTS, { where: 'raw_input_contents', read: (reader) => reader.bytes() as Buffer });
      default:
        return undefined;
    }
  });
  return { model, version, isRaw: message.raw.length > 0, request: () => requestOf(message) };
};
