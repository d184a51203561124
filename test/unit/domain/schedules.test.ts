import { describe, expect, it } from 'vitest';
import { scheduledTimeOf, tickWorkflowId } from '../../../contracts/ids.ts';
import { ScheduleSpec } from '../../../contracts/schedule.ts';
import { championStanding, retrainVerdict } from '../../../domain/champion-streak.ts';
import { cronProblem, hasFixedHours } from '../../../domain/cron.ts';
import { catchupSecondsOf, onceOf, scheduleProblems, tickTrigger } from '../../../domain/schedules.ts';

const schedule = (changes: object) => ScheduleSpec.parse({ cron: '30 2 * * *', ...changes });

describe('cron', () => {
  it.each(['30 6 * * MON', '*/15 * * * *', '0 0 29 2 *', '0 12 * * mon-fri', '0 8-18/2 1,15 jan-dec *', '0 0 1 1 * 2030', '30 0 12 * * * 2026/2', '@daily', '0 0 * * 7', '0 0 * * Sunday'])('takes %s', (cron) => {
    expect(cronProblem(cron)).toBeNull();
  });

  it.each([
    ['60 6 * * *', 'the minute "60" does not lie in 0 to 59'],
    ['0 24 * * *', 'the hour "24" does not lie in 0 to 23'],
    ['0 0 * * MOX', 'the day of week "MOX" does not lie in 0 to 7 (or sun to sat)'],
    ['0 0 * 13 *', 'the month "13" does not lie in 1 to 12 (or jan to dec)'],
    ['0 0 20-10 * *', 'the day of month "20-10" does not lie in 1 to 31'],
    ['*/0 * * * *', 'the minute "*/0" has no step that is a whole number from 1'],
    ['0 6 * *', 'it has 4 fields: 5 (minute, hour, day of month, month, day of week), 6 (and year) or 7 (second first)'],
    ['CRON_TZ=Europe/Berlin 0 6 * * *', 'a time zone, a comment and @every have keys of their own: timeZone, description, everySeconds'],
    ['', 'it has 1 fields: 5 (minute, hour, day of month, month, day of week), 6 (and year) or 7 (second first)'],
  ])('refuses "%s"', (cron, problem) => expect(cronProblem(cron)).toBe(problem));

  it.each([
    ['30 2 * * *', true],
    ['30 1,2 * * *', true],
    ['0 * * * *', false],
    ['0 */2 * * *', false],
    ['@hourly', false],
    ['@daily', true],
    ['0 30 2 * * * *', true],
  ])('%s has fixed hours: %s', (cron, fixed) => expect(hasFixedHours(cron)).toBe(fixed));
});

describe('a schedule', () => {
  it.each([
    [{}, []],
    [{ everySeconds: 60 }, ['cron']],
    [{ cron: undefined }, ['cron']],
    [{ cron: ['0 6 * * *', '0 25 * * *'] }, ['cron[1]']],
    [{ timeZone: 'Mars/Olympus' }, ['timeZone']],
    [{ timeZone: '+02:00' }, ['timeZone']],
    [{ offsetSeconds: 5 }, ['offsetSeconds']],
    [{ cron: undefined, everySeconds: 60, offsetSeconds: 60 }, ['offsetSeconds']],
    [{ startAt: '2026-02-01T00:00:00Z', endAt: '2026-01-01T00:00:00Z' }, ['endAt']],
  ])('%j has these mistakes: %j', (changes, paths) => expect(scheduleProblems(schedule(changes)).map(({ path }) => path)).toEqual(paths));

  it('takes a missed tick within one interval, an hour for cron, unless it says otherwise', () => {
    expect(catchupSecondsOf(schedule({}))).toBe(3_600);
    expect(catchupSecondsOf(schedule({ cron: undefined, everySeconds: 2 }))).toBe(10);
    expect(catchupSecondsOf(schedule({ cron: undefined, everySeconds: 900 }))).toBe(900);
    expect(catchupSecondsOf(schedule({ catchupSeconds: 77 }))).toBe(77);
  });
});

describe('a tick', () => {
  const tick = (spec: ScheduleSpec, scheduledAt: string) => tickTrigger({ pipeline: 'flights', schedule: 'nightly', timeZone: spec.timeZone, once: onceOf(spec), scheduledAt }).id;

  it('is known by its scheduled time', () => {
    expect(tickTrigger({ pipeline: 'flights', schedule: 'nightly', timeZone: 'UTC', once: 'perInstant', scheduledAt: '2026-01-05T06:00:00.000Z' })).toEqual({
      id: 'schedule/flights/nightly/2026-01-05T06:00:00Z',
      kind: 'schedule',
      reason: 'the schedule nightly at 2026-01-05T06:00:00Z',
      at: '2026-01-05T06:00:00.000Z',
      source: 'schedule/flights/nightly',
    });
  });

  it('that the end of summer time doubles is one, when its hour is given', () => {
    const nightly = schedule({ timeZone: 'Europe/Berlin' });
    expect(tick(nightly, '2026-10-25T00:30:00.000Z')).toBe('schedule/flights/nightly/2026-10-25T02:30:00 Europe/Berlin');
    expect(tick(nightly, '2026-10-25T01:30:00.000Z')).toBe(tick(nightly, '2026-10-25T00:30:00.000Z'));
    const hourly = schedule({ cron: '30 * * * *', timeZone: 'Europe/Berlin' });
    expect(tick(hourly, '2026-10-25T01:30:00.000Z')).not.toBe(tick(hourly, '2026-10-25T00:30:00.000Z'));
  });

  it('has its time in the id of its workflow, whatever the names are', () => {
    const key = { pipeline: 'a-b.c', name: 'x-2026-01-01T00:00:00Z' };
    expect(scheduledTimeOf(`${tickWorkflowId(key.pipeline, key.name)}-2026-02-28T23:59:59Z`, key)).toBe('2026-02-28T23:59:59.000Z');
    expect(scheduledTimeOf(tickWorkflowId(key.pipeline, key.name), key)).toBeUndefined();
    expect(scheduledTimeOf('tick/other/x-2026-02-28T23:59:59Z', key)).toBeUndefined();
  });
});

describe('the streak of a champion', () => {
  it('counts retrains that were refused, not those that failed, and a promotion ends it', () => {
    const states = ['rejected', 'rolledBack', 'failed', 'cancelled', 'rejected', 'succeeded', 'rejected'] as const;
    let unbeaten = 0;
    const standings = states.map((state) => {
      const standing = championStanding(unbeaten, retrainVerdict({ state, hasChampion: true }) ?? 'undecided', 3);
      ({ unbeaten } = standing);
      return [standing.unbeaten, standing.isDue];
    });
    expect(standings).toEqual([[1, false], [2, false], [2, false], [2, false], [3, true], [0, false], [1, false]]);
  });

  it('needs a champion, and an end', () => {
    expect(retrainVerdict({ state: 'rejected', hasChampion: false })).toBe('undecided');
    expect(retrainVerdict({ state: 'running', hasChampion: true })).toBeNull();
    expect(retrainVerdict({ state: 'terminated', hasChampion: true })).toBe('undecided');
  });
});
