/** The scored rows of a window, joined with the labels that have come, as typed arrays: ten million rows are a few hundred megabytes. */
import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import type { Task } from '../../contracts/features.ts';
import type { LabelledWindow } from '../../domain/ports/monitoring.ts';
import type { SliceColumn } from '../../domain/window-quality.ts';

/** A label that has come, with the time of its arrival in milliseconds since the epoch. */
export type ArrivedLabel = { label: number; receivedAtMs: number };

export type LabelSource = (inferenceIds: readonly string[]) => Promise<Map<string, ArrivedLabel>>;

const isLabelOf = (task: Task, label: number): boolean => task === 'regression' || label === 0 || label === 1;

/** Rows whose labels are asked for at once. */
const ROWS_AT_ONCE = 10_000;

/** A column with more values than this has none that is a slice. */
const MOST_VALUES = 10_000;
const NO_SLICE = 0xffff_ffff;

type Row = { id: string; score: number; answeredAtMs: number; values: (string | null)[] };

/** Numbers the values of a column in the order in which they appear. */
const createCodes = (rows: number) => {
  const codes = new Uint32Array(rows);
  const numbers = new Map<string | null, number>();
  return {
    set: (row: number, value: string | null): void => {
      const known = numbers.get(value);
      if (known === undefined && numbers.size < MOST_VALUES) numbers.set(value, numbers.size);
      codes[row] = known ?? (numbers.get(value) ?? NO_SLICE);
    },
    result: (column: string, length: number): SliceColumn => ({ column, values: [...numbers.keys()], codes: codes.slice(0, length) }),
  };
};

const rowsOfChunk = (chunk: DuckDBDataChunk): Row[] => {
  const [ids = [], scores = [], times = [], ...slices] = Array.from({ length: chunk.columnCount }, (_, index) => chunk.getColumnValues(index));
  return ids.map((id, row) => ({
    id: String(id),
    score: Number(scores[row]),
    answeredAtMs: Number(times[row]),
    values: slices.map((values) => (values[row] === null || values[row] === undefined ? null : String(values[row]))),
  }));
};

async function* scoredRows(connection: DuckDBConnection, sliceNumbers: readonly number[]): AsyncGenerator<Row[]> {
  const slices = sliceNumbers.map((column) => `, value[${column + 1}]`).join('');
  const result = await connection.stream(`select inference_id, score, epoch_ms(answered_at)${slices} from live where score is not null order by rowid`);
  let rows: Row[] = [];
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    rows.push(...rowsOfChunk(chunk));
    if (rows.length < ROWS_AT_ONCE) continue;
    yield rows;
    rows = [];
  }
  if (rows.length > 0) yield rows;
}

const medianOf = (numbers: Float64Array): number => {
  const sorted = numbers.slice().sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

const timesOf = (arrivals: Float64Array, delaysMs: Float64Array): LabelledWindow['times'] => {
  if (arrivals.length === 0) return null;
  const instant = (pick: (first: number, second: number) => number): string => new Date(arrivals.reduce((first, second) => pick(first, second))).toISOString();
  return { firstAt: instant(Math.min), lastAt: instant(Math.max), medianDelaySeconds: medianOf(delaysMs) / 1_000 };
};

/**
 * Reads the scores of all rows of `live`, and the rows among them that have labels, in the order of the predictions.
 *
 * @param columns names and numbers of the columns in `value` that quality is sliced by
 */
export const readLabelledRows = async (
  connection: DuckDBConnection,
  { task, rows, columns, labelsOf }: { task: Task; rows: number; columns: readonly { column: string; number: number }[]; labelsOf: LabelSource },
): Promise<{ scores: Float64Array; labelled: LabelledWindow }> => {
  const [all, scores, arrivals, delays] = [new Float64Array(rows), new Float64Array(rows), new Float64Array(rows), new Float64Array(rows)];
  const labels = new Float64Array(rows);
  const codes = columns.map(() => createCodes(rows));
  let [scored, labelled] = [0, 0];
  for await (const batch of scoredRows(connection, columns.map(({ number }) => number))) {
    const arrived = await labelsOf(batch.map(({ id }) => id));
    for (const { id, score, answeredAtMs, values } of batch) {
      all[scored++] = score;
      const label = arrived.get(id);
      if (label === undefined || !isLabelOf(task, label.label)) continue;
      scores[labelled] = score;
      labels[labelled] = label.label;
      arrivals[labelled] = label.receivedAtMs;
      delays[labelled] = label.receivedAtMs - answeredAtMs;
      values.forEach((value, slice) => codes[slice]!.set(labelled, value));
      labelled += 1;
    }
  }
  return {
    scores: all.slice(0, scored),
    labelled: {
      scores: scores.slice(0, labelled),
      labels: labels.slice(0, labelled),
      slices: columns.map(({ column }, slice) => codes[slice]!.result(column, labelled)),
      times: timesOf(arrivals.subarray(0, labelled), delays.subarray(0, labelled)),
    },
  };
};
