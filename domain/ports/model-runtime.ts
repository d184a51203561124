import type { FeaturesSpec } from '../../contracts/pipeline.ts';
import type { ColumnCodes } from '../column-codes.ts';
import type { ModelSignature } from '../../contracts/features.ts';

/**
 * ONNX Runtime on whole files of rows, in a process that may die. Models are checked first (operator allow-list, no external data,
 * size limits: ModelRefused) and scored with the code that serves. A model that errs while scoring is ModelFailed.
 */
export interface ModelRuntime {
  /** Checks the bytes and that inputs and outputs are those of the signature. */
  verify(model: Uint8Array, signature: ModelSignature): Promise<void>;
  /** The score (of the positive class, or the predicted number) of each row of a Parquet file, in its order, with its label and the day of the event time (YYYY-MM-DD, UTC). */
  score(input: { model: Uint8Array; signature: ModelSignature; rowsFile: string; features: FeaturesSpec; onProgress?: (rows: number) => void }): Promise<{
    scores: Float64Array;
    labels: Float64Array;
    days: string[];
  }>;
  /** The `score` column of a predictions Parquet file that a trainer left. */
  readPredictions(file: string): Promise<Float64Array>;
  /** Columns of a Parquet file as text, each row as the number of its value. Fails with FeatureMissing for a column that is not there. */
  readColumns(file: string, names: string[]): Promise<Record<string, ColumnCodes>>;
  /** Milliseconds that the model took for single rows of a file, one after the other, after some that warm it up. */
  measureLatency(input: { model: Uint8Array; signature: ModelSignature; rowsFile: string; features: FeaturesSpec; requests: number }): Promise<Float64Array>;
}
