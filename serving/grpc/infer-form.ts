/** ModelInfer as a form of inference: its message in, its message out. */
import protobuf from 'protobufjs';
import type { SignatureTensor } from '../../contracts/features.ts';
import type { ColumnData } from '../../domain/tensor-columns.ts';
import { binaryValues } from '../binary-tensors.ts';
import { readInJson } from '../http-forms.ts';
import type { InferenceForm, WrittenAnswer } from '../inference-service.ts';
import type { InferMessage } from './infer-request.ts';

const BYTES = 2;
const FIELD = { modelName: 1, modelVersion: 2, id: 3, outputs: 5, rawOutputs: 6 } as const;
const OUTPUT = { name: 1, datatype: 2, shape: 3, contents: 5 } as const;

const tag = (field: number, wire: number): number => (field << 3) | wire;

const textField = (writer: protobuf.Writer, field: number, text: string): void => void writer.uint32(tag(field, BYTES)).string(text);

/** Numbers of a packed field. */
const packed = <Value>(writer: protobuf.Writer, field: number, { values, write }: { values: Iterable<Value>; write: (value: Value) => void }): void => {
  writer.uint32(tag(field, BYTES)).fork();
  for (const value of values) write(value);
  writer.ldelim();
};

/** InferTensorContents: each kind of values has its field. */
const writeContents = (writer: protobuf.Writer, datatype: SignatureTensor['datatype'], column: ColumnData): void => {
  if (Array.isArray(column)) for (const text of column) textField(writer, 8, text);
  else if (column instanceof Float32Array) packed(writer, 6, { values: column, write: (value) => writer.float(value) });
  else if (column instanceof Float64Array) packed(writer, 7, { values: column, write: (value) => writer.double(value) });
  else if (column instanceof BigInt64Array) packed(writer, 3, { values: column, write: (value) => writer.int64(String(value)) });
  else if (column instanceof BigUint64Array) packed(writer, 5, { values: column, write: (value) => writer.uint64(String(value)) });
  else if (datatype === 'BOOL') packed(writer, 1, { values: column, write: (value) => writer.bool(value === 1) });
  else if (datatype.startsWith('UINT')) packed(writer, 4, { values: column, write: (value) => writer.uint32(value) });
  else packed(writer, 2, { values: column, write: (value) => writer.int32(value) });
};

const writeOutput = (writer: protobuf.Writer, tensor: SignatureTensor, { rows, column }: { rows: number; column: ColumnData | undefined }): void => {
  writer.uint32(tag(FIELD.outputs, BYTES)).fork();
  textField(writer, OUTPUT.name, tensor.name);
  textField(writer, OUTPUT.datatype, tensor.datatype);
  packed(writer, OUTPUT.shape, { values: [rows, ...tensor.shape.slice(1)], write: (size) => writer.int64(size) });
  if (column !== undefined) {
    writer.uint32(tag(OUTPUT.contents, BYTES)).fork();
    writeContents(writer, tensor.datatype, column);
    writer.ldelim();
  }
  writer.ldelim();
};

/** A ModelInferResponse, with raw outputs where the inputs were raw, as Triton's client and others expect it. */
const writeAnswer = ({ variant, id, rows: { rows }, columns, envelope: { outputs: wanted } }: WrittenAnswer, isRaw: boolean): Buffer => {
  const writer = protobuf.Writer.create();
  textField(writer, FIELD.modelName, variant.model);
  textField(writer, FIELD.modelVersion, String(variant.version));
  textField(writer, FIELD.id, id);
  const raw: Buffer[] = [];
  variant.signature.outputs.forEach((tensor, place) => {
    if (wanted !== undefined && !wanted.some(({ name }) => name === tensor.name)) return;
    const column = columns[place] as ColumnData;
    writeOutput(writer, tensor, { rows, column: isRaw ? undefined : column });
    if (isRaw) raw.push(binaryValues(column));
  });
  for (const bytes of raw) writer.uint32(tag(FIELD.rawOutputs, BYTES)).bytes(bytes);
  return writer.finish() as Buffer;
};

export const inferForm = ({ request, isRaw }: InferMessage): InferenceForm<Buffer> => ({
  read: () => readInJson(request()),
  write: (answer) => writeAnswer(answer, isRaw),
});
