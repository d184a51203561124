/** What a gateway and its model hosts say to each other. Tensors are in the order of the signature. */
import type { FailureCode } from '../contracts/failures.ts';
import type { ModelSignature } from '../contracts/features.ts';
import type { ColumnData } from '../domain/tensor-columns.ts';

export type HostRequest =
  | { type: 'load'; path: string; sha256: string; signature: ModelSignature; threads: number; memoryLimitBytes: number }
  | { type: 'run'; rows: number; tensors: ColumnData[] };

export type HostAnswer =
  | { type: 'loaded' }
  | { type: 'outputs'; tensors: ColumnData[] }
  | { type: 'failed'; code: FailureCode; message: string };
