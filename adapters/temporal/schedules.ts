/** Temporal Schedules: each `schedule/<pipeline>/<name>` starts the workflow `scheduledTrigger` at every tick. */
import { ScheduleAlreadyRunning, ScheduleNotFoundError, type Client, type ScheduleDescription, type ScheduleOptions, type ScheduleOverlapPolicy } from '@temporalio/client';
import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import { scheduleId, SEARCH_ATTRIBUTES, tickWorkflowId } from '../../contracts/ids.ts';
import { taskQueueOf, WORKFLOWS_POOL } from '../../contracts/queues.ts';
import type { OverlapPolicy, ScheduleKey, ScheduleSpec, ScheduleState, TickInput } from '../../contracts/schedule.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { ScheduleEngine } from '../../domain/ports/schedules.ts';
import { catchupSecondsOf, cronsOf, onceOf, timingText } from '../../domain/schedules.ts';
import { askTemporal } from './ask-temporal.ts';

const OVERLAPS: Record<OverlapPolicy, Exclude<ScheduleOverlapPolicy, undefined>> = {
  skip: 'SKIP',
  bufferOne: 'BUFFER_ONE',
  bufferAll: 'BUFFER_ALL',
  cancelOther: 'CANCEL_OTHER',
  allowAll: 'ALLOW_ALL',
};

const keyword = (name: string, value: string): SearchAttributePair => ({ key: defineSearchAttributeKey(name, 'KEYWORD'), value });

const specOf = (spec: ScheduleSpec): ScheduleOptions['spec'] => ({
  ...(spec.everySeconds === undefined ? { cronExpressions: cronsOf(spec) } : { intervals: [{ every: spec.everySeconds * 1_000, offset: (spec.offsetSeconds ?? 0) * 1_000 }] }),
  timezone: spec.timeZone,
  jitter: spec.jitterSeconds * 1_000,
  ...(spec.startAt === undefined ? {} : { startAt: new Date(spec.startAt) }),
  ...(spec.endAt === undefined ? {} : { endAt: new Date(spec.endAt) }),
});

const actionOf = ({ pipeline, name }: ScheduleKey, spec: ScheduleSpec): ScheduleOptions['action'] => {
  const input: TickInput = { pipeline, schedule: name, timeZone: spec.timeZone, once: onceOf(spec) };
  return {
    type: 'startWorkflow',
    workflowType: 'scheduledTrigger',
    workflowId: tickWorkflowId(pipeline, name),
    taskQueue: taskQueueOf(WORKFLOWS_POOL),
    args: [input],
    typedSearchAttributes: [keyword(SEARCH_ATTRIBUTES.pipeline, pipeline), keyword(SEARCH_ATTRIBUTES.trigger, 'schedule')],
    staticSummary: `${pipeline}, ${name}: ${timingText(spec)}`.slice(0, 200),
  };
};

/** Overlap and catch-up are never left to the server, whose defaults a year of missed ticks would surprise. */
const policiesOf = (spec: ScheduleSpec): NonNullable<ScheduleOptions['policies']> => ({
  overlap: OVERLAPS[spec.overlap],
  catchupWindow: catchupSecondsOf(spec) * 1_000,
  pauseOnFailure: spec.pauseOnFailure,
});

const create = async (client: Client, key: ScheduleKey, spec: ScheduleSpec): Promise<void> => {
  await client.schedule.create({
    scheduleId: scheduleId(key.pipeline, key.name),
    spec: specOf(spec),
    action: actionOf(key, spec),
    policies: policiesOf(spec),
    typedSearchAttributes: [keyword(SEARCH_ATTRIBUTES.pipeline, key.pipeline)],
    ...(spec.description === undefined ? {} : { state: { note: spec.description } }),
  });
};

/** Whether it is paused is no part of the wish: a person, or a failure, paused it. */
const update = (client: Client, key: ScheduleKey, spec: ScheduleSpec): Promise<void> =>
  client.schedule.getHandle(scheduleId(key.pipeline, key.name)).update(({ state }) => ({ spec: specOf(spec), action: actionOf(key, spec), policies: policiesOf(spec), state }));

const put = async (client: Client, key: ScheduleKey, spec: ScheduleSpec): Promise<void> => {
  try {
    await update(client, key, spec);
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    await create(client, key, spec);
  }
};

const stateOf = ({ state, info, raw }: ScheduleDescription): ScheduleState => ({
  paused: state.paused,
  note: state.note === undefined || state.note === '' ? null : state.note,
  next: info.nextActionTimes.map((time) => time.toISOString()),
  recent: info.recentActions.map(({ scheduledAt, takenAt, action }) => ({ scheduledAt: scheduledAt.toISOString(), takenAt: takenAt.toISOString(), workflowId: action.workflow.workflowId })),
  running: info.runningActions.map(({ workflow }) => workflow.workflowId),
  taken: info.numActionsTaken,
  skippedByOverlap: info.numActionsSkippedOverlap,
  missedCatchup: info.numActionsMissedCatchupWindow,
  droppedFromBuffer: Number(raw.info?.bufferDropped ?? 0),
});

const timestampOf = (instant: string) => ({ seconds: Math.floor(Date.parse(instant) / 1_000) }) as never;

const ticksBetween = async (client: Client, { pipeline, name }: ScheduleKey, { from, until }: { from: string; until: string }): Promise<string[]> => {
  const { namespace } = client.options;
  const period = { startTime: timestampOf(from), endTime: timestampOf(until) };
  const answer = await client.workflowService.listScheduleMatchingTimes({ namespace, scheduleId: scheduleId(pipeline, name), ...period });
  return (answer.startTime ?? []).map((time) => new Date(Number(time.seconds) * 1_000).toISOString());
};

const NOT_FOUND = 5;

const isNotFound = (error: unknown): boolean => error instanceof ScheduleNotFoundError || (error as { code?: unknown }).code === NOT_FOUND;

/** `deadlineMs` bounds each question. */
export const createScheduleEngine = (client: Client, { deadlineMs }: { deadlineMs?: number } = {}): ScheduleEngine => {
  const ask = async <T>({ pipeline, name }: ScheduleKey, question: () => Promise<T>): Promise<T> => {
    try {
      return await askTemporal(client, question, deadlineMs);
    } catch (error) {
      if (isNotFound(error)) throw new PerennialFailure('ScheduleNotFound', `Temporal has no schedule "${name}" of the pipeline "${pipeline}"`, { cause: error });
      if (error instanceof TypeError) throw new PerennialFailure('ScheduleInvalid', `Temporal refused the schedule "${name}": ${error.message}`, { cause: error });
      throw error;
    }
  };
  const orAbsent = async <T>(answer: Promise<T>): Promise<T | undefined> => {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof PerennialFailure && error.code === 'ScheduleNotFound') return undefined;
      throw error;
    }
  };
  const handleOf = ({ pipeline, name }: ScheduleKey) => client.schedule.getHandle(scheduleId(pipeline, name));
  return {
    put: (key, spec) =>
      ask(key, () =>
        put(client, key, spec).catch((error: unknown) => {
          // Another one created it in between.
          if (error instanceof ScheduleAlreadyRunning) return update(client, key, spec);
          throw error;
        }),
      ),
    remove: (key) => orAbsent(ask(key, () => handleOf(key).delete())),
    describe: (key) => orAbsent(ask(key, async () => stateOf(await handleOf(key).describe()))),
    pause: (key, note) => ask(key, () => handleOf(key).pause(note)),
    resume: (key, note) => ask(key, () => handleOf(key).unpause(note)),
    trigger: (key, overlap) => ask(key, () => handleOf(key).trigger(OVERLAPS[overlap])),
    backfill: (key, { from, until, overlap }) => ask(key, () => handleOf(key).backfill({ start: new Date(from), end: new Date(until), overlap: OVERLAPS[overlap] })),
    ticksBetween: (key, period) => ask(key, () => ticksBetween(client, key, period)),
  };
};
