/** Walks the steps of a rollout: shift traffic, wait for the gateways, bake, judge. */
import { allHandlersFinished, CancellationScope, condition, continueAsNew, workflowInfo } from '@temporalio/workflow';
import type { RolloutInput, ServingWindow, StepVerdict } from '../contracts/rollout.ts';
import { elapsedMs, judgeStep, nextAction, pauseClock, untilNextLookMs, type RolloutAction } from '../domain/rollout.ts';
import { analysisOf, decisionMs, isObservation, type WalkedStep } from '../domain/rollout-steps.ts';
import { gateways, quick } from './proxies.ts';
import { waitFor, type RolloutState } from './rollout-state.ts';
import { setSearchAttributes } from './search-attributes.ts';

/** How the walk ends when nothing broke. */
export type WalkEnd = { kind: 'promote' } | { kind: 'observed'; reason: string } | { kind: 'rollBack'; reason: string };

/** A long bake is continued as a new execution well before Temporal's limits; replaying a short history is quick too. */
const LONGEST_HISTORY = 2_000;

type Decision = { verdict: StepVerdict; window: ServingWindow | null; by?: string };

const recordAs = async (state: RolloutState, sequence: number, decision: Decision, activities = quick): Promise<void> => {
  const { rolloutId, stepIndex } = state;
  const weight = state.steps[stepIndex]?.weight ?? 0;
  const summary = `${decision.verdict.verdict}: ${decision.verdict.reason}`;
  await activities(summary).recordRolloutDecision({ rolloutId, sequence, step: stepIndex, weight, ...decision });
};

const record = async (state: RolloutState, decision: Decision): Promise<void> => {
  const sequence = state.decisions;
  state.decisions += 1;
  await recordAs(state, sequence, decision);
};

/** Writes what people said and is not written yet; a word leaves the list when it is written, so that a cancel does not lose it. */
export const recordNotes = async (state: RolloutState, activities = quick): Promise<void> => {
  for (let note = state.notes[0]; note !== undefined; note = state.notes[0]) {
    const { by, reason } = note.word;
    const verdict = { verdict: 'continue' as const, reason: `${note.what} by ${by}: ${reason}` };
    await recordAs(state, note.sequence, { verdict, window: null, by }, activities);
    state.notes.shift();
  }
};

const shift = async (state: RolloutState, step: WalkedStep): Promise<void> => {
  const { rolloutId, stepIndex, options, previous } = state;
  const { model, version } = state.input;
  const { generation } = await quick(`${step.weight} % to version ${version}`).shiftTraffic({
    rolloutId,
    model,
    requestId: `${rolloutId}:step:${stepIndex}`,
    expectedGeneration: state.generation,
    split: { stable: previous.stable, canary: version, canaryWeight: step.weight },
    options: step.shadow === undefined ? options : { ...options, shadow: step.shadow },
  });
  state.generation = generation;
  waitFor(state, `the gateways to load generation ${generation}`);
  await gateways(`generation ${generation}`).awaitGateways({ model, generation });
};

/** The step's time begins when the gateways serve it; a pause that was asked for meanwhile holds it at zero. */
const startClock = (state: RolloutState): void => {
  const nowMs = Date.now();
  state.clock = { startedAtMs: nowMs, pausedAtMs: state.clock.pausedAtMs === null ? null : nowMs };
};

const look = async (state: RolloutState, step: WalkedStep): Promise<Decision> => {
  const { model, version, plan } = state.input;
  const against = step.significanceShare === undefined || state.previous.stable === null ? {} : { against: state.previous.stable };
  const window = await quick(`version ${version} at ${step.weight} %`).readServingWindow({ model, version, generation: state.generation, ...against, ...(step.shadow === undefined ? {} : { isShadow: true }) });
  const verdict = judgeStep({ step, analysis: analysisOf(plan), window, elapsedMs: elapsedMs(state.clock, Date.now()) });
  state.lastWindow = window;
  state.lastVerdict = verdict;
  return { verdict, window };
};

const isPaused = (state: RolloutState): boolean => state.clock.pausedAtMs !== null;

const awaited = ({ undecided, input: { plan } }: RolloutState): string =>
  undecided === null ? 'somebody to resume it' : `somebody to resume or abort it, at most ${decisionMs(analysisOf(plan)) / 1_000} s: ${undecided.reason}`;

/** Sleeps until the next look, or until somebody says something. */
const sleepUntilLook = async (state: RolloutState, step: WalkedStep): Promise<void> => {
  const elapsed = elapsedMs(state.clock, Date.now());
  if (step.seconds === 0 && state.lastWindow === null) return;
  waitFor(state, isPaused(state) ? awaited(state) : `the numbers of the step (${Math.floor(elapsed / 1_000)} of ${step.seconds} s)`);
  await condition(() => state.notes.length > 0, untilNextLookMs(step, analysisOf(state.input.plan), elapsed));
};

const carryOn = async (state: RolloutState): Promise<void> => {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  if (!continueAsNewSuggested && historyLength < LONGEST_HISTORY) return;
  // A cancel or a word that has come meanwhile belongs to this execution: it would be lost in the next one.
  if (CancellationScope.current().consideredCancelled || state.notes.length > 0) return;
  await condition(allHandlersFinished);
  const { rolloutId, previous, stepIndex, generation, decisions, undecided } = state;
  const stepStartedAtMs = Date.now() - elapsedMs(state.clock, Date.now());
  const resume = { rolloutId, previous, stepIndex, generation, stepStartedAtMs, paused: isPaused(state), decisions, ...(undecided === null ? {} : { undecided }) };
  await continueAsNew<(input: RolloutInput) => Promise<unknown>>({ ...state.input, resume });
};

type Judged = { action: RolloutAction; reason: string };

const isUndecidedTooLong = ({ undecided, input: { plan } }: RolloutState): boolean => undecided !== null && Date.now() - undecided.sinceMs >= decisionMs(analysisOf(plan));

/** What is to be done after a look, with the reason. A step that nobody has time to decide on is rolled back at once. */
const judge = (state: RolloutState, { verdict, reason }: StepVerdict): Judged => {
  const isLate = isUndecidedTooLong(state);
  const action = nextAction({ abort: state.abort !== null, pause: isPaused(state), promote: state.promote !== null, isUndecidedTooLong: isLate, verdict });
  if (action === 'ask' && decisionMs(analysisOf(state.input.plan)) === 0) return { action: 'rollBack', reason };
  if (isLate && verdict !== 'fail') return { action, reason: `${state.undecided?.reason ?? reason}, and nobody decided` };
  return { action, reason };
};

/** An inconclusive step pauses by itself, with its clock. */
const ask = (state: RolloutState, reason: string): void => {
  state.clock = pauseClock(state.clock, Date.now());
  state.undecided = { sinceMs: Date.now(), reason };
};

const act = async (state: RolloutState, step: WalkedStep): Promise<Judged> => {
  await recordNotes(state);
  // A promote skips the remaining waiting, but not a breach that is there to see.
  const decision = await look(state, step);
  const judged = judge(state, decision.verdict);
  if (judged.action === 'ask') ask(state, judged.reason);
  // Each "continue" is in the status; the record keeps what changed something, with the numbers of the whole step.
  if (decision.verdict.verdict !== 'continue' && judged.action !== 'hold') await record(state, decision);
  return judged;
};

const bake = async (state: RolloutState, step: WalkedStep): Promise<Judged> => {
  for (;;) {
    if (state.notes.length === 0) await sleepUntilLook(state, step);
    const judged = await act(state, step);
    if (judged.action !== 'wait' && judged.action !== 'hold' && judged.action !== 'ask') return judged;
    await carryOn(state);
  }
};

/**
 * Walks from the present step to the last one. A step that was under way when the workflow continued as new is not shifted again.
 * An abort cancels the scope of this walk, so it needs no branch here.
 */
export const walk = async (state: RolloutState, isResumed: boolean): Promise<WalkEnd> => {
  let isShifted = isResumed;
  for (; state.stepIndex < state.steps.length; state.stepIndex += 1) {
    const step = state.steps[state.stepIndex] as WalkedStep;
    if (!isShifted) {
      setSearchAttributes({ stage: step.stage });
      state.lastWindow = null;
      await shift(state, step);
      startClock(state);
    }
    isShifted = false;
    const { action, reason } = await bake(state, step);
    if (action === 'rollBack') return { kind: 'rollBack', reason };
    if (action === 'promote' && step.isPreview !== true) return { kind: 'promote' };
    // The word that ended a preview, or came too late for that, was not meant for the step after it.
    if (step.isPreview === true) state.promote = null;
  }
  state.stepIndex = Math.max(0, state.steps.length - 1);
  if (isObservation(state.input.plan)) return { kind: 'observed', reason: state.lastVerdict?.reason ?? 'there was nothing to observe: no other version is served' };
  return { kind: 'promote' };
};
