/**
 * A reader of the Protocol Buffers wire format: just what the model check needs, over bytes that nobody trusts.
 *
 * It copies nothing and skips what it does not ask for, so a model of a gigabyte is checked without being decoded.
 */

/** The bytes are not a well-formed message. */
export class WireFormatError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'WireFormatError';
  }
}

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

type Cursor = { bytes: Uint8Array; at: number };

/** Above 2^53 the value loses its last bits: the check asks only for small numbers. */
const readVarint = (cursor: Cursor): number => {
  let value = 0;
  let scale = 1;
  for (let length = 0; length < 10; length += 1) {
    const byte = cursor.bytes[cursor.at];
    if (byte === undefined) throw new WireFormatError('a number is cut off');
    cursor.at += 1;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 128;
  }
  throw new WireFormatError('a number is longer than 10 bytes');
};

const skip = (cursor: Cursor, length: number): void => {
  if (length > cursor.bytes.length - cursor.at) throw new WireFormatError('a field is cut off');
  cursor.at += length;
};

const readLengthDelimited = (cursor: Cursor): Uint8Array => {
  const length = readVarint(cursor);
  const start = cursor.at;
  skip(cursor, length);
  return cursor.bytes.subarray(start, cursor.at);
};

/**
 * Visits the fields of a message in their order: a number for a varint, the bytes for everything that has a length
 * (text, a message, packed numbers). Fixed-width numbers are passed over.
 * @throws WireFormatError when the bytes are not a message
 */
export const forEachField = (message: Uint8Array, visit: (field: number, value: number | Uint8Array) => void): void => {
  const cursor: Cursor = { bytes: message, at: 0 };
  while (cursor.at < message.length) {
    const tag = readVarint(cursor);
    const field = Math.floor(tag / 8);
    if (field < 1 || field > 0x1fff_ffff) throw new WireFormatError(`there is no field ${field}`);
    const wireType = tag % 8;
    if (wireType === VARINT) visit(field, readVarint(cursor));
    else if (wireType === LENGTH_DELIMITED) visit(field, readLengthDelimited(cursor));
    else if (wireType === FIXED_64) skip(cursor, 8);
    else if (wireType === FIXED_32) skip(cursor, 4);
    else throw new WireFormatError(`wire type ${wireType} is not used by ONNX`);
  }
};

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Text exactly as it is there: a byte order mark stays, so that no two spellings of a name are one. */
export const decodeText = (bytes: Uint8Array): string => decoder.decode(bytes);

/** The last text of a field, as Protocol Buffers read a repeated singular field; "" when it is absent. */
export const textOf = (message: Uint8Array, wanted: number): string => {
  let text = '';
  forEachField(message, (field, value) => {
    if (field === wanted && typeof value !== 'number') text = decodeText(value);
  });
  return text;
};
