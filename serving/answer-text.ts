/** JSON of answers and of log records, written by hand: it is the greater part of what a request costs. */
import type { SignatureTensor } from '../contracts/features.ts';
import { PerennialFailure } from '../domain/failure.ts';
import type { InferenceValue } from '../domain/inference.ts';
import { predictionsOf } from '../domain/row-requests.ts';
import type { ColumnData } from '../domain/tensor-columns.ts';
import { binaryValues } from './binary-tensors.ts';
import type { Variant } from './deployment-table.ts';
import type { WrittenAnswer } from './inference-service.ts';

const floatsText = (tensor: SignatureTensor, data: Float32Array | Float64Array): string => {
  for (let index = 0; index < data.length; index += 1) {
    if (!Number.isFinite(data[index])) return floatsWithMissing(tensor, data);
  }
  return `[${data.join(',')}]`;
};

const floatsWithMissing = (tensor: SignatureTensor, data: Float32Array | Float64Array): string => {
  const isFine = tensor.missing === 'allowed' && data.every((value) => Number.isFinite(value) || Number.isNaN(value));
  if (!isFine) throw new PerennialFailure('ModelFailed', `the output "${tensor.name}" is not a finite number`);
  return `[${Array.from(data, (value) => (Number.isNaN(value) ? 'null' : String(value))).join(',')}]`;
};

const columnText = (tensor: SignatureTensor, data: ColumnData): string => {
  if (data instanceof Float32Array || data instanceof Float64Array) return floatsText(tensor, data);
  if (tensor.datatype === 'BOOL') return `[${Array.from(data as Uint8Array, (value) => value === 1).join(',')}]`;
  if (Array.isArray(data)) return JSON.stringify(data);
  return `[${data.join(',')}]`;
};

/**
 * JSON lists of the outputs, in the order of the signature.
 * @throws PerennialFailure ModelFailed when a number is not finite: such an answer is none
 */
export const outputTexts = ({ signature }: Variant, outputs: readonly ColumnData[]): string[] =>
  signature.outputs.map((tensor, place) => columnText(tensor, outputs[place] as ColumnData));

export type AnswerBody = { text: string; binary: Buffer[] };

/** A V2 answer: its JSON, and the binary outputs that follow it. `id` is fit to stand in JSON as it is. */
export const answerOf = ({ variant, id, rows: { rows }, texts, columns, envelope }: WrittenAnswer): AnswerBody => {
  const { outputs: wanted, binaryOutput } = envelope;
  let outputs = '';
  const binary: Buffer[] = [];
  variant.signature.outputs.forEach((tensor, place) => {
    const asked = wanted === undefined ? { binary: binaryOutput } : wanted.find(({ name }) => name === tensor.name);
    if (asked === undefined) return;
    const shape = [rows, ...tensor.shape.slice(1)].join(',');
    let data = `"data":${texts[place]}`;
    if (asked.binary) {
      const values = binaryValues(columns[place] as ColumnData);
      binary.push(values);
      data = `"parameters":{"binary_data_size":${values.length}}`;
    }
    outputs += `${outputs === '' ? '' : ','}{"name":${JSON.stringify(tensor.name)},"shape":[${shape}],"datatype":"${tensor.datatype}",${data}}`;
  });
  const text = `{"model_name":"${variant.model}","model_version":"${variant.version}","id":"${id}","outputs":[${outputs}]}`;
  return { text, binary };
};

/** The answer to a request that gave rows. */
export const rowAnswerOf = ({ variant: { signature }, texts }: WrittenAnswer): AnswerBody => ({
  text: JSON.stringify(predictionsOf(signature, texts.map((text) => JSON.parse(text) as InferenceValue[]))),
  binary: [],
});

export type LogFacts = {
  id: string;
  key: string | undefined;
  at: number;
  rows: number;
  /** The body of the request: valid JSON. */
  body: string;
  texts: readonly string[];
  latencyMs: number;
  fellBackFrom: number | undefined;
};

/** JSON without line breaks: in valid JSON they stand between values only. */
const onOneLine = (json: string): string => (json.includes('\n') ? json.replaceAll('\n', ' ') : json);

/** The JSON of an AnswerLine (log-record.ts). */
export const logRecordText = (variant: Variant, facts: LogFacts): string => {
  const key = facts.key === undefined ? '' : `,"key":${JSON.stringify(facts.key)}`;
  const fellBack = facts.fellBackFrom === undefined ? '' : `,"fellBackFrom":${facts.fellBackFrom}`;
  const where = `"model":"${variant.model}","version":${variant.version},"role":"${variant.role}","generation":${variant.generation}`;
  return (
    `{"kind":"answer","id":"${facts.id}","at":${facts.at},${where}${key},"rows":${facts.rows},` +
    `"request":${onOneLine(facts.body)},"outputs":[${facts.texts.join(',')}],"latencyMs":${Math.round(facts.latencyMs * 1_000) / 1_000}${fellBack}}`
  );
};
