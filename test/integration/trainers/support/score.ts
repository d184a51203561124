/** Scores Parquet rows with ONNX Runtime as it serves, and measures. */
import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Feature } from './run-trainer.ts';

export type Row = Record<string, unknown>;

export const readRows = async (paths: string[]): Promise<Row[]> => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const files = paths.map((path) => `'${path}'`).join(', ');
    const reader = await connection.runAndReadAll(`select * from read_parquet([${files}])`);
    return reader.getRowObjectsJS();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
};

export const openSession = (modelFile: string): Promise<InferenceSession> => InferenceSession.create(readFileSync(modelFile), { intraOpNumThreads: 1, logSeverityLevel: 4 });

const columnTensor = (rows: Row[], feature: Feature): Tensor => {
  const shape = [rows.length, 1];
  if (feature.type === 'categorical') return new Tensor('string', rows.map((row) => String(row[feature.name] ?? '')), shape);
  return new Tensor('float32', Float32Array.from(rows, (row) => Number(row[feature.name] ?? Number.NaN)), shape);
};

export const scoreRows = async (session: InferenceSession, features: Feature[], rows: Row[]): Promise<Float32Array> => {
  const feeds = Object.fromEntries(features.map((feature) => [feature.name, columnTensor(rows, feature)]));
  const { score } = await session.run(feeds, ['score']);
  return score?.data as Float32Array;
};

/** Largest difference between the trainer's own predictions and those of its ONNX file. */
export const parityOf = async ({ outputFolder, holdout, features }: { outputFolder: string; holdout: string[]; features: Feature[] }): Promise<number> => {
  const scores = await scoreRows(await openSession(`${outputFolder}/model.onnx`), features, await readRows(holdout));
  const native = await readRows([`${outputFolder}/predictions.parquet`]);
  if (native.length !== scores.length) throw new Error(`${native.length} predictions for ${scores.length} rows`);
  return native.reduce((largest, row, index) => Math.max(largest, Math.abs(Number(row['score']) - (scores[index] ?? Number.NaN))), 0);
};

/** Area under the ROC curve by ranks; ties share a rank. */
export const rocAuc = (labels: boolean[], scores: number[]): number => {
  const order = scores.map((_, index) => index).sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0));
  let rankSum = 0;
  for (let from = 0; from < order.length; ) {
    let until = from;
    while (until < order.length && scores[order[until] ?? 0] === scores[order[from] ?? 0]) until++;
    for (let at = from; at < until; at++) if (labels[order[at] ?? 0]) rankSum += (from + 1 + until) / 2;
    from = until;
  }
  const positives = labels.filter(Boolean).length;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * (labels.length - positives));
};
