/**
 * The binary tensor extension of the Open Inference Protocol V2, as Triton defines it and its client uses it by default: the JSON of a request or an answer is followed by the
 * values of its tensors, little-endian and row-major; a string is its length in 4 bytes and its UTF-8. NaN is the missing value, as null is in JSON.
 *
 * Inputs become the lists that JSON would have brought, so that one reader checks both and the log has one form.
 */
import { isUtf8 } from 'node:buffer';
import { PerennialFailure } from '../domain/failure.ts';
import { isJsonObject } from '../domain/json-object.ts';
import type { ColumnData, TYPED_ARRAYS } from '../domain/tensor-columns.ts';

const invalid = (where: string, what: string): PerennialFailure => new PerennialFailure('InferenceInvalid', `${where}: ${what}`);

/** A copy, because the values may begin at any byte. */
const memoryOf = (bytes: Buffer): ArrayBuffer => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;

const floats = (values: Float32Array | Float64Array): (number | null)[] => Array.from(values, (value) => (Number.isNaN(value) ? null : value));

/** What JSON cannot hold exactly stays text, which the reader refuses by its place. */
const wholeNumber = (value: bigint): number | string => (Number.isSafeInteger(Number(value)) ? Number(value) : String(value));

/** Sign, 5 bits of exponent, 10 of fraction (IEEE 754 binary16). */
const fromHalf = (bits: number): number => {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 0x1f, bits & 0x3ff];
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
};

type Values = { bytes: number; read: (memory: ArrayBuffer) => unknown[] };

const typed = (TypedArray: Exclude<(typeof TYPED_ARRAYS)[keyof typeof TYPED_ARRAYS], typeof BigInt64Array | typeof BigUint64Array>): Values => ({ bytes: TypedArray.BYTES_PER_ELEMENT, read: (memory) => Array.from(new TypedArray(memory)) });

const NUMBERS: Record<string, Values> = {
  FP16: { bytes: 2, read: (memory) => Array.from(new Uint16Array(memory), fromHalf).map((value) => (Number.isNaN(value) ? null : value)) },
  FP32: { bytes: 4, read: (memory) => floats(new Float32Array(memory)) },
  FP64: { bytes: 8, read: (memory) => floats(new Float64Array(memory)) },
  INT8: typed(Int8Array),
  INT16: typed(Int16Array),
  INT32: typed(Int32Array),
  INT64: { bytes: 8, read: (memory) => Array.from(new BigInt64Array(memory), wholeNumber) },
  UINT8: typed(Uint8Array),
  UINT16: typed(Uint16Array),
  UINT32: typed(Uint32Array),
  UINT64: { bytes: 8, read: (memory) => Array.from(new BigUint64Array(memory), wholeNumber) },
  BOOL: { bytes: 1, read: (memory) => Array.from(new Uint8Array(memory), (value) => (value > 1 ? value : value === 1)) },
};

const readStrings = (bytes: Buffer, where: string): string[] => {
  const values: string[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const length = offset + 4 > bytes.length ? Infinity : bytes.readUInt32LE(offset);
    if (offset + 4 + length > bytes.length) throw invalid(where, `value ${values.length} goes beyond the ${bytes.length} bytes of the input`);
    const text = bytes.subarray(offset + 4, offset + 4 + length);
    if (!isUtf8(text)) throw invalid(where, `value ${values.length} is not UTF-8`);
    values.push(text.toString('utf8'));
    offset += 4 + length;
  }
  return values;
};

/**
 * The values of a tensor as JSON would bring them.
 * @throws PerennialFailure InferenceInvalid
 */
export const rawValues = (datatype: unknown, bytes: Buffer, where: string): unknown[] => {
  if (datatype === 'BYTES') return readStrings(bytes, where);
  const numbers = typeof datatype === 'string' && Object.hasOwn(NUMBERS, datatype) ? NUMBERS[datatype] : undefined;
  if (numbers === undefined) throw invalid(where, `the datatype has no binary form here; known are BYTES, ${Object.keys(NUMBERS).join(', ')}`);
  if (bytes.length % numbers.bytes !== 0) throw invalid(where, `${bytes.length} bytes are no whole number of values of ${numbers.bytes} bytes`);
  return numbers.read(memoryOf(bytes));
};

/**
 * The body with the values of its binary inputs in place, in the form in which JSON would have brought them.
 * @throws PerennialFailure InferenceInvalid that names the input
 */
export const withBinaryInputs = (body: unknown, binary: Buffer): unknown => {
  if (!isJsonObject(body) || !Array.isArray(body['inputs'])) return body;
  let offset = 0;
  const inputs = body['inputs'].map((input: unknown, position) => {
    const parameters: unknown = isJsonObject(input) ? input['parameters'] : undefined;
    if (!isJsonObject(input) || !isJsonObject(parameters) || !Object.hasOwn(parameters, 'binary_data_size')) return input;
    const { binary_data_size: size, ...others } = parameters;
    const where = `inputs[${position}].parameters.binary_data_size`;
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0) throw invalid(where, 'must be a whole number of bytes');
    if (offset + size > binary.length) throw invalid(where, `${size} bytes are more than the ${binary.length - offset} that are left of the body`);
    if (input['data'] !== undefined) throw invalid(`inputs[${position}].data`, 'is there, and binary values too');
    const data = rawValues(input['datatype'], binary.subarray(offset, offset + size), where);
    offset += size;
    return { ...input, parameters: others, data };
  });
  if (offset !== binary.length) throw invalid('body', `has ${binary.length - offset} bytes more than its inputs say`);
  return { ...body, inputs };
};

const stringBytes = (values: readonly string[]): Buffer =>
  Buffer.concat(
    values.flatMap((value) => {
      const text = Buffer.from(value, 'utf8');
      const length = Buffer.alloc(4);
      length.writeUInt32LE(text.length);
      return [length, text];
    }),
  );

/** The values of an output as they follow the JSON of an answer. */
export const binaryValues = (column: ColumnData): Buffer => (Array.isArray(column) ? stringBytes(column) : Buffer.from(column.buffer, column.byteOffset, column.byteLength));
