/**
 * `pipelineRun`: one execution of one pipeline version.
 *
 * A business ending (succeeded, rejected, rolledBack) is the returned value; a failure is the workflow's error, with a code
 * of contracts/failures.ts; a cancelled run ends as cancelled. In each case the run row is ended last, outside of cancellation.
 */
import { CancellationScope, CancelledFailure, log, TemporalFailure } from '@temporalio/workflow';
import type { FailureRecord, RunInput, RunOutcome } from '../contracts/run.ts';
import { failureRecordOf, toWorkflowFailure } from './failure.ts';
import { runModelPipeline } from './model-pipeline.ts';
import { closing, untilDone } from './proxies.ts';
import { beginRun, type RunState } from './run-state.ts';
import { setSearchAttributes } from './search-attributes.ts';
import { runStepsPipeline } from './steps-pipeline.ts';

/** Steps whose rows the workflow writes, because they have no activity of their own. */
const STEPS_WITHOUT_ACTIVITY = ['search', 'gate', 'rollout'];

const finishSucceededRun = async (state: RunState, outcome: RunOutcome): Promise<void> => {
  state.status.outcome = outcome;
  setSearchAttributes({ outcome: outcome.kind });
  if (state.context.finishesRun !== undefined) return;
  const { context } = state;
  await CancellationScope.nonCancellable(() => untilDone(`record ${outcome.kind}`).finishRun({ context, state: outcome.kind, outcome }));
};

const recordEnd = async (state: RunState, recorded: 'failed' | 'cancelled', failure?: FailureRecord): Promise<void> => {
  const { context } = state;
  const activities = closing(`record ${recorded}`);
  if (STEPS_WITHOUT_ACTIVITY.includes(context.step)) {
    // The row of the step is a detail: that it cannot be written must not keep the run's own from being ended.
    await activities.recordStep({ context, state: recorded, failure }).catch((error: unknown) => {
      if (!(error instanceof TemporalFailure)) throw error;
      log.warn('the end of a step could not be recorded', { step: context.step, error: error.message });
    });
  }
  await activities.finishRun({ context, state: recorded, failure });
};

/** Ends the run row; a row that cannot be written in time is left to the reconciler, so that the run itself always ends. */
const finishUnsuccessfulRun = async (state: RunState, recorded: 'failed' | 'cancelled', failure?: FailureRecord): Promise<void> => {
  setSearchAttributes({ outcome: recorded });
  try {
    await CancellationScope.nonCancellable(() => recordEnd(state, recorded, failure));
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error;
    log.warn('the end of the run could not be recorded', { runId: state.input.runId, error: error.message });
  }
};

export const pipelineRun = async (input: RunInput): Promise<RunOutcome> => {
  const state = beginRun(input);
  setSearchAttributes({ pipeline: input.pipeline, trigger: input.trigger.kind });
  const { spec } = input;
  try {
    const outcome = await (spec.kind === 'steps' ? runStepsPipeline(state, spec) : runModelPipeline(state, spec));
    await finishSucceededRun(state, outcome);
    return outcome;
  } catch (error) {
    // Anything else is a defect of this code: the workflow task is retried until a repaired worker takes it.
    if (!(error instanceof TemporalFailure)) throw error;
    if (CancellationScope.current().consideredCancelled) {
      await finishUnsuccessfulRun(state, 'cancelled');
      throw new CancelledFailure('the run was cancelled', [], error);
    }
    const failure = failureRecordOf(error, state.context);
    await finishUnsuccessfulRun(state, 'failed', failure);
    throw toWorkflowFailure(failure, error);
  }
};
