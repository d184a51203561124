/** Schedules on a real Temporal server with real workers: as declared, overlapping, filled in, paused by a failure, and over a server that was away. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createScheduleRows } from '../../../adapters/postgres/schedules.ts';
import { createScheduleEngine } from '../../../adapters/temporal/schedules.ts';
import { runCommandLine } from '../../../cli/command-line.ts';
import { createTestApi, eventually, stepsPipeline, type AnswerBody, type TestApi } from '../../support/api.ts';
import { startOrchestration, type Orchestration } from '../../support/orchestration.ts';

let orchestration: Orchestration;
let api: TestApi;
let url: string;

beforeAll(async () => {
  orchestration = await startOrchestration({ pools: ['workflows', 'data'] });
  api = await createTestApi(orchestration.test, orchestration.client);
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
});

afterAll(async () => {
  await api?.app.close();
  await orchestration?.stop();
});

/** One step that is done at once, or waits for a worker that never comes. */
const quickSteps = [{ name: 'only', kind: 'noop' }];
const stuckSteps = [{ name: 'only', kind: 'noop', pool: 'gpu' }];

const apply = async (name: string, schedule: object | object[] | undefined, steps: Record<string, unknown>[] = quickSteps): Promise<AnswerBody> =>
  (await api.as('author', { method: 'PUT', url: `/api/v1/pipelines/${name}`, payload: { ...stepsPipeline(name, steps), ...(schedule === undefined ? {} : { schedule }) } })).body;
const pathOf = (pipeline: string, name: string) => `/api/v1/schedules/${pipeline}/${name}`;
const show = async (pipeline: string, name = 'default'): Promise<AnswerBody> => (await api.as('viewer', { method: 'GET', url: pathOf(pipeline, name) })).body;
const act = (pipeline: string, what: string, payload: object = {}) => api.as('operator', { method: 'POST', url: `${pathOf(pipeline, 'default')}/${what}`, payload });
const until = (pipeline: string, what: (schedule: AnswerBody) => boolean, boundMs = 30_000, name = 'default'): Promise<AnswerBody> =>
  eventually(`the schedule of ${pipeline}`, async () => {
    const schedule = await show(pipeline, name);
    return schedule.live !== null && what(schedule) ? schedule : undefined;
  }, boundMs);
const temporal = (id: string) => orchestration.client.schedule.getHandle(id).describe();
const runsOf = (pipeline: string) => orchestration.test.database.selectFrom('runs').select(['run_id', 'started_at', 'finished_at', 'trigger']).where('pipeline', '=', pipeline).orderBy('started_at').execute();
const stop = async (pipeline: string): Promise<void> => void (await apply(pipeline, undefined));

describe('applying a pipeline', () => {
  it('makes its schedules in Temporal exactly as declared, changes and deletes them, and leaves those of others alone', async () => {
    const declared = [
      { name: 'nightly', cron: '30 2 * * *', timeZone: 'Europe/Berlin', overlap: 'bufferOne', jitterSeconds: 60, catchupSeconds: 600, pauseOnFailure: true, description: 'fresh data' },
      { name: 'often', everySeconds: 7_200, offsetSeconds: 600 },
    ];
    expect((await apply('declared', declared)).schedules).toEqual([{ name: 'nightly', change: 'created' }, { name: 'often', change: 'created' }]);
    const nightly = await temporal('schedule/declared/nightly');
    expect(nightly.policies).toEqual({ overlap: 'BUFFER_ONE', catchupWindow: 600_000, pauseOnFailure: true });
    expect(nightly.spec).toMatchObject({ timezone: 'Europe/Berlin', jitter: 60_000, calendars: [expect.objectContaining({ hour: [{ start: 2, end: 2, step: 1 }], minute: [{ start: 30, end: 30, step: 1 }] })] });
    expect(nightly.action).toMatchObject({ workflowType: 'scheduledTrigger', workflowId: 'tick/declared/nightly', taskQueue: 'workflows', args: [{ pipeline: 'declared', schedule: 'nightly', timeZone: 'Europe/Berlin', once: 'perLocalTime' }] });
    expect(nightly.searchAttributes).toMatchObject({ PerennialPipeline: ['declared'] });
    expect((await temporal('schedule/declared/often')).policies).toEqual({ overlap: 'SKIP', catchupWindow: 7_200_000, pauseOnFailure: false });
    expect((await temporal('schedule/declared/often')).spec.intervals).toEqual([{ every: 7_200_000, offset: 600_000 }]);

    const put = await api.as('author', { method: 'PUT', url: pathOf('declared', 'by-hand'), payload: { cron: '@weekly' } });
    expect([put.status, put.body.origin, put.body.synced]).toEqual([201, 'api', true]);
    await api.as('operator', { method: 'POST', url: `${pathOf('declared', 'nightly')}/pause`, payload: { reason: 'holidays' } });
    // A schedule takes its commands in order, but a moment after it has accepted them.
    await until('declared', (schedule) => schedule.live.paused, 30_000, 'nightly');
    // By hand in the Web UI: the next apply brings it back.
    await orchestration.client.schedule.getHandle('schedule/declared/nightly').update((previous) => ({ ...previous, policies: { ...previous.policies, overlap: 'ALLOW_ALL' } }));
    expect((await apply('declared', declared[0])).schedules).toEqual([{ name: 'nightly', change: 'unchanged' }, { name: 'often', change: 'deleted' }]);
    await expect.poll(async () => (await temporal('schedule/declared/nightly')).policies.overlap, { timeout: 30_000 }).toBe('BUFFER_ONE');
    expect((await show('declared', 'nightly')).live).toMatchObject({ paused: true, note: 'paused by the operator: holidays' });
    await expect(temporal('schedule/declared/often')).rejects.toThrow(/not found/i);
    expect((await api.as('viewer', { method: 'GET', url: '/api/v1/schedules?pipeline=declared' })).body.schedules.map((schedule: AnswerBody) => [schedule.name, schedule.origin])).toEqual([['by-hand', 'api'], ['nightly', 'pipeline']]);

    const refused = await api.as('author', { method: 'PUT', url: pathOf('declared', 'nightly'), payload: { cron: '@daily' } });
    expect([refused.status, refused.body.code]).toEqual([409, 'ScheduleDeclared']);
    expect((await api.as('author', { method: 'DELETE', url: pathOf('declared', 'nightly') })).body.code).toBe('ScheduleDeclared');
    expect((await api.as('author', { method: 'DELETE', url: pathOf('declared', 'by-hand') })).status).toBe(204);
    expect((await api.as('author', { method: 'DELETE', url: pathOf('declared', 'by-hand') })).body.code).toBe('ScheduleNotFound');
    expect((await apply('declared', undefined)).schedules).toEqual([{ name: 'nightly', change: 'deleted' }]);
  });

  it('refuses what no schedule can be, with the place and the mend', async () => {
    const wrong = await apply('wrong', { cron: '61 2 * * *', timeZone: 'Mars/Olympus' });
    expect(wrong.code).toBe('InvalidPipeline');
    expect(wrong.errors).toMatchObject([{ path: 'schedule.cron', message: expect.stringContaining('minute "61"') }, { path: 'schedule.timeZone', fix: expect.stringContaining('Europe/Berlin') }]);
    expect((await apply('wrong', { everySeconds: 60, overlap: 'skipp' })).errors).toMatchObject([{ path: 'schedule.overlap', fix: expect.stringContaining('"skip"') }]);
    expect((await api.as('author', { method: 'PUT', url: pathOf('nowhere', 'x'), payload: { cron: '@daily' } })).body.code).toBe('PipelineNotFound');
  });
});

describe('the command line', () => {
  it('creates, shows, pauses, resumes, fills in and deletes a schedule', async () => {
    await apply('typed', undefined);
    vi.stubEnv('PERENNIAL_API_KEY', await api.keyOf('author'));
    const written: string[] = [];
    const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
    const say = async (...words: string[]): Promise<string> => {
      written.length = 0;
      expect(await runCommandLine(['node', 'perennial', '--url', url, 'schedule', ...words])).toBe(0);
      return written.join('');
    };
    try {
      expect(await say('create', 'typed', 'nightly', '--cron', '0 6 * * *', '--time-zone', 'Europe/Berlin', '--overlap', 'bufferOne', '--jitter', '5m', '--catchup', '2h', '--pause-on-failure')).toMatch(/^typed\/nightly {2}active {2}cron 0 6 \* \* \* \(Europe\/Berlin\) {2}\(put by API\)/);
      expect((await temporal('schedule/typed/nightly')).policies).toEqual({ overlap: 'BUFFER_ONE', catchupWindow: 7_200_000, pauseOnFailure: true });
      expect(await say('pause', 'typed', 'nightly', '--reason', 'holidays')).toBe('paused typed/nightly\n');
      expect(await say('list', '--pipeline', 'typed')).toMatch(/typed +nightly +cron 0 6 .* paused/);
      expect(await say('backfill', 'typed', 'nightly', '--from', '2026-01-01T00:00:00Z', '--until', '2026-01-02T00:00:00Z')).toMatch(/^1 tick of typed\/nightly, from 2026-01-01T05:0[0-4]:/);
      expect(await say('resume', 'typed', 'nightly')).toBe('resumed typed/nightly\n');
      await eventually('the tick', async () => (/2026-01-01T05:00:00.000Z +ran +typed\./.test(await say('get', 'typed', 'nightly')) ? true : undefined));
      expect(JSON.parse(await say('get', 'typed', 'nightly', '--json'))).toMatchObject({ origin: 'api', live: { paused: false, taken: 1 }, ticks: [{ outcome: 'ran' }] });
      expect(await say('trigger', 'typed', 'nightly')).toMatch(/^one tick of typed\/nightly/);
      expect(await say('delete', 'typed', 'nightly')).toBe('deleted typed/nightly\n');
    } finally {
      stdout.mockRestore();
      vi.unstubAllEnvs();
    }
  });
});

describe.concurrent('the ticks of a schedule', () => {
  it('by Temporal\'s own calculation: summer time begins and ends, and a leap day comes', async () => {
    const engine = createScheduleEngine(orchestration.client);
    const nightly = { cron: '30 2 * * *', timeZone: 'Europe/Berlin' };
    await apply('calendar', [{ name: 'nightly', ...nightly }, { name: 'hourly', cron: '0 * * * *', timeZone: 'Europe/Berlin' }, { name: 'leap', cron: '0 6 29 2 *' }]);
    const ticks = (name: string, from: string, until: string) => engine.ticksBetween({ pipeline: 'calendar', name }, { from, until });
    // 02:30 is left out on the last Sunday of March; of the two in October it is the second.
    expect(await ticks('nightly', '2027-03-27T00:00:00Z', '2027-03-30T00:00:00Z')).toEqual(['2027-03-27T01:30:00.000Z', '2027-03-29T00:30:00.000Z']);
    expect(await ticks('nightly', '2026-10-24T12:00:00Z', '2026-10-26T12:00:00Z')).toEqual(['2026-10-25T01:30:00.000Z', '2026-10-26T01:30:00.000Z']);
    // By the clock of that day the hour exists once; an interval does not know clocks.
    expect(await ticks('hourly', '2026-10-24T23:30:00Z', '2026-10-25T03:30:00Z')).toEqual(['00', '02', '03'].map((hour) => `2026-10-25T${hour}:00:00.000Z`));
    expect(await ticks('leap', '2026-01-01T00:00:00Z', '2037-01-01T00:00:00Z')).toEqual(['2028-02-29T06:00:00.000Z', '2032-02-29T06:00:00.000Z', '2036-02-29T06:00:00.000Z']);
    await stop('calendar');
  });

  it('of a past period are filled in, each once', async () => {
    await apply('filled', { cron: '0 6 * * *' });
    await act('filled', 'pause');
    const period = { from: '2026-01-01T00:00:00Z', until: '2026-01-03T06:00:00Z' };
    expect((await act('filled', 'backfill', period)).body).toMatchObject({ ticks: 3, first: '2026-01-01T06:00:00.000Z', last: '2026-01-03T06:00:00.000Z' });
    const filled = await until('filled', ({ live, ticks }) => live.taken === 3 && live.running.length === 0 && ticks.length === 3);
    expect(filled.ticks.map((tick: AnswerBody) => [tick.at, tick.outcome])).toEqual([3, 2, 1].map((day) => [`2026-01-0${day}T06:00:00.000Z`, 'ran']));
    await act('filled', 'backfill', period);
    await until('filled', ({ live }) => live.taken === 6 && live.running.length === 0);
    const runs = await runsOf('filled');
    expect(runs).toHaveLength(3);
    const run = (await api.as('viewer', { method: 'GET', url: `/api/v1/runs/${runs[0]?.run_id}` })).body;
    expect(run.reasons).toMatchObject([{ kind: 'schedule', reason: 'the schedule default at 2026-01-01T06:00:00Z', events: 1, started: true }]);
    expect((await act('filled', 'backfill', { from: '2026-01-01T00:00:00Z', until: '2026-01-01T01:00:00Z' })).body.errors).toMatchObject([{ path: 'from' }]);
    expect((await act('filled', 'trigger')).status).toBe(202);
    await until('filled', ({ live, ticks }) => live.taken === 7 && ticks.length === 4);
    await stop('filled');
  });

  it('are skipped while a run is not over, and counted; a failed run pauses the schedule', async () => {
    await apply('slow', { everySeconds: 1, pauseOnFailure: true }, [{ ...stuckSteps[0], scheduleToStartSeconds: 6 }]);
    const busy = await until('slow', ({ live }) => live.skippedByOverlap >= 3);
    expect(busy.live).toMatchObject({ taken: 1, missedCatchup: 0, paused: false });
    expect(busy.ticks.length).toBeLessThanOrEqual(1);
    const paused = await until('slow', ({ live }) => live.paused);
    expect(paused.live.note).toMatch(/^paused due to workflow failure: tick\/slow\/default-.*: the run slow\..* failed$/);
    expect(await runsOf('slow')).toHaveLength(1);
    expect((await act('slow', 'resume')).status).toBe(202);
    await until('slow', ({ live }) => live.taken === 2);
    await stop('slow');
  });

});

describe('a schedule over an outage', () => {
  it('makes up for the ticks that a stopped server missed by one run at most', async () => {
    const { test, client } = orchestration;
    const patient = api;
    // As the API process is; that of the other tests outlasts a busy machine.
    api = await createTestApi(test, client, { schedules: { rows: createScheduleRows(test.database), engine: createScheduleEngine(client, { deadlineMs: 4_000 }) } });
    await patient.app.close();
    await apply('outage', { everySeconds: 1, catchupSeconds: 600 });
    await until('outage', ({ live }) => live.taken >= 2);
    const before = (await show('outage')).live;
    await orchestration.processes.pause('temporal');
    const gone = Date.now();
    expect((await apply('outage', { everySeconds: 2, catchupSeconds: 600 })).warnings).toMatchObject([expect.stringContaining('Temporal does not answer')]);
    expect((await show('outage')).degraded).toMatch(/Temporal does not answer/);
    await eventually('ten intervals', async () => (Date.now() - gone > 10_000 ? true : undefined));
    await orchestration.processes.resume('temporal');
    const caughtUp = await until('outage', ({ synced, live }) => synced && live !== null && live.taken > before.taken, 90_000);
    expect((await temporal('schedule/outage/default')).spec.intervals?.[0]?.every).toBe(2_000);
    await stop('outage');
    expect(caughtUp.live.skippedByOverlap).toBeGreaterThanOrEqual(before.skippedByOverlap);
    const runs = await runsOf('outage');
    const during = runs.filter(({ started_at: at }) => at.getTime() > gone && at.getTime() < gone + 10_000);
    expect(during).toHaveLength(0);
    const ended = runs.every((run, index) => index === 0 || (runs[index - 1]?.finished_at?.getTime() ?? Infinity) <= run.started_at.getTime());
    expect(ended).toBe(true);
  });
});
