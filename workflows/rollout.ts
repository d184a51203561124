/**
 * `rollout`: gives a version its traffic, step by step, and ends with the version as champion or with all traffic where it was.
 *
 * The undo is registered before the act. It writes an absolute split, runs outside of cancellation after a failure, a cancel and an abort,
 * and is retried until done. There is one exception, on purpose: after DeploymentConflict somebody else has moved the deployment
 * since, by a rollback for example. Their decision is newer than this rollout, so it stands, and the rollout steps aside as aborted.
 */
import { CancellationScope, CancelledFailure, condition, isCancellation, log, TemporalFailure, workflowInfo } from '@temporalio/workflow';
import { DATA_POOL } from '../contracts/queues.ts';
import type { RolloutInput, RolloutOutcome } from '../contracts/rollout.ts';
import { stepsOf } from '../domain/rollout-steps.ts';
import { codeOf, failureRecordOf, reasonOf, toWorkflowFailure } from './failure.ts';
import { quick, untilDone } from './proxies.ts';
import { beginRollout, waitFor, type RolloutState } from './rollout-state.ts';
import { recordNotes, walk } from './rollout-walk.ts';
import { setSearchAttributes } from './search-attributes.ts';

type End =
  | { kind: 'promote' }
  | { kind: 'observed'; reason: string }
  | { kind: 'rollBack'; reason: string }
  | { kind: 'abort'; reason: string }
  | { kind: 'superseded'; reason: string }
  | { kind: 'cancelled'; cause: Error };

/** Where its failures happen, for their words. */
const PLACE = { step: 'rollout', pool: DATA_POOL };

/** Absolute: the split before the rollout, whatever happened since. */
type Undo = () => Promise<{ generation: number }>;

const undoOf = ({ rolloutId, input: { model }, previous: { stable }, options }: RolloutState): Undo => {
  const request = { rolloutId, model, requestId: `${rolloutId}:restore`, stable, options };
  return () => untilDone(stable === null ? 'serve nothing' : `100 % to version ${stable}`).restoreTraffic(request);
};

const prepare = async (state: RolloutState): Promise<void> => {
  const { model, version, plan, requestedBy, runId } = state.input;
  const { workflowId } = workflowInfo();
  const input = { rolloutId: state.rolloutId, workflowId, model, version, plan, requestedBy, ...(runId === undefined ? {} : { runId }) };
  state.previous = await quick(`version ${version} of ${model}`).prepareRollout(input);
  state.generation = state.previous.generation;
  state.steps = stepsOf(state.previous.stable, version, plan);
  state.phase = 'running';
};

/** How a broken walk ends: each failure is told apart by who caused it. */
const endOfBroken = (state: RolloutState, error: unknown, isCancelled: boolean): End => {
  // Not a failure of the work but a defect, or continue-as-new on its way: neither is an end.
  if (!(error instanceof TemporalFailure)) throw error;
  if (isCancelled) return { kind: 'cancelled', cause: error };
  if (state.abort !== null && isCancellation(error)) return { kind: 'abort', reason: `aborted by ${state.abort.by}: ${state.abort.reason}` };
  const failure = failureRecordOf(error, PLACE);
  const reason = reasonOf(failure);
  return codeOf(error) === 'DeploymentConflict' ? { kind: 'superseded', reason } : { kind: 'rollBack', reason };
};

/** Walks the steps in a scope of its own, which an abort cancels just as a cancel of the workflow does. */
const walkUntilEnd = async (state: RolloutState, isResumed: boolean): Promise<End> => {
  const scope = new CancellationScope();
  const aborted = condition(() => state.abort !== null).then(() => scope.cancel());
  // The condition fails when the workflow is cancelled, which the walk itself reports.
  aborted.catch(() => undefined);
  try {
    const end = await scope.run(() => walk(state, isResumed));
    // An abort in the same moment as the end of the walk still wins.
    return state.abort === null ? end : { kind: 'abort', reason: `aborted by ${state.abort.by}: ${state.abort.reason}` };
  } catch (error) {
    return endOfBroken(state, error, CancellationScope.current().consideredCancelled);
  }
};

const startMonitor = async ({ input: { model, version } }: RolloutState): Promise<void> => {
  const monitored = await untilDone('monitor of the pipeline').monitorSpecOf({ model, version });
  if (monitored === null) return;
  await untilDone(`monitor version ${version}`).startMonitor({ model, version, ...monitored });
};

const promote = async (state: RolloutState): Promise<RolloutOutcome> => {
  const { rolloutId, options } = state;
  const { model, version } = state.input;
  state.phase = 'promoting';
  waitFor(state, 'the promotion');
  setSearchAttributes({ stage: 'promote' });
  const request = { rolloutId, model, version, requestId: `${rolloutId}:promote`, expectedGeneration: state.generation, options };
  const { generation, previous } = await untilDone(`version ${version} becomes champion`).promote(request);
  state.generation = generation;
  try {
    await startMonitor(state);
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error;
    // The version is champion: a monitor that cannot start must not take it back.
    log.error('the monitor of a promoted version could not be started', { model, version, error: error.message });
  }
  return { kind: 'promoted', model, version, generation, previous };
};

const rollBack = async (state: RolloutState, undo: Undo, end: Exclude<End, { kind: 'promote' }>): Promise<RolloutOutcome> => {
  const { model, version } = state.input;
  if (end.kind === 'superseded') return { kind: 'aborted', model, version, reason: end.reason, generation: state.generation };
  state.phase = 'rollingBack';
  waitFor(state, 'the traffic to be back');
  setSearchAttributes({ stage: 'rollback' });
  const { generation } = await undo();
  state.generation = generation;
  if (end.kind === 'observed') return { kind: 'observed', model, version, reason: end.reason, generation };
  if (end.kind === 'rollBack') return { kind: 'rolledBack', model, version, reason: end.reason, step: state.stepIndex, generation };
  return { kind: 'aborted', model, version, reason: end.kind === 'abort' ? end.reason : 'the rollout was cancelled', generation };
};

/** Makes the end true. Nothing here can be cancelled: half an end would leave traffic split with nobody to look at it. */
const conclude = async (state: RolloutState, undo: Undo, end: End): Promise<RolloutOutcome> => {
  if (end.kind !== 'promote') return rollBack(state, undo, end);
  try {
    return await promote(state);
  } catch (error) {
    return rollBack(state, undo, endOfBroken(state, error, false) as Exclude<End, { kind: 'promote' }>);
  }
};

const runRollout = async (state: RolloutState): Promise<RolloutOutcome> => {
  const isResumed = state.input.resume !== undefined;
  if (!isResumed) await prepare(state);
  const undo = undoOf(state);
  const end = await walkUntilEnd(state, isResumed);
  const outcome = await CancellationScope.nonCancellable(async () => {
    const concluded = await conclude(state, undo, end);
    await recordNotes(state, untilDone);
    await untilDone(concluded.kind).finishRollout({ rolloutId: state.rolloutId, outcome: concluded });
    return concluded;
  });
  state.phase = 'done';
  state.outcome = outcome;
  waitFor(state, null);
  setSearchAttributes({ outcome: outcome.kind });
  if (end.kind === 'cancelled') throw new CancelledFailure('the rollout was cancelled; all traffic is where it was before', [], end.cause);
  return outcome;
};

export const rollout = async (input: RolloutInput): Promise<RolloutOutcome> => {
  const state = beginRollout(input);
  setSearchAttributes({ model: input.model, ...(input.pipeline === undefined ? {} : { pipeline: input.pipeline }) });
  try {
    return await runRollout(state);
  } catch (error) {
    if (!(error instanceof TemporalFailure) || isCancellation(error)) throw error;
    throw toWorkflowFailure(failureRecordOf(error, PLACE), error);
  }
};
