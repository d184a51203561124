/**
 * `pipelineTriggers`: the trigger ledger of a pipeline. Every trigger ends as ran, coalesced or rejected, in a row of its own;
 * at most one run that it started is in flight. One loop does all the work, one batch after the other, so that no two decisions overlap.
 */
import { CancellationScope, condition, continueAsNew, allHandlersFinished, setHandler, workflowInfo } from '@temporalio/workflow';
import { submitTriggerSignal, triggersStatusQuery } from '../contracts/messages.ts';
import type { LedgerPipeline, Trigger, TriggerOutcome, TriggersInput } from '../contracts/trigger.ts';
import { batchSizeOf, cooldownUntilMs, decideQueued, decideTrigger, rememberId } from '../domain/triggers.ts';
import { adoptOpenRun, startRun, waitForWork, type Ledger } from './ledger-run.ts';
import { untilDone } from './proxies.ts';
import { setSearchAttributes } from './search-attributes.ts';

/** Events after which the ledger continues as new when no run is watched; a watched run is worth a longer history. */
const LONG_HISTORY = 2_000;
const LONGEST_HISTORY = 10_000;
const LONGEST_HISTORY_BYTES = 10_000_000;

/** Pending triggers that may be carried over in the input of the next execution. */
const CARRIED_TRIGGERS = 100;

type Decision = { trigger: Trigger; outcome: TriggerOutcome };

const beginLedger = ({ pipeline, resume }: TriggersInput): Ledger => {
  const ledger: Ledger = {
    pipeline,
    recentIds: resume?.recentIds ?? [],
    pending: resume?.pending ?? [],
    inFlight: resume?.inFlight ?? null,
    next: resume?.next ?? [],
    lastAutomaticRunAtMs: resume?.lastAutomaticRunAtMs ?? null,
    decided: 0,
    cooldownUntilMs: null,
    isWatched: false,
    ended: resume?.ended ?? [],
    champion: null,
  };
  setHandler(submitTriggerSignal, (trigger) => void ledger.pending.push(trigger), { description: 'An event that may start a run' });
  setHandler(triggersStatusQuery, () => ({
    pipeline,
    inFlight: ledger.inFlight?.runId ?? null,
    pending: ledger.pending.length + ledger.next.length,
    decided: ledger.decided,
    cooldownUntil: ledger.cooldownUntilMs === null ? null : new Date(ledger.cooldownUntilMs).toISOString(),
    champion: ledger.champion,
  }));
  return ledger;
};

const loadPipeline = async (ledger: Ledger): Promise<LedgerPipeline | null> => {
  const pipeline = await untilDone(`current version of ${ledger.pipeline}`).loadPipeline({ pipeline: ledger.pipeline });
  if (pipeline !== null) await adoptOpenRun(ledger, pipeline);
  return pipeline;
};

const record = async (ledger: Ledger, decisions: Decision[]): Promise<void> => {
  if (decisions.length === 0) return;
  const { pipeline } = ledger;
  const summary = decisions.length === 1 ? (decisions[0] as Decision).outcome.outcome : `${decisions.length} decisions`;
  await untilDone(summary).recordTriggers({ pipeline, decisions });
  ledger.decided += decisions.length;
};

/** Decides one trigger; null when it has no row yet (queued) or already has one (duplicate). */
const decide = async (ledger: Ledger, trigger: Trigger, pipeline: LedgerPipeline | null): Promise<Decision | null> => {
  const decision = decideTrigger(ledger, trigger, pipeline, Date.now());
  if (decision.kind === 'duplicate') return null;
  ledger.recentIds = rememberId(ledger.recentIds, trigger.id);
  if (decision.kind === 'final') return { trigger, outcome: decision.outcome };
  if (decision.kind === 'run' && pipeline !== null) return { trigger, outcome: { outcome: 'ran', runId: await startRun(ledger, trigger, pipeline) } };
  ledger.next.push(trigger);
  return null;
};

const decidePending = async (ledger: Ledger): Promise<void> => {
  const pipeline = await loadPipeline(ledger);
  const decisions: Decision[] = [];
  for (const trigger of ledger.pending.splice(0, batchSizeOf(ledger.pending))) {
    const decision = await decide(ledger, trigger, pipeline);
    if (decision !== null) decisions.push(decision);
  }
  if (pipeline !== null) ledger.cooldownUntilMs = cooldownUntilMs(ledger.lastAutomaticRunAtMs, pipeline.spec);
  await record(ledger, decisions);
};

/** A queued trigger becomes the next run, of the pipeline as it is then; it waits on when another run of the model has begun meanwhile. */
const startQueued = async (ledger: Ledger): Promise<void> => {
  const pipeline = await loadPipeline(ledger);
  const trigger = ledger.inFlight === null ? ledger.next.shift() : undefined;
  if (trigger === undefined) return;
  const decision = decideQueued(trigger, pipeline);
  if (decision.kind === 'final') await record(ledger, [{ trigger, outcome: decision.outcome }]);
  else if (pipeline !== null) await record(ledger, [{ trigger, outcome: { outcome: 'ran', runId: await startRun(ledger, trigger, pipeline) } }]);
};

/** A champion that retrains no longer beat is seen here, run by run. */
const recordEnded = async (ledger: Ledger): Promise<void> => {
  const [runId] = ledger.ended;
  if (runId === undefined) return;
  const { pipeline } = ledger;
  const standing = await untilDone(`the end of ${runId}`).recordRetrain({ pipeline, runId });
  ledger.ended.shift();
  ledger.champion = standing ?? ledger.champion;
};

const mustContinueAsNew = (ledger: Ledger): boolean => {
  if (ledger.pending.length > CARRIED_TRIGGERS || CancellationScope.current().consideredCancelled) return false;
  const { historyLength, historySize, continueAsNewSuggested } = workflowInfo();
  if (historyLength >= LONGEST_HISTORY || historySize >= LONGEST_HISTORY_BYTES) return true;
  const isWatching = ledger.inFlight !== null && ledger.isWatched;
  return !isWatching && (continueAsNewSuggested || historyLength >= LONG_HISTORY);
};

const carryOn = async ({ pipeline, recentIds, pending, inFlight, next, lastAutomaticRunAtMs, ended }: Ledger): Promise<never> => {
  await condition(allHandlersFinished);
  return continueAsNew<typeof pipelineTriggers>({ pipeline, resume: { recentIds, pending, inFlight, next, lastAutomaticRunAtMs, ended } });
};

export const pipelineTriggers = async (input: TriggersInput): Promise<never> => {
  const ledger = beginLedger(input);
  setSearchAttributes({ pipeline: input.pipeline, stage: 'triggers' });
  for (;;) {
    if (mustContinueAsNew(ledger)) await carryOn(ledger);
    else if (ledger.ended.length > 0) await recordEnded(ledger);
    // The queued trigger came first: it takes its place before later ones are decided.
    else if (ledger.inFlight === null && ledger.next.length > 0) await startQueued(ledger);
    else if (ledger.pending.length > 0) await decidePending(ledger);
    else await waitForWork(ledger);
  }
};
