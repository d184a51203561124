/** Schedules: list, show, create, pause, resume, trigger, backfill, delete. */
import type { Command } from 'commander';
import type { Schedule, ScheduleTick } from '../answers.ts';
import { durationSeconds } from '../duration.ts';
import { usageFailure } from '../exit-codes.ts';
import { clean, type Output } from '../output.ts';
import { openSession, segment } from '../session.ts';

const pathOf = (pipeline: string, name: string): string => `/api/v1/schedules/${segment(pipeline)}/${segment(name)}`;

const MOST_DIGITS = 9;

/** Seconds of a text such as 90, 90s, 15m, 12h or 7d. */
const seconds = (option: string) => (text: string): number => {
  const found = durationSeconds(/^\d+$/.test(text) ? `${text}s` : text, MOST_DIGITS);
  if (found === undefined) throw usageFailure(`${option} is "${text}"`, `Give a time such as 90s, 15m, 12h or 7d for ${option}.`);
  return found;
};

const stateOf = ({ live, synced, syncError }: Schedule): string => {
  if (syncError !== null) return 'refused';
  if (!synced) return 'not in Temporal yet';
  return live === null ? 'not known' : live.paused ? 'paused' : 'active';
};

const rowOf = (schedule: Schedule) => ({
  ...schedule,
  state: stateOf(schedule),
  next: schedule.live?.next[0],
  taken: schedule.live?.taken,
  skipped: schedule.live?.skippedByOverlap,
  missed: schedule.live?.missedCatchup,
});

const showSchedule = (output: Output, schedule: Schedule & { ticks?: ScheduleTick[] }): void => {
  if (output.json) return output.document(schedule);
  const { pipeline, name, timing, origin, live, degraded, syncError, ticks = [], links } = schedule;
  output.say(`${pipeline}/${name}  ${stateOf(schedule)}  ${clean(timing)}  (${origin === 'api' ? 'put by API' : 'declared in the pipeline'})`);
  for (const trouble of [degraded, syncError]) if (trouble !== null) output.say(output.paint('yellow', clean(trouble)));
  if (live !== null) {
    if (live.note !== null) output.say(`  ${clean(live.note)}`);
    output.say(`  next: ${live.next.length === 0 ? 'none' : live.next.slice(0, 5).join(', ')}`);
    output.say(`  ticks taken ${live.taken}, skipped by overlap ${live.skippedByOverlap}, missed ${live.missedCatchup}, dropped ${live.droppedFromBuffer}`);
  }
  if (ticks.length > 0) output.table(ticks.map((tick) => ({ ...tick, led: tick.runId ?? tick.coalescedInto ?? tick.rejection })), ['at', 'outcome', 'led']);
  output.say(output.paint('dim', clean(links.temporal)));
};

const registerReads = (schedule: Command): void => {
  schedule
    .command('list')
    .description('all schedules, with their ticks taken, skipped and missed')
    .option('--pipeline <name>', 'of one pipeline')
    .action(async ({ pipeline }: { pipeline?: string }, command: Command) => {
      const { api, output } = openSession(command);
      const answer = await api.get<{ schedules: Schedule[] }>(`/api/v1/schedules${pipeline === undefined ? '' : `?pipeline=${segment(pipeline)}`}`);
      if (output.json) return output.document(answer);
      output.table(answer.schedules.map(rowOf), ['pipeline', 'name', 'timing', 'state', 'next', 'taken', 'skipped', 'missed']);
    });
  schedule
    .command('get <pipeline> <name>')
    .description('one schedule: its next ticks, its latest ones and what they led to')
    .action(async (pipeline: string, name: string, _options: unknown, command: Command) => {
      const { api, output } = openSession(command);
      showSchedule(output, await api.get<Schedule & { ticks: ScheduleTick[] }>(pathOf(pipeline, name)));
    });
};

type CreateOptions = {
  cron?: string[];
  every?: number;
  offset?: number;
  timeZone?: string;
  jitter?: number;
  overlap?: string;
  catchup?: number;
  pauseOnFailure?: boolean;
  startAt?: string;
  endAt?: string;
  description?: string;
};

const specOf = ({ cron, every, offset, jitter, catchup, ...others }: CreateOptions) => ({
  ...others,
  ...(cron === undefined ? {} : { cron: cron.length === 1 ? cron[0] : cron }),
  everySeconds: every,
  offsetSeconds: offset,
  jitterSeconds: jitter,
  catchupSeconds: catchup,
});

const registerCreate = (schedule: Command): void => {
  schedule
    .command('create <pipeline> <name>')
    .description('create a schedule, or replace it')
    .option('--cron <expression...>', 'when, such as "30 6 * * MON"')
    .option('--every <time>', 'how often, such as 12h, counted from the epoch', seconds('--every'))
    .option('--offset <time>', 'moves --every', seconds('--offset'))
    .option('--time-zone <name>', 'of --cron (default: UTC)')
    .option('--jitter <time>', 'spreads ticks over this time', seconds('--jitter'))
    .option('--overlap <policy>', 'skip, bufferOne, bufferAll, cancelOther or allowAll (default: skip)')
    .option('--catchup <time>', 'how late a missed tick is still taken', seconds('--catchup'))
    .option('--pause-on-failure', 'pause when the run of a tick has failed')
    .option('--start-at <instant>', 'no tick before it')
    .option('--end-at <instant>', 'no tick after it')
    .option('--description <text>', 'for the record')
    .action(async (pipeline: string, name: string, options: CreateOptions, command: Command) => {
      const { api, output } = openSession(command);
      showSchedule(output, await api.put<Schedule>(pathOf(pipeline, name), specOf(options)));
    });
};

const PAUSES = { pause: 'no ticks until it is resumed', resume: 'let a paused schedule go on' };

const registerActs = (schedule: Command): void => {
  for (const [act, description] of Object.entries(PAUSES)) {
    schedule
      .command(`${act} <pipeline> <name>`)
      .description(description)
      .option('--reason <text>', 'why')
      .action(async (pipeline: string, name: string, { reason }: { reason?: string }, command: Command) => {
        const { api, output } = openSession(command);
        const answer = await api.post(`${pathOf(pipeline, name)}/${act}`, { reason });
        if (output.json) return output.document(answer);
        output.say(`${act}d ${pipeline}/${name}`);
      });
  }
  schedule
    .command('trigger <pipeline> <name>')
    .description('one tick now')
    .action(async (pipeline: string, name: string, _options: unknown, command: Command) => {
      const { api, output } = openSession(command);
      const answer = await api.post(`${pathOf(pipeline, name)}/trigger`, {});
      if (output.json) return output.document(answer);
      output.say(`one tick of ${pipeline}/${name}; see: perennial schedule get ${pipeline} ${name}`);
    });
  schedule
    .command('backfill <pipeline> <name>')
    .description('take the ticks of a past period now; those that have run do not run again')
    .requiredOption('--from <instant>', 'such as 2026-01-01T00:00:00Z')
    .requiredOption('--until <instant>', 'included')
    .option('--overlap <policy>', 'default: bufferAll, one after the other')
    .action(async (pipeline: string, name: string, options: { from: string; until: string; overlap?: string }, command: Command) => {
      const { api, output } = openSession(command);
      const answer = await api.post<{ ticks: number; first: string; last: string }>(`${pathOf(pipeline, name)}/backfill`, options);
      if (output.json) return output.document(answer);
      output.say(`${answer.ticks} ${answer.ticks === 1 ? 'tick' : 'ticks'} of ${pipeline}/${name}, from ${answer.first} to ${answer.last}`);
    });
  schedule
    .command('delete <pipeline> <name>')
    .description('delete a schedule that was put by API')
    .action(async (pipeline: string, name: string, _options: unknown, command: Command) => {
      const { api, output } = openSession(command);
      await api.delete(pathOf(pipeline, name));
      if (output.json) return output.document({ pipeline, name, deleted: true });
      output.say(`deleted ${pipeline}/${name}`);
    });
};

export const registerScheduleCommands = (program: Command): void => {
  const schedule = program.command('schedule').description('schedules of pipelines');
  registerReads(schedule);
  registerCreate(schedule);
  registerActs(schedule);
};
