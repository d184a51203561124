/** What the model runtime and its scoring process say to each other. */
import type { ModelSignature } from '../../contracts/features.ts';
import type { FailureCode } from '../../contracts/failures.ts';
import type { FeaturesSpec } from '../../contracts/pipeline.ts';

/** The columns of a feature declaration that scoring reads. */
export type RowsSpec = Pick<FeaturesSpec, 'columns' | 'eventTime' | 'label' | 'task'>;

/** Models travel as files, because they may be larger than a message should be. */
export type ScoringTask =
  | { kind: 'verify'; modelFile: string; signature: ModelSignature }
  | { kind: 'score'; modelFile: string; signature: ModelSignature; rowsFile: string; rows: RowsSpec }
  | { kind: 'latency'; modelFile: string; signature: ModelSignature; rowsFile: string; rows: RowsSpec; requests: number }
  | { kind: 'readColumns'; file: string; names: string[] }
  | { kind: 'readPredictions'; file: string };

export type ScoringRequest = { task: ScoringTask; memoryBytes: number };

/** Results come in parts, so that no message is large and every part shows that the process lives. `days` count from 1970-01-01. */
export type ScoringReply =
  | { kind: 'scored'; scores: Float64Array; labels: Float64Array; days: Int32Array }
  | { kind: 'predictions'; scores: Float64Array }
  | { kind: 'latency'; milliseconds: Float64Array }
  | { kind: 'columns'; columns: (string | null)[][] }
  | { kind: 'done' }
  | { kind: 'failed'; code: FailureCode; message: string; fix: string }
  | { kind: 'unexpected'; message: string };
