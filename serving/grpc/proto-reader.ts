/**
 * Reads Protocol Buffers field by field. A message of a client is read by hand, because a general decoder makes an object of every two bytes of a hostile one;
 * here the caller says how many entries a list may have.
 */
import { isUtf8 } from 'node:buffer';
import protobuf from 'protobufjs';
import { PerennialFailure } from '../../domain/failure.ts';

export type ProtoReader = protobuf.Reader & { fields: number };

/** The wire types that are in use: groups were given up before version 3 of the language. */
const WIRE = { varint: 0, eightBytes: 1, bytes: 2, fourBytes: 5 } as const;

const malformed = (what: string): PerennialFailure => new PerennialFailure('MalformedBody', `The message is no Protocol Buffers message of this method: ${what}.`);

/** What a field is read with: its wire type is checked before. A value of a list is one of many, of which only the size of the message is a limit. */
export type FieldReader = { wire: keyof typeof WIRE; isValue?: true; read: (reader: ProtoReader) => void };

/** Most fields of one message that are no values: far more than the largest request has, and few enough to be read at once. */
const MOST_FIELDS = 100_000;

/** Reads all fields up to `end`; unknown ones are passed over, as the language wants it. */
const readUpTo = (reader: ProtoReader, end: number, fieldOf: (field: number, wire: number) => FieldReader | undefined): void => {
  while (reader.pos < end) {
    const tag = reader.uint32();
    const [field, wire] = [tag >>> 3, tag & 7];
    if (field === 0 || !Object.values(WIRE).includes(wire as 0)) throw malformed(`the tag ${tag} is none`);
    const known = fieldOf(field, wire);
    if (known?.isValue !== true && (reader.fields += 1) > MOST_FIELDS) throw malformed(`it has more than ${MOST_FIELDS} fields`);
    if (known === undefined) reader.skipType(wire);
    else if (WIRE[known.wire] === wire) known.read(reader);
    else throw malformed(`field ${field} has the wire type ${wire}`);
  }
  if (reader.pos > end) throw malformed('a part of it goes beyond its end');
};

/** Reads a part that begins with its length. */
export const readPart = (reader: ProtoReader, fieldOf: (field: number, wire: number) => FieldReader | undefined): void => {
  const length = reader.uint32();
  if (reader.pos + length > reader.len) throw malformed('a part of it goes beyond its end');
  readUpTo(reader, reader.pos + length, fieldOf);
};

/**
 * Reads a whole message.
 * @throws PerennialFailure MalformedBody when the bytes are no message
 */
export const readMessage = (bytes: Buffer, fieldOf: (field: number, wire: number) => FieldReader | undefined): void => {
  const reader: ProtoReader = Object.assign(protobuf.Reader.create(bytes), { fields: 0 });
  try {
    readUpTo(reader, reader.len, fieldOf);
  } catch (error) {
    throw error instanceof PerennialFailure ? error : malformed('it is cut off or damaged');
  }
};

const REPLACEMENT = '\uFFFD';

/** @throws PerennialFailure MalformedBody when it is not UTF-8 */
export const readText = (reader: ProtoReader): string => {
  const length = reader.uint32();
  const [start, end] = [reader.pos, reader.pos + length];
  if (end > reader.len) throw malformed('a string in it goes beyond its end');
  reader.pos = end;
  const bytes = reader.buf as Buffer;
  const text = bytes.toString('utf8', start, end);
  if (text.includes(REPLACEMENT) && !isUtf8(bytes.subarray(start, end))) throw malformed('a string in it is not UTF-8');
  return text;
};

const readWhole = (reader: ProtoReader, read: () => unknown): number => {
  const first = reader.buf[reader.pos] as number;
  if (first >= 128 || reader.pos >= reader.len) return Number(read());
  reader.pos += 1;
  return first;
};

/** A number that a double holds exactly where that is possible; a larger one is no safe integer, and the signature's reader refuses it. */
export const readInt64 = (reader: ProtoReader): number => readWhole(reader, () => reader.int64());
export const readUint64 = (reader: ProtoReader): number => readWhole(reader, () => reader.uint64());

/** Values of a repeated field, which come one by one or, if they are numbers, packed. */
export const readRepeated = <Value>(values: Value[], wire: number, { single, read }: { single: keyof typeof WIRE; read: (reader: ProtoReader) => Value }): FieldReader => ({
  wire: wire === WIRE.bytes ? 'bytes' : single,
  isValue: true,
  read: (reader) => {
    if (wire !== WIRE.bytes || single === 'bytes') return void values.push(read(reader));
    const length = reader.uint32();
    const end = reader.pos + length;
    if (end > reader.len) throw malformed('a list in it goes beyond its end');
    while (reader.pos < end) values.push(read(reader));
    if (reader.pos > end) throw malformed('a list in it ends within a value');
  },
});

/** @throws PerennialFailure InferenceInvalid when there are more than `most` */
export const checkCount = (count: number, most: number, where: string): void => {
  if (count > most) throw new PerennialFailure('InferenceInvalid', `${where}: has more than ${most} entries`);
};
