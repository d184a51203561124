/** Turns lines of the prediction log into rows of segments: one row per inference row, grouped by model. */
import type { SignatureTensor } from '../contracts/features.ts';
import type { InferenceValue } from '../domain/inference.ts';
import { widthOf } from '../domain/tensor-columns.ts';
import type { AnswerLine, InferenceData, VersionLine } from './log-record.ts';

/** A row of a segment file; `inputs` and `outputs` are JSON objects from column to value (a list where a column is wider than 1). */
export type SegmentRow = {
  inferenceId: string;
  atMs: number;
  version: number;
  role: string;
  generation: number;
  latencyMs: number;
  fellBackFrom: number | null;
  inputs: string;
  outputs: string;
};

type Column = { name: string; prefix: string; width: number; isEmptyMissing: boolean };

const columnsOf = (tensors: readonly SignatureTensor[]): Column[] =>
  tensors.map((tensor) => ({ name: tensor.name, prefix: `${JSON.stringify(tensor.name)}:`, width: widthOf(tensor), isEmptyMissing: tensor.datatype === 'BYTES' && tensor.missing === 'allowed' }));

/** The value or values of one row as JSON. */
const rowText = ({ width, isEmptyMissing }: Column, data: readonly InferenceValue[], row: number): string => {
  const values = data.slice(row * width, (row + 1) * width);
  const known = isEmptyMissing ? values.map((value) => (value === '' ? null : value)) : values;
  return JSON.stringify(width === 1 ? (known[0] ?? null) : known);
};

const objectText = (columns: readonly Column[], values: readonly InferenceValue[][], row: number): string => {
  const parts = columns.map((column, place) => column.prefix + rowText(column, values[place] ?? [], row));
  return `{${parts.join(',')}}`;
};

type VersionColumns = { inputs: Column[]; outputs: Column[] };

const flatten = (data: InferenceData): InferenceValue[] => (data.some(Array.isArray) ? data.flatMap((entry) => (Array.isArray(entry) ? flatten(entry) : entry)) : (data as InferenceValue[]));

/** Flat values of each column, whatever the order in which the client sent them. */
const inputsOf = ({ request }: AnswerLine, columns: readonly Column[]): InferenceValue[][] =>
  columns.map(({ name }, place) => {
    const sent = request.inputs[place]?.name === name ? request.inputs[place] : request.inputs.find((input) => input.name === name);
    return flatten(sent?.data ?? []);
  });

const rowsOf = (line: AnswerLine, columns: VersionColumns): SegmentRow[] => {
  const inputs = inputsOf(line, columns.inputs);
  return Array.from({ length: line.rows }, (_, row) => ({
    inferenceId: line.rows === 1 ? line.id : `${line.id}/${row}`,
    atMs: line.at,
    version: line.version,
    role: line.role,
    generation: line.generation,
    latencyMs: line.latencyMs,
    fellBackFrom: line.fellBackFrom ?? null,
    inputs: objectText(columns.inputs, inputs, row),
    outputs: objectText(columns.outputs, line.outputs, row),
  }));
};

/**
 * Rows per model, in the order of the log.
 * @param lines JSON texts of a whole file; they were written by this program and match their checksums
 */
export const segmentRows = (lines: readonly string[]): Map<string, SegmentRow[]> => {
  const versions = new Map<string, VersionColumns>();
  const byModel = new Map<string, SegmentRow[]>();
  for (const text of lines) {
    const line = JSON.parse(text) as VersionLine | AnswerLine;
    const name = `${line.model}/${line.version}`;
    if (line.kind === 'version') {
      versions.set(name, { inputs: columnsOf(line.inputs), outputs: columnsOf(line.outputs) });
      continue;
    }
    const columns = versions.get(name);
    if (columns === undefined) throw new Error(`the log has a record of ${name} before its columns`);
    const rows = byModel.get(line.model) ?? [];
    rows.push(...rowsOf(line, columns));
    byModel.set(line.model, rows);
  }
  return byModel;
};
