/** A request in the queue of a model version. */
import type { ColumnData } from '../domain/tensor-columns.ts';
import type { Rows } from './batch.ts';

/** The answer to come; nobody waits for it once it is abandoned. */
export type Inference = { outputs: Promise<ColumnData[]>; abandon(): void };

export class InferenceJob implements Rows, Inference {
  readonly rows: number;
  readonly tensors: ColumnData[];
  readonly outputs: Promise<ColumnData[]>;
  readonly arrivedAt = performance.now();
  /** Refused at once when the host is lost, because its sender has another version to ask. */
  readonly failFast: boolean;
  /** Runs in a batch of its own, because it was in one that failed. */
  isAlone = false;
  /** How many hosts were lost while they scored it. */
  losses = 0;
  isAbandoned = false;
  resolve!: (outputs: ColumnData[]) => void;
  reject!: (error: Error) => void;

  constructor({ rows, tensors }: Rows, failFast: boolean) {
    this.rows = rows;
    this.tensors = tensors;
    this.failFast = failFast;
    this.outputs = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  abandon(): void {
    this.isAbandoned = true;
  }
}
