/** Runs the rollout of a registered version, after the rollouts of the model that came before it. */
import { executeChild, ParentClosePolicy, sleep, ChildWorkflowCancellationType } from '@temporalio/workflow';
import { rolloutWorkflowId } from '../contracts/ids.ts';
import type { RegisteredVersion } from '../contracts/model.ts';
import type { RolloutInput, RolloutOutcome } from '../contracts/rollout.ts';
import type { RolloutPlan } from '../contracts/rollout-plan.ts';
import { askAgainDelayMs } from '../domain/waiting.ts';
import { isAlreadyStarted, namedFailure } from './failure.ts';
import type { rollout } from './rollout.ts';
import { waitFor, type RunState } from './run-state.ts';
import { searchAttributesOf } from './search-attributes.ts';

/**
 * The rollout outlives a run that is terminated (ABANDON); a run that is cancelled cancels it and waits until its undo is done.
 * Its id allows one rollout per model at a time, and another one after that has ended.
 */
const executeRollout = (input: RolloutInput, pipeline: string): Promise<RolloutOutcome> =>
  executeChild<typeof rollout>('rollout', {
    workflowId: rolloutWorkflowId(input.model),
    args: [input],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    typedSearchAttributes: searchAttributesOf({ pipeline, model: input.model }),
    staticSummary: `version ${input.version} of ${input.model}`,
  });

/**
 * Starts the rollout and waits for its end; while another rollout of the model runs, it waits for its turn.
 * @throws ApplicationFailure RolloutQueueTimedOut after `queueSeconds` of waiting
 */
export const takeRolloutTurn = async (state: RunState, registered: RegisteredVersion, plan: RolloutPlan): Promise<RolloutOutcome> => {
  const { runId, pipeline } = state.input;
  const { model, version } = registered;
  const beganAtMs = Date.now();
  for (;;) {
    try {
      waitFor(state, `the rollout of version ${version}`);
      return await executeRollout({ model, version, plan, requestedBy: runId, runId, pipeline }, pipeline);
    } catch (error) {
      if (!isAlreadyStarted(error)) throw error;
    }
    const waitedMs = Date.now() - beganAtMs;
    const leftMs = plan.queueSeconds * 1_000 - waitedMs;
    if (leftMs <= 0) throw namedFailure('RolloutQueueTimedOut', `another rollout of ${model} kept running for ${plan.queueSeconds} s`);
    waitFor(state, `another rollout of ${model} to end`);
    await sleep(Math.min(askAgainDelayMs(waitedMs), leftMs));
  }
};
