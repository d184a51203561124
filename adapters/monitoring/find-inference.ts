/** Finds one answer in the prediction log: Parquet segments, read by DuckDB. */
import { join } from 'node:path';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { ArtifactStore } from '../../domain/ports/artifact-store.ts';

/** One row of the log; `inputs` and `outputs` are objects from column to value. */
export type LoggedInference = {
  inferenceId: string;
  at: Date;
  version: number;
  role: string;
  generation: number;
  latencyMs: number;
  inputs: Record<string, unknown>;
  outputs: Record<string, unknown>;
};

const FIND = `select inference_id, "at", version, role, generation, latency_ms, inputs, outputs from read_parquet($path, file_row_number = true)
  where inference_id = $id or starts_with(inference_id, $id || '/') order by file_row_number limit 1`;

const readSegment = async (path: string, id: string): Promise<LoggedInference | undefined> => {
  // The API starts without it: DuckDB is large, and few ask.
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: '256MB', threads: '1' });
  const connection = await instance.connect();
  try {
    const reader = await connection.runAndReadAll(FIND, { path, id });
    const [row] = reader.getRowObjectsJS();
    if (row === undefined) return undefined;
    return {
      inferenceId: String(row['inference_id']),
      at: row['at'] as Date,
      version: Number(row['version']),
      role: String(row['role']),
      generation: Number(row['generation']),
      latencyMs: Number(row['latency_ms']),
      inputs: JSON.parse(String(row['inputs'])) as Record<string, unknown>,
      outputs: JSON.parse(String(row['outputs'])) as Record<string, unknown>,
    };
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
};

/**
 * The first row of an answer, from the first of the segments that has it; undefined when none has.
 *
 * @param id the inference id; of an answer of many rows with or without the number of its row
 * @param folder where segments are put; the caller empties it
 */
export const findInference = async (id: string, { segments, artifacts, folder }: { segments: readonly ArtifactRef[]; artifacts: ArtifactStore; folder: string }): Promise<LoggedInference | undefined> => {
  for (const [index, segment] of segments.entries()) {
    const path = join(folder, `${index}.parquet`);
    await artifacts.download(segment, path);
    const found = await readSegment(path, id);
    if (found !== undefined) return found;
  }
  return undefined;
};
