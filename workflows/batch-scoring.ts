/**
 * `batchScoring`: scores every row of a dataset version with one model version. Its history holds the plan's reference and one activity per shard; what each
 * shard gave is in the record of the job, so a worker that dies costs the shards that it had begun and no other.
 */
import { CancellationScope, isCancellation, TemporalFailure } from '@temporalio/workflow';
import type { BatchPlanRef, BatchScoringInput, BatchScoringResult } from '../contracts/batch-scoring.ts';
import { DATA_POOL } from '../contracts/queues.ts';
import { failureRecordOf, toWorkflowFailure } from './failure.ts';
import { closing, scoring } from './proxies.ts';
import { setSearchAttributes } from './search-attributes.ts';

/** Shards that are scored at once, over all workers of the pool: other jobs and runs share them. */
const AT_ONCE = 4;

/** After a failure no other shard is begun; those under way end first: what they store is kept, and a repeated job of the same rows finds it in the store. */
const scoreAll = async ({ jobId, model }: BatchScoringInput, { version, plan, shards }: BatchPlanRef): Promise<void> => {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < shards) {
      const shard = next;
      next += 1;
      try {
        await scoring(`shard ${shard + 1} of ${shards}`).scoreShard({ jobId, model, version, plan, shard });
      } catch (error) {
        next = shards;
        throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(AT_ONCE, shards) }, lane));
  const failed = lanes.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
};

const end = async ({ jobId, model }: BatchScoringInput, error: TemporalFailure): Promise<never> => {
  const failure = failureRecordOf(error, { step: 'batch scoring', pool: DATA_POOL });
  const isCancelled = isCancellation(error);
  await CancellationScope.nonCancellable(() => closing(isCancelled ? 'cancelled' : failure.code).endBatch({ jobId, model, ...(isCancelled ? { state: 'cancelled' } : { state: 'failed', failure }) }));
  throw isCancelled ? error : toWorkflowFailure(failure, error);
};

export const batchScoring = async (input: BatchScoringInput): Promise<BatchScoringResult> => {
  const { jobId, model } = input;
  setSearchAttributes({ model, stage: 'batch' });
  try {
    const plan = await scoring('plan').planBatch(input);
    await scoreAll(input, plan);
    return await scoring(`manifest of ${plan.rows} rows`).finishBatch({ jobId, model });
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error;
    return end(input, error);
  }
};
