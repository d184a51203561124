/** The one run of a pipeline that the trigger ledger has in flight: starting it, and learning that it ended. */
import { ChildWorkflowCancellationType, condition, ParentClosePolicy, startChild } from '@temporalio/workflow';
import { composeRunId, runWorkflowId } from '../contracts/ids.ts';
import type { RunInput } from '../contracts/run.ts';
import type { ChampionStanding, LedgerPipeline, Trigger } from '../contracts/trigger.ts';
import { isAutomatic, runPartOf, type LedgerState } from '../domain/triggers.ts';
import { askAgainDelayMs } from '../domain/waiting.ts';
import { isAlreadyStarted } from './failure.ts';
import type { pipelineRun } from './pipeline-run.ts';
import { ticking } from './proxies.ts';
import { searchAttributesOf } from './search-attributes.ts';

export type Ledger = LedgerState & {
  pipeline: string;
  pending: Trigger[];
  decided: number;
  cooldownUntilMs: number | null;
  /** True while the end of the run in flight will be reported by Temporal, because it is a child of this execution. */
  isWatched: boolean;
  /** Runs that ended, and are to be recorded as retrains. */
  ended: string[];
  champion: ChampionStanding | null;
};

const startPipelineRun = (input: RunInput): Promise<{ result: () => Promise<unknown> }> =>
  startChild<typeof pipelineRun>('pipelineRun', {
    workflowId: runWorkflowId(input.pipeline, input.runId),
    args: [input],
    // A run goes on whatever becomes of its ledger.
    parentClosePolicy: ParentClosePolicy.ABANDON,
    cancellationType: ChildWorkflowCancellationType.ABANDON,
    // The run id comes from the trigger's id: a trigger that the ledger forgot and meets again cannot run twice.
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    typedSearchAttributes: searchAttributesOf({ pipeline: input.pipeline, trigger: input.trigger.kind }),
    staticSummary: `${input.trigger.kind}: ${input.trigger.reason}`.slice(0, 200),
  });

const endRun = (ledger: Ledger, runId: string): void => {
  if (ledger.inFlight?.runId !== runId) return;
  ledger.inFlight = null;
  ledger.ended.push(runId);
};

const watch = (ledger: Ledger, runId: string, run: { result: () => Promise<unknown> }): void => {
  const end = (): void => endRun(ledger, runId);
  ledger.isWatched = true;
  // How it ended is the run's own record; the ledger only needs to know that it did.
  run.result().then(end, end);
};

const isRunOpen = async (runId: string): Promise<boolean> => (await ticking(runId).runPresence({ runId })) === 'open';

/**
 * A run of the model that this ledger did not start (by hand, or by another pipeline of the model) is in flight too: drift is coalesced into it, and the others
 * wait for its end. A row may be behind, so the run itself is asked.
 */
export const adoptOpenRun = async (ledger: Ledger, { openRuns = [] }: LedgerPipeline): Promise<void> => {
  if (ledger.inFlight !== null) return;
  for (const runId of openRuns) {
    if (!(await isRunOpen(runId))) continue;
    ledger.inFlight = { runId, triggerId: '' };
    ledger.isWatched = false;
    return;
  }
};

/** Starts the run of a trigger and puts it in flight. */
export const startRun = async (ledger: Ledger, trigger: Trigger, { version, spec }: LedgerPipeline): Promise<string> => {
  const { pipeline } = ledger;
  const { id, kind, reason } = trigger;
  const runId = composeRunId(pipeline, runPartOf(id));
  ledger.inFlight = { runId, triggerId: id };
  try {
    const run = await startPipelineRun({ runId, pipeline, pipelineVersion: version, spec, trigger: { kind, id, reason } });
    watch(ledger, runId, run);
    if (isAutomatic(trigger)) ledger.lastAutomaticRunAtMs = Date.now();
  } catch (error) {
    if (!isAlreadyStarted(error)) throw error;
    ledger.isWatched = false;
  }
  return runId;
};

/**
 * Waits until there is something to do: triggers to decide, or the end of the run in flight. A run that is not watched is asked
 * whether it is still open, less and less often.
 */
export const waitForWork = async (ledger: Ledger): Promise<void> => {
  const { inFlight } = ledger;
  const hasWork = (): boolean => ledger.pending.length > 0 || ledger.inFlight !== inFlight;
  if (inFlight === null || ledger.isWatched) return condition(hasWork);
  const beganAtMs = Date.now();
  while (!(await condition(hasWork, askAgainDelayMs(Date.now() - beganAtMs)))) {
    if (!(await isRunOpen(inFlight.runId))) endRun(ledger, inFlight.runId);
  }
};
