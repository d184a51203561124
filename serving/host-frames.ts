/**
 * The bytes between a gateway and a model host, over a socket pair: both know the signature, so tensors go as they lie in memory. (Node's own channel
 * serialises every array and its name, which costs more than the model.)
 *
 * A frame is a header of 8 bytes (length of the payload, kind) and a payload. Tensors are a row count and then, each on a boundary of 8 bytes, the byte length
 * and the values of every tensor in the order of the signature, row-major; strings go as a JSON list.
 */
import type { SignatureTensor } from '../contracts/features.ts';
import { PerennialFailure } from '../domain/failure.ts';
import { TYPED_ARRAYS, widthOf, type ColumnData } from '../domain/tensor-columns.ts';
import type { Rows } from './batch.ts';

export const HEADER_BYTES = 8;
/** A host that announces more is broken: the rows of a batch and the outputs of a model are far smaller. */
const MOST_PAYLOAD_BYTES = 1024 ** 3;
const KINDS = ['json', 'tensors'] as const;
export type FrameKind = (typeof KINDS)[number];

/** Memory of its own, so that views of numbers may begin at its start: Node's small buffers begin anywhere in a shared one. */
export const alignedBytes = (length: number): Buffer => Buffer.from(new ArrayBuffer(length));

const padded = (bytes: number): number => (bytes + 7) & ~7;

const frameOf = (kind: FrameKind, payloadBytes: number): Buffer => {
  const frame = alignedBytes(HEADER_BYTES + payloadBytes);
  frame.writeUInt32LE(payloadBytes, 0);
  frame.writeUInt32LE(KINDS.indexOf(kind), 4);
  return frame;
};

/** @throws PerennialFailure ModelFailed when these are no header's bytes */
export const readHeader = (header: Buffer): { kind: FrameKind; payloadBytes: number } => {
  const payloadBytes = header.readUInt32LE(0);
  const kind = KINDS[header.readUInt32LE(4)];
  if (kind === undefined || payloadBytes > MOST_PAYLOAD_BYTES) throw new PerennialFailure('ModelFailed', 'the model host sent bytes that are no frame');
  return { kind, payloadBytes };
};

export const jsonFrame = (value: unknown): Buffer => {
  const text = Buffer.from(JSON.stringify(value), 'utf8');
  const frame = frameOf('json', text.length);
  text.copy(frame, HEADER_BYTES);
  return frame;
};

export const readJson = (payload: Buffer): unknown => JSON.parse(payload.toString('utf8'));

const bytesOf = (column: Exclude<ColumnData, string[]>): Uint8Array => new Uint8Array(column.buffer, column.byteOffset, column.byteLength);

/** The values of one tensor from all parts, one after the other. */
const piecesOf = (parts: readonly Rows[], place: number): Uint8Array[] => {
  const columns = parts.map(({ tensors }) => tensors[place] ?? []);
  if (Array.isArray(columns[0])) return [Buffer.from(JSON.stringify(columns.flat()), 'utf8')];
  return columns.map((column) => bytesOf(column as Exclude<ColumnData, string[]>));
};

/** The rows of several requests as one batch, or the outputs of one. */
export const tensorFrame = (tensors: readonly SignatureTensor[], parts: readonly Rows[]): Buffer => {
  const pieces = tensors.map((_, place) => piecesOf(parts, place));
  const sizes = pieces.map((list) => list.reduce((sum, piece) => sum + piece.length, 0));
  const frame = frameOf('tensors', sizes.reduce((sum, size) => sum + 8 + padded(size), 8));
  frame.writeUInt32LE(parts.reduce((sum, part) => sum + part.rows, 0), HEADER_BYTES);
  let offset = HEADER_BYTES + 8;
  pieces.forEach((list, place) => {
    const size = sizes[place] as number;
    frame.writeUInt32LE(size, offset);
    let at = offset + 8;
    for (const piece of list) {
      frame.set(piece, at);
      at += piece.length;
    }
    offset += 8 + padded(size);
  });
  return frame;
};

const columnOf = ({ datatype }: SignatureTensor, payload: Buffer, { offset, size }: { offset: number; size: number }): ColumnData => {
  if (datatype === 'BYTES') return readJson(payload.subarray(offset, offset + size)) as string[];
  const View = TYPED_ARRAYS[datatype];
  return new View(payload.buffer as ArrayBuffer, payload.byteOffset + offset, size / View.BYTES_PER_ELEMENT);
};

const foreignTensors = (): PerennialFailure => new PerennialFailure('ModelFailed', 'the tensors between gateway and model host are not those of the signature');

/**
 * The tensors of a payload, as views of it: it must lie on a boundary of 8 bytes.
 * @throws PerennialFailure ModelFailed when they are not those of the signature
 */
export const readTensors = (tensors: readonly SignatureTensor[], payload: Buffer): Rows => {
  if (payload.length < 8) throw foreignTensors();
  const rows = payload.readUInt32LE(0);
  let offset = 8;
  const columns = tensors.map((tensor) => {
    const size = offset + 8 > payload.length ? Infinity : payload.readUInt32LE(offset);
    if (offset + 8 + size > payload.length) throw foreignTensors();
    const column = columnOf(tensor, payload, { offset: offset + 8, size });
    if (column.length !== rows * widthOf(tensor)) throw foreignTensors();
    offset += 8 + padded(size);
    return column;
  });
  return { rows, tensors: columns };
};

/** A whole frame; its payload lies in memory of its own, on a boundary of 8 bytes. */
export type Frame = { kind: FrameKind; payload: Buffer };

/**
 * Puts frames together from the pieces in which a stream brings them.
 * @returns what takes a piece; it throws PerennialFailure ModelFailed when the bytes are no frame
 */
export const createFrameReader = (onFrame: (frame: Frame) => void): ((chunk: Buffer) => void) => {
  const header = Buffer.alloc(HEADER_BYTES);
  let payload: { kind: FrameKind; bytes: Buffer } | undefined;
  let filled = 0;
  /** Takes what the target still lacks from the chunk; gives where the rest begins. */
  const fill = (target: Buffer, chunk: Buffer, from: number): number => {
    const count = chunk.copy(target, filled, from);
    filled += count;
    return from + count;
  };
  return (chunk) => {
    let from = 0;
    for (;;) {
      if (payload === undefined) {
        from = fill(header, chunk, from);
        if (filled < HEADER_BYTES) return;
        const { kind, payloadBytes } = readHeader(header);
        payload = { kind, bytes: alignedBytes(payloadBytes) };
        filled = 0;
      }
      from = fill(payload.bytes, chunk, from);
      if (filled < payload.bytes.length) return;
      const frame: Frame = { kind: payload.kind, payload: payload.bytes };
      payload = undefined;
      filled = 0;
      onFrame(frame);
    }
  };
};
