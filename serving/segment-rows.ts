/** Turns lines of the prediction log into rows of segments: one row per inference row, grouped by model. */
import type { SignatureTensor } from '../contracts/features.ts';
import type { InferenceValue } from '../domain/inference.ts';
import { widthOf } from '../domain/tensor-columns.ts';
import type { AnswerLine, VersionLine } from './log-record.ts';

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

type Column = { prefix: string; width: number; isEmptyMissing: boolean };

const columnsOf = (tensors: readonly SignatureTensor[]): Column[] =>
  tensors.map((tensor) => ({ prefix: `${JSON.stringify(tensor.name)}:`, width: widthOf(tensor), isEmptyMissing: tensor.datatype === 'BYTES' && tensor.missing === 'allowed' }));

const valueText = ({ isEmptyMissing }: Column, value: InferenceValue | undefined): string => (isEmptyMissing && value === '' ? 'null' : JSON.stringify(value ?? null));

const objectText = (columns: readonly Column[], values: readonly InferenceValue[][], row: number): string => {
  const parts = columns.map((column, place) => {
    const data = values[place] ?? [];
    if (column.width === 1) return column.prefix + valueText(column, data[row]);
    return `${column.prefix}[${data.slice(row * column.width, (row + 1) * column.width).map((value) => valueText(column, value)).join(',')}]`;
  });
  return `{${parts.join(',')}}`;
};

type VersionColumns = { inputs: Column[]; outputs: Column[] };

const rowsOf = (line: AnswerLine, columns: VersionColumns): SegmentRow[] =>
  Array.from({ length: line.rows }, (_, row) => ({
    inferenceId: line.rows === 1 ? line.id : `${line.id}/${row}`,
    atMs: line.at,
    version: line.version,
    role: line.role,
    generation: line.generation,
    latencyMs: line.latencyMs,
    fellBackFrom: line.fellBackFrom ?? null,
    inputs: objectText(columns.inputs, line.inputs, row),
    outputs: objectText(columns.outputs, line.outputs, row),
  }));

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
