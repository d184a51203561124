/**
 * `scheduledTrigger`: one tick of a schedule, started by a Temporal Schedule. It puts the tick in the trigger ledger, and lasts as long as the run that
 * it led to, because a schedule judges overlap and failure by the workflow that it starts: so skipping, buffering, cancelling and
 * pausing on failure are Temporal's own.
 */
import { CancellationScope, isCancellation, sleep, workflowInfo } from '@temporalio/workflow';
import { scheduledTimeOf } from '../contracts/ids.ts';
import type { TickInput, TickResult } from '../contracts/schedule.ts';
import type { TriggerResolution } from '../contracts/trigger.ts';
import { askAgainDelayMs } from '../domain/waiting.ts';
import { namedFailure } from './failure.ts';
import { ticking } from './proxies.ts';
import { setSearchAttributes } from './search-attributes.ts';

type Decided = Exclude<TriggerResolution, { kind: 'pending' }>;

/** Asks until there is an answer, less and less often. */
const poll = async <T>(ask: () => Promise<T | null>): Promise<T> => {
  const beganAtMs = Date.now();
  for (;;) {
    const found = await ask();
    if (found !== null) return found;
    await sleep(askAgainDelayMs(Date.now() - beganAtMs));
  }
};

/** A ledger that was ended by hand has forgotten the tick: it is told again now and then, which is nothing new to one that knows it. */
const TELL_AGAIN_AFTER = 20;

const untilDecided = (tick: TickInput & { scheduledAt: string }, triggerId: string): Promise<Decided> => {
  const { pipeline } = tick;
  let asked = 0;
  return poll(async () => {
    asked += 1;
    if (asked % TELL_AGAIN_AFTER === 0) await ticking(tick.scheduledAt).submitTick(tick);
    const resolution = await ticking('where the tick led').resolveTrigger({ pipeline, triggerId });
    return resolution.kind === 'pending' ? null : resolution;
  });
};

const untilClosed = (runId: string) =>
  poll(async () => {
    const presence = await ticking(runId).runPresence({ runId });
    return presence === 'open' ? null : presence;
  });

/** The overlap policy `cancelOther` cancels the tick, and goes on when it has ended: the run that it started ends first. */
const cancelOwnRun = async (runId: string): Promise<void> => {
  await ticking(`cancel ${runId}`).cancelRun({ runId });
  await untilClosed(runId);
};

const follow = async ({ runId, own }: Extract<Decided, { kind: 'run' }>) => {
  try {
    return await untilClosed(runId);
  } catch (error) {
    if (isCancellation(error) && own) await CancellationScope.nonCancellable(() => cancelOwnRun(runId));
    throw error;
  }
};

export const scheduledTrigger = async (input: TickInput): Promise<TickResult> => {
  const { pipeline, schedule } = input;
  const { workflowId, startTime } = workflowInfo();
  setSearchAttributes({ pipeline, stage: 'schedule', trigger: 'schedule' });
  const scheduledAt = scheduledTimeOf(workflowId, { pipeline, name: schedule }) ?? startTime.toISOString();
  const tick = { ...input, scheduledAt };
  const { triggerId } = await ticking(scheduledAt).submitTick(tick);
  const decided = await untilDecided(tick, triggerId);
  if (decided.kind === 'rejected') return { outcome: 'rejected', triggerId, reason: decided.reason };
  const { runId, own } = decided;
  const run = await follow(decided);
  if (run === 'failed') throw namedFailure('ScheduledRunFailed', `the run ${runId} of the tick at ${scheduledAt} failed`);
  return { outcome: own ? 'ran' : 'coalesced', triggerId, runId, run };
};
