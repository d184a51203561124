/** What a schedule's declaration means: its checks, its defaults, and which two ticks are the same one. */
import type { ScheduleSpec, TickInput } from '../contracts/schedule.ts';
import type { Trigger } from '../contracts/trigger.ts';
import { cronProblem, hasFixedHours } from './cron.ts';

export type ScheduleProblem = { path: string; message: string; fix: string };

/** Temporal takes no shorter catch-up window. */
const LEAST_CATCHUP_SECONDS = 10;
const CRON_CATCHUP_SECONDS = 3_600;

export const cronsOf = ({ cron }: ScheduleSpec): string[] => (cron === undefined ? [] : [cron].flat());

/** How late a missed tick is still taken, in seconds: as declared, or one interval. */
export const catchupSecondsOf = ({ catchupSeconds, everySeconds }: ScheduleSpec): number =>
  catchupSeconds ?? (everySeconds === undefined ? CRON_CATCHUP_SECONDS : Math.max(LEAST_CATCHUP_SECONDS, everySeconds));

/** The hour that the end of summer time repeats has the time of a daily tick twice: it counts once. An hourly one is meant in both. */
export const onceOf = (spec: ScheduleSpec): TickInput['once'] => {
  const crons = cronsOf(spec);
  return spec.timeZone !== 'UTC' && crons.length > 0 && crons.every(hasFixedHours) ? 'perLocalTime' : 'perInstant';
};

const isTimeZone = (timeZone: string): boolean => {
  try {
    // An offset such as +02:00 is one for Intl, but not for the server.
    return /^[A-Za-z]/.test(timeZone) && new Intl.DateTimeFormat('en', { timeZone }).format(0) !== '';
  } catch {
    return false;
  }
};

/** What a schema cannot say: parts of a schedule that contradict each other, or that Temporal would refuse. */
export const scheduleProblems = (spec: ScheduleSpec): ScheduleProblem[] => {
  const problems: ScheduleProblem[] = [];
  const say = (path: string, message: string, fix: string): void => void problems.push({ path, message, fix });
  if ((spec.cron === undefined) === (spec.everySeconds === undefined)) {
    say('cron', spec.cron === undefined ? 'neither cron nor everySeconds says when' : 'cron and everySeconds are both given', 'Give exactly one of cron and everySeconds.');
  }
  cronsOf(spec).forEach((cron, index) => {
    const problem = cronProblem(cron);
    if (problem !== null) say(Array.isArray(spec.cron) ? `cron[${index}]` : 'cron', `"${cron}" is no cron expression: ${problem}`, 'Write one such as "30 6 * * MON".');
  });
  if (spec.offsetSeconds !== undefined && (spec.everySeconds === undefined || spec.offsetSeconds >= spec.everySeconds)) {
    say('offsetSeconds', 'moves an interval by less than its length', spec.everySeconds === undefined ? 'Remove it: cron has no offset.' : `Give less than everySeconds (${spec.everySeconds}).`);
  }
  if (!isTimeZone(spec.timeZone)) say('timeZone', `"${spec.timeZone}" is no IANA time zone`, 'Give one such as UTC or Europe/Berlin.');
  if (spec.startAt !== undefined && spec.endAt !== undefined && Date.parse(spec.startAt) >= Date.parse(spec.endAt)) say('endAt', 'does not lie after startAt', 'Exchange them, or correct one.');
  return problems;
};

/** When, in words: for summaries and reasons. */
export const timingText = (spec: ScheduleSpec): string =>
  spec.everySeconds === undefined ? `cron ${cronsOf(spec).join(' and ')} (${spec.timeZone})` : `every ${spec.everySeconds} s`;

/** The clock of a time zone, as `2026-10-25T02:30:00`. */
const localTimeOf = (instant: string, timeZone: string): string =>
  // Swedish writes dates in the order of ISO 8601.
  new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(new Date(instant)).replace(' ', 'T');

/**
 * The trigger of a tick. Its id names the scheduled time, so a tick that comes again (replayed, filled in, or doubled by the end of summer time) is the
 * same trigger, and a trigger starts one run.
 */
export const tickTrigger = ({ pipeline, schedule, timeZone, once, scheduledAt }: TickInput & { scheduledAt: string }): Trigger => {
  const time = once === 'perLocalTime' ? `${localTimeOf(scheduledAt, timeZone)} ${timeZone}` : scheduledAt.replace('.000Z', 'Z');
  const source = `schedule/${pipeline}/${schedule}`;
  return { id: `${source}/${time}`, kind: 'schedule', reason: `the schedule ${schedule} at ${time}`, at: scheduledAt, source };
};
