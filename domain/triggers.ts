/**
 * The trigger ledger's decisions: every trigger ends as ran, coalesced into something, or rejected with a reason,
 * and at most one run of the pipeline that a trigger started is in flight.
 */
import type { PipelineSpec } from '../contracts/pipeline.ts';
import type { LedgerPipeline, Trigger, TriggerOutcome } from '../contracts/trigger.ts';

/** What the ledger knows when it decides. `lastAutomaticRunAtMs` is the start of the last run by drift or quality. */
export type LedgerState = {
  recentIds: string[];
  inFlight: { runId: string; triggerId: string } | null;
  /** Triggers that wait to be the next run; the ledger keeps at most one. */
  next: Trigger[];
  lastAutomaticRunAtMs: number | null;
};

export type TriggerDecision =
  | { kind: 'duplicate' }
  | { kind: 'run' }
  | { kind: 'queue' }
  | { kind: 'final'; outcome: TriggerOutcome };

/** Ids kept to recognise a repeated trigger early: as many, and as many characters, as fit the input of a continued workflow. */
const KEPT_IDS = 1_000;
const KEPT_ID_CHARACTERS = 40_000;

/** Drift and quality come from the monitor again and again while a cause lasts; the others are somebody's single wish. */
export const isAutomatic = (trigger: Trigger): boolean => trigger.kind === 'drift' || trigger.kind === 'quality';

const reject = (reason: string): TriggerDecision => ({ kind: 'final', outcome: { outcome: 'rejected', reason } });
const coalesce = (into: string): TriggerDecision => ({ kind: 'final', outcome: { outcome: 'coalesced', into } });

const isSwitchedOff = (trigger: Trigger, spec: PipelineSpec): boolean => {
  if (trigger.kind === 'manual' || trigger.kind === 'schedule') return false;
  return spec.kind !== 'model' || !spec.triggers[trigger.kind];
};

/** End of the cool-down in milliseconds since the epoch; null when there has been no automatic run, or no cool-down is declared. */
export const cooldownUntilMs = (lastAutomaticRunAtMs: number | null, spec: PipelineSpec): number | null => {
  if (lastAutomaticRunAtMs === null || spec.kind !== 'model') return null;
  return lastAutomaticRunAtMs + spec.triggers.cooldownSeconds * 1_000;
};

/** Drift that has not cost quality is the world's own change: why it does not retrain, or null when it does. */
const driftRefusal = ({ kind, quality = 'unknown' }: Trigger, spec: PipelineSpec): string | null => {
  if (kind !== 'drift' || spec.kind !== 'model') return null;
  const { driftWhenQualityHolds, driftWhenQualityUnknown } = spec.triggers;
  if (quality === 'holds' && !driftWhenQualityHolds) return 'drift, but the quality holds';
  if (quality === 'unknown' && !driftWhenQualityUnknown) return 'drift, and the quality is not known yet';
  return null;
};

const minutes = (seconds: number): string => `${Number((seconds / 60).toFixed(1))} min`;

/**
 * Why another run would break the budget; null when it fits, or none is declared. Fails closed: without the figures it does not fit.
 * Training is counted with the bound of the run that would start, so the limit holds whatever that run does.
 */
export const budgetRefusal = ({ spec, spent }: Pick<LedgerPipeline, 'spec' | 'spent'>): string | null => {
  if (spec.kind !== 'model' || spec.triggers.budget === undefined) return null;
  const { periodSeconds, runs, trainMinutes } = spec.triggers.budget;
  if (spent === undefined) return 'the budget is not known to have room';
  if (runs !== undefined && spent.runs >= runs) return `the budget of ${runs} runs in ${periodSeconds} s is used up`;
  const bound = spec.train.timeoutSeconds;
  if (trainMinutes === undefined || spent.trainSeconds + bound <= trainMinutes * 60) return null;
  return `the budget of ${trainMinutes} min of training in ${periodSeconds} s has no room: ${minutes(spent.trainSeconds)} are used, and a run may take ${minutes(bound)}`;
};

const runWithinBudget = (pipeline: LedgerPipeline): TriggerDecision => {
  const refusal = budgetRefusal(pipeline);
  return refusal === null ? { kind: 'run' } : reject(refusal);
};

const decideAutomatic = (state: LedgerState, pipeline: LedgerPipeline, nowMs: number): TriggerDecision => {
  if (state.inFlight !== null) return coalesce(state.inFlight.runId);
  const until = cooldownUntilMs(state.lastAutomaticRunAtMs, pipeline.spec);
  if (until !== null && nowMs < until) return reject(`cool-down until ${new Date(until).toISOString()}`);
  return runWithinBudget(pipeline);
};

/**
 * Decides one trigger. `pipeline` is null when it does not exist (any more). "queue" and "run" become final when the
 * run starts; a queued trigger takes in those that come after it.
 */
export const decideTrigger = (state: LedgerState, trigger: Trigger, pipeline: LedgerPipeline | null, nowMs: number): TriggerDecision => {
  const isKnown =
    state.recentIds.includes(trigger.id) || state.inFlight?.triggerId === trigger.id || state.next.some((queued) => queued.id === trigger.id);
  if (isKnown) return { kind: 'duplicate' };
  if (pipeline === null) return reject('there is no such pipeline');
  if (isSwitchedOff(trigger, pipeline.spec)) return reject(`the pipeline does not retrain on ${trigger.kind}`);
  const refusal = driftRefusal(trigger, pipeline.spec);
  if (refusal !== null) return reject(refusal);
  if (isAutomatic(trigger)) return decideAutomatic(state, pipeline, nowMs);
  if (state.inFlight === null) return trigger.kind === 'manual' ? { kind: 'run' } : runWithinBudget(pipeline);
  const queued = state.next[0];
  return queued === undefined ? { kind: 'queue' } : coalesce(queued.id);
};

/** Decides a queued trigger whose turn has come. */
export const decideQueued = (trigger: Trigger, pipeline: LedgerPipeline | null): TriggerDecision => {
  if (pipeline === null) return reject('there is no such pipeline');
  return trigger.kind === 'manual' ? { kind: 'run' } : runWithinBudget(pipeline);
};

/** The ids to remember, oldest first, bounded in number and size. */
export const rememberId = (recentIds: string[], id: string): string[] => {
  const ids = [...recentIds, id].slice(-KEPT_IDS);
  let characters = ids.reduce((total, text) => total + text.length, 0);
  let first = 0;
  while (characters > KEPT_ID_CHARACTERS && first < ids.length - 1) {
    characters -= ids[first]?.length ?? 0;
    first += 1;
  }
  return first === 0 ? ids : ids.slice(first);
};

/** Decisions written in one activity: as many, and as many characters, as keep its input small. */
const BATCH_TRIGGERS = 100;
const BATCH_CHARACTERS = 40_000;

/** How many of the pending triggers to decide together, at least one. */
export const batchSizeOf = (pending: Trigger[]): number => {
  let characters = 0;
  const size = pending.slice(0, BATCH_TRIGGERS).findIndex((trigger) => {
    characters += trigger.id.length + trigger.reason.length + trigger.source.length;
    return characters > BATCH_CHARACTERS;
  });
  return size === -1 ? Math.min(pending.length, BATCH_TRIGGERS) : Math.max(1, size);
};

const FNV_PRIME = 0x100000001b3n;
const FNV_SEEDS = [0xcbf29ce484222325n, 0x84222325cbf29ce4n];

const fnv64 = (text: string, seed: bigint): bigint => {
  let hash = seed;
  for (let index = 0; index < text.length; index += 1) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(index))) * FNV_PRIME);
  }
  return hash;
};

/**
 * The unique part of the run id of a trigger, 32 hexadecimal digits. It depends on the trigger's id alone, so that a trigger that comes
 * again after the ledger forgot it still names the same run, and Temporal refuses to start that one twice.
 */
export const runPartOf = (triggerId: string): string => FNV_SEEDS.map((seed) => fnv64(triggerId, seed).toString(16).padStart(16, '0')).join('');
