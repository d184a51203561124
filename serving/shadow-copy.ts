/** What a deployment gives to the shadow of its candidate. */
import type { InferenceRows } from '../domain/inference.ts';
import type { ColumnData } from '../domain/tensor-columns.ts';

/** A request that stable has answered. */
export type ShadowCopy = { id: string; inputs: readonly unknown[]; rows: InferenceRows; columns: readonly ColumnData[] };

export type Shadow = {
  /** Takes a copy of a sampled request, or drops it; never throws, never waits. */
  offer(copy: ShadowCopy): void;
  /** What is under way counts for nothing any more. */
  stop(): void;
};
