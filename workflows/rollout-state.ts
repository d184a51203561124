/** The state of one rollout: what people asked for, where it stands, what the status query answers. */
import { ApplicationFailure, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { ServingOptions } from '../contracts/deployment.ts';
import { composeRolloutId } from '../contracts/ids.ts';
import { abortUpdate, pauseUpdate, promoteUpdate, resumeUpdate, rolloutStatusQuery } from '../contracts/messages.ts';
import type { RolloutInput, RolloutOutcome, RolloutStatus, ServingWindow, StepVerdict } from '../contracts/rollout.ts';
import { elapsedMs, pauseClock, resumeClock, type BakeClock } from '../domain/rollout.ts';
import { stepsOf, type WalkedStep } from '../domain/rollout-steps.ts';

/** What a person said, with the name of the API key. */
export type Word = { by: string; reason: string };

/** A person's word that is still to be written to the record of decisions; its number is given once, so that writing it again is the same. */
export type Note = { what: string; word: Word; sequence: number };

export type RolloutState = {
  input: RolloutInput;
  rolloutId: string;
  options: ServingOptions;
  previous: { stable: number | null; generation: number };
  steps: WalkedStep[];
  stepIndex: number;
  generation: number;
  clock: BakeClock;
  /** Since when, and why, the rollout is paused because its step was inconclusive. */
  undecided: { sinceMs: number; reason: string } | null;
  phase: RolloutStatus['state'];
  waitingFor: string | null;
  abort: Word | null;
  promote: Word | null;
  notes: Note[];
  /** Decisions recorded so far: the sequence number of the next one. */
  decisions: number;
  lastWindow: ServingWindow | null;
  lastVerdict: StepVerdict | null;
  outcome: RolloutOutcome | null;
};

const statusOf = (state: RolloutState): RolloutStatus => ({
  rolloutId: state.rolloutId,
  model: state.input.model,
  version: state.input.version,
  stable: state.previous.stable,
  state: state.phase === 'running' && state.clock.pausedAtMs !== null ? 'paused' : state.phase,
  step: state.stepIndex,
  steps: state.steps.length,
  weight: state.phase === 'running' || state.phase === 'promoting' ? (state.steps[state.stepIndex]?.weight ?? 0) : 0,
  generation: state.generation,
  stepElapsedSeconds: Math.floor(elapsedMs(state.clock, Date.now()) / 1_000),
  lastWindow: state.lastWindow,
  lastVerdict: state.lastVerdict,
  waitingFor: state.waitingFor,
  outcome: state.outcome,
});

const refuse = (message: string): never => {
  throw ApplicationFailure.nonRetryable(message, 'RolloutNotRunning');
};

/** A word is taken only while it can still change anything. */
const requireOpen = (state: RolloutState): void => {
  if (state.abort !== null) refuse('the rollout is being aborted');
  if (state.phase !== 'starting' && state.phase !== 'running') refuse(`the rollout is ${state.phase}: its end is decided`);
};

/**
 * Takes the updates. The handlers only set flags; the rollout's own loop acts on them, in the order of precedence of
 * domain/rollout.ts. A pause withdraws a promote that has not been acted on, and a promote is refused while paused, so that
 * "pause > promote" leaves no wish behind that acts later by surprise.
 */
const receiveWords = (state: RolloutState): void => {
  const requireMoving = (): void => {
    requireOpen(state);
    if (state.clock.pausedAtMs !== null) refuse('the rollout is paused: resume it first');
  };
  const requirePaused = (): void => {
    requireOpen(state);
    if (state.clock.pausedAtMs === null) refuse('the rollout is not paused');
  };
  const note = (what: string, word: Word): void => {
    state.notes.push({ what, word, sequence: state.decisions });
    state.decisions += 1;
  };
  const abort = (word: Word): void => {
    state.abort = word;
    note('aborted', word);
  };
  const promote = (word: Word): void => {
    state.promote = word;
    note('promoted at once', word);
  };
  const pause = (word: Word): void => {
    state.clock = pauseClock(state.clock, Date.now());
    state.promote = null;
    note('paused', word);
  };
  const resume = (word: Word): void => {
    // A step that was inconclusive gets its whole time again; its numbers go on.
    state.clock = state.undecided === null ? resumeClock(state.clock, Date.now()) : { startedAtMs: Date.now(), pausedAtMs: null };
    state.undecided = null;
    note('resumed', word);
  };
  setHandler(abortUpdate, abort, { validator: (_word: Word) => requireOpen(state), description: 'All traffic back to the stable version' });
  setHandler(promoteUpdate, promote, { validator: (_word: Word) => requireMoving(), description: 'Skips the remaining steps' });
  setHandler(pauseUpdate, pause, { validator: (_word: Word) => requireMoving(), description: 'Holds the rollout at its step' });
  setHandler(resumeUpdate, resume, { validator: (_word: Word) => requirePaused(), description: 'Goes on where it was paused' });
};

/** Says in the status and in the Web UI what the rollout waits for. */
export const waitFor = (state: RolloutState, what: string | null): void => {
  state.waitingFor = what;
  const weight = state.steps[state.stepIndex]?.weight;
  const step = weight === undefined ? '' : `Step **${state.stepIndex + 1}/${state.steps.length}**, ${weight} %`;
  setCurrentDetails(`Version **${state.input.version}**. ${step}${what === null ? '' : `: waits for ${what}`}`);
};

const resumedClock = (resume: NonNullable<RolloutInput['resume']>, nowMs: number): BakeClock => ({
  startedAtMs: resume.stepStartedAtMs,
  pausedAtMs: resume.paused ? nowMs : null,
});

/** Begins the state of a rollout, new or carried over continue-as-new, and answers its messages. */
export const beginRollout = (input: RolloutInput): RolloutState => {
  const { resume, plan } = input;
  const rolloutId = resume?.rolloutId ?? composeRolloutId(input.model, workflowInfo().firstExecutionRunId);
  const previous = resume?.previous ?? { stable: null, generation: 0 };
  const state: RolloutState = {
    input,
    rolloutId,
    // The salt stays the same for the whole rollout: a key that is on the canary stays there while its weight grows.
    options: { salt: rolloutId, deadlineMs: plan.deadlineMs, onLogFailure: plan.onLogFailure },
    previous,
    steps: resume === undefined ? [] : stepsOf(previous.stable, input.version, plan),
    stepIndex: resume?.stepIndex ?? 0,
    generation: resume?.generation ?? 0,
    clock: resume === undefined ? { startedAtMs: Date.now(), pausedAtMs: null } : resumedClock(resume, Date.now()),
    phase: resume === undefined ? 'starting' : 'running',
    undecided: resume?.undecided ?? null,
    waitingFor: null,
    abort: null,
    promote: null,
    notes: [],
    decisions: resume?.decisions ?? 0,
    lastWindow: null,
    lastVerdict: null,
    outcome: null,
  };
  setHandler(rolloutStatusQuery, () => statusOf(state), { description: 'Where the rollout is, and what it waits for' });
  receiveWords(state);
  return state;
};
