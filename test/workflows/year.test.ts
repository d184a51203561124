/**
 * A year of the whole loop on the time-skipping server: daily windows, labels 14 days late, weekly ticks, cool-down, budget, a drift storm. What the world does is
 * simple enough that a few lines say what every decision must be; the ledger's rows are compared with them, one by one.
 */
import { activityInfo } from '@temporalio/activity';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { championChangedSignal } from '../../contracts/messages.ts';
import { tickWorkflowId } from '../../contracts/ids.ts';
import { MonitorSpec, type MonitorWindow } from '../../contracts/monitor.ts';
import { taskQueueOf, WORKFLOWS_POOL } from '../../contracts/queues.ts';
import { evaluationReport, monitorWindow } from './support/artifacts.ts';
import { startEnvironment, type Environment } from './support/environment.ts';
import type { DriverInput } from './support/schedule-driver.ts';
import { modelPipeline } from './support/specs.ts';
import type { Scenario } from './support/world.ts';

const NAME = 'year';
const DAYS = 365;
const DAY_MS = 86_400_000;
const LABEL_DELAY = 14;
const STORM_DAY = 150;
/** Not whole days, so that no decision hangs on seconds. */
const COOLDOWN_DAYS = 13.5;
const PERIOD_DAYS = 29.6;
const RUNS_PER_PERIOD = 6;

/** A promotion takes a quarter of a day: then looks, ticks and the ends of runs never fall together. */
const ROLLOUT_SECONDS = 21_600;

/** The world changes twice. A model knows the season of the newest labels that its training saw. */
const seasonOf = (day: number): number => (day < 100 ? 0 : day < 200 ? 1 : 2);
const learnedOn = (day: number): number => seasonOf(Math.floor(day) - LABEL_DELAY);

let environment: Environment;
beforeAll(async () => {
  environment = await startEnvironment();
});
afterAll(() => environment.stop());

type Truth = { startMs: number; closed: Map<string, number>; learned: number[] };

const dayNow = ({ startMs }: Truth): number => (activityInfo().scheduledTimestampMs - startMs) / DAY_MS;

/** Season by version: version 1 was trained before the year. */
const knows = ({ learned }: Truth, version: number): number => learned[version - 1] ?? 0;

const windowOf = (truth: Truth, { window, version, day, labelled }: { window: number; version: number; day: number; labelled: boolean }): MonitorWindow => {
  const isOld = seasonOf(day) !== knows(truth, version);
  const quality = labelled ? (isOld ? 0.6 : 0.76) : null;
  return monitorWindow(window, version, { drifted: isOld, driftScore: isOld ? 0.5 : 0, quality, labelled: labelled ? 1_000 : 0, qualityDropped: labelled && isOld });
};

const storm = (): Promise<unknown> =>
  Promise.all(
    Array.from({ length: 1_000 }, (_, index) =>
      environment.submitTrigger(NAME, { id: `storm/${index}`, kind: 'drift', reason: 'a storm', at: '2026-01-01T00:00:00Z', source: 'elsewhere' }),
    ),
  );

/** One look: the labels of the window of 14 days ago, and today's window. */
const look = async (truth: Truth, { version, nextWindow }: { version: number; nextWindow: number }) => {
  const day = Math.round(dayNow(truth));
  truth.closed.set(`${version}/${nextWindow}`, day);
  const labelled = [...truth.closed].find(([key, closedOn]) => key.startsWith(`${version}/`) && closedOn === day - LABEL_DELAY);
  const late = labelled === undefined ? [] : [windowOf(truth, { window: Number(labelled[0].split('/')[1]), version, day: labelled[1], labelled: true })];
  if (day === STORM_DAY) await storm();
  return { nextWindow: nextWindow + 1, changed: [...late, windowOf(truth, { window: nextWindow, version, day, labelled: false })] };
};

const pipeline = modelPipeline(NAME, {
  rollout: { steps: [{ weight: 100, seconds: ROLLOUT_SECONDS, minimumRequests: 0, maximumSeconds: 2 * ROLLOUT_SECONDS }], analysis: { intervalSeconds: 3_600 } },
  alerts: { on: ['drift'], receivers: ['team'], escalateAfterSeconds: 172_800, resolveAfterSeconds: 3_600 },
  triggers: { drift: true, quality: true, cooldownSeconds: COOLDOWN_DAYS * 86_400, budget: { periodSeconds: PERIOD_DAYS * 86_400, runs: RUNS_PER_PERIOD } },
});

const monitor = MonitorSpec.parse({ everySeconds: 86_400 });

const scenarioOf = (truth: Truth): Scenario => {
  const scenario: Scenario = environment.world.scenario(NAME, {
    spec: pipeline,
    overrides: {
      evaluateMonitorWindows: (input) => look(truth, input),
      // The gate: a model is better than the champion only when it learned another season.
      evaluate: async () => {
        const isBetter = learnedOn(dayNow(truth)) !== truth.learned.at(-1);
        return { ...evaluationReport, candidate: { ...evaluationReport.candidate, rocAuc: isBetter ? 0.76 : 0.6 } };
      },
      register: async () => ({ model: NAME, version: truth.learned.push(learnedOn(dayNow(truth))) }),
      monitorSpecOf: async () => ({ pipeline: NAME, spec: monitor }),
      startMonitor: async ({ version }) => {
        await environment.client.workflow.getHandle(`monitor/${NAME}`).signal(championChangedSignal, { version, pipeline: NAME, spec: monitor });
      },
    },
  });
  let isAlerted = false;
  scenario.overrides.alertOnWindows = async ({ version }) => {
    const newest = [...truth.closed].filter(([key]) => key.startsWith(`${version}/`)).at(-1);
    const firing = newest !== undefined && seasonOf(newest[1]) !== knows(truth, version);
    if (newest === undefined || (!firing && !isAlerted)) return;
    isAlerted = firing;
    const at = new Date(activityInfo().scheduledTimestampMs).toISOString();
    await environment.reportAlert({ model: NAME, kind: 'drift', subject: 'champion', pipeline: NAME, policy: pipeline.alerts }, { id: newest[0], firing, reason: 'the season', at });
  };
  scenario.connected = true;
  scenario.facts = () => {
    const since = activityInfo().scheduledTimestampMs - PERIOD_DAYS * DAY_MS;
    return { spent: { runs: scenario.runsBegunAtMs.filter((at) => at > since).length, trainSeconds: 0 } };
  };
  return scenario;
};

const driveSchedule = async (input: DriverInput) => {
  const workflowsPath = fileURLToPath(new URL('support/schedule-driver.ts', import.meta.url));
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
  const worker = await Worker.create({ connection: environment.temporal.nativeConnection, taskQueue: 'schedule-driver', workflowBundle });
  const running = worker.run();
  const handle = await environment.client.workflow.start('scheduleDriver', { taskQueue: 'schedule-driver', workflowId: 'schedule-driver', args: [input] });
  return {
    handle,
    stop: async () => {
      worker.shutdown();
      await running;
    },
  };
};

const STORM = 'storm';

type Decision = { day: number; kind: string; outcome: string };

type Play = { decisions: Decision[]; learned: number[]; unbeaten: number[]; runs: number[]; lastAutomatic: number; lookAt: number; closedOn: Set<number> };

/** A run that promotes leaves the looks at the time of day at which its rollout ended, because a new champion is looked at at once. */
const playRun = (play: Play, at: number): void => {
  play.runs.push(at);
  const isBetter = learnedOn(at) !== play.learned.at(-1);
  play.unbeaten.push(isBetter ? 0 : (play.unbeaten.at(-1) ?? 0) + 1);
  if (isBetter) Object.assign(play, { learned: [...play.learned, learnedOn(at)], lookAt: at + ROLLOUT_SECONDS / 86_400, closedOn: new Set() });
};

const decide = (play: Play, at: number, kind: Decision['kind']): void => {
  const isAutomatic = kind !== 'schedule';
  const isBroke = play.runs.filter((begun) => begun > at - PERIOD_DAYS).length >= RUNS_PER_PERIOD;
  const outcome = isAutomatic && at - play.lastAutomatic < COOLDOWN_DAYS ? 'cool-down' : isBroke ? 'the budget' : 'ran';
  play.decisions.push({ day: at, kind, outcome });
  if (outcome !== 'ran') return;
  if (isAutomatic) play.lastAutomatic = at;
  playRun(play, at);
};

const playLook = (play: Play): void => {
  const at = play.lookAt;
  const day = Math.round(at);
  const champion = play.learned.at(-1);
  play.lookAt = at + 1;
  play.closedOn.add(day);
  const findings: Decision['kind'][] = [];
  if (play.closedOn.has(day - LABEL_DELAY) && seasonOf(day - LABEL_DELAY) !== champion) findings.push('quality');
  if (seasonOf(day) !== champion) findings.push('drift');
  if (day === STORM_DAY) decide(play, at, STORM);
  // A finding that comes with the one that has started a run is coalesced into it.
  for (const kind of findings) {
    const last = play.decisions.at(-1);
    if (last?.day === at && last.outcome === 'ran') play.decisions.push({ day: at, kind, outcome: 'coalesced' });
    else decide(play, at, kind);
  }
};

/** What must happen, from the world and the policy alone, event by event. */
const expected = (tickDays: number[]): Play => {
  const play: Play = { decisions: [], learned: [0], unbeaten: [], runs: [], lastAutomatic: -Infinity, lookAt: 1, closedOn: new Set() };
  const ticks = [...tickDays];
  while (play.lookAt < DAYS + 0.05 || ticks.length > 0) {
    const [tick = Infinity] = ticks;
    if (play.lookAt <= tick) playLook(play);
    else decide(play, ticks.shift() ?? 0, 'schedule');
  }
  return play;
};

it('decides a year as its policy says', async () => {
  const startMs = await environment.temporal.currentTimeMs();
  const truth: Truth = { startMs, closed: new Map(), learned: [0] };
  const scenario = scenarioOf(truth);
  // Every seven days from the epoch, moved so that ticks lie between looks: what the interval 604800 s with this offset gives.
  const startSeconds = Math.floor(startMs / 1_000);
  const times = Array.from({ length: 52 }, (_, week) => new Date((startSeconds + 43_200 + week * 604_800) * 1_000).toISOString().replace('.000Z', 'Z'));
  const tick = { pipeline: NAME, schedule: 'weekly', timeZone: 'UTC', once: 'perInstant' } as const;
  const driver = await driveSchedule({ tick, workflowId: tickWorkflowId(NAME, 'weekly'), taskQueue: taskQueueOf(WORKFLOWS_POOL), times });
  const watching = await environment.startMonitor({ model: NAME, pipeline: NAME, version: 1, spec: monitor });
  // In parts: a call that stays open for minutes on a busy machine is cut by the server.
  for (let part = 0; part < 73; part += 1) await environment.temporal.sleep('5 days');
  await environment.temporal.sleep('1 hour');
  await environment.client.workflow.getHandle(watching.workflowId).terminate();
  await driver.stop();
  const play = expected(times.map((time) => (Date.parse(time) - startMs) / DAY_MS));
  const rows = [...scenario.triggers.values()].filter(({ trigger }) => !trigger.id.startsWith('storm/'));
  const seen = rows.map(({ trigger, outcome }) => ({
    day: (Date.parse(trigger.at) - startMs) / DAY_MS,
    kind: trigger.kind,
    outcome: outcome.outcome === 'rejected' ? (/^(cool-down|the budget)/.exec(outcome.reason)?.[0] ?? outcome.reason) : outcome.outcome,
  }));
  const quarters = (all: Decision[]) => all.map(({ day, kind, outcome }) => `${(Math.round(day * 4) / 4).toFixed(2)} ${kind} ${outcome}`);
  const storms = [...scenario.triggers.values()].filter(({ trigger }) => trigger.id.startsWith('storm/')).map(({ outcome }) => outcome.outcome);
  expect(quarters(seen)).toEqual(quarters(play.decisions.filter(({ kind }) => kind !== STORM)));
  expect(truth.learned).toEqual(play.learned);
  expect(scenario.retrains.map((retrain) => retrain.unbeaten)).toEqual(play.unbeaten);
  expect(storms).toHaveLength(1_000);
  expect(storms.filter((outcome) => outcome === 'ran')).toHaveLength(play.decisions.find(({ kind }) => kind === STORM)?.outcome === 'ran' ? 1 : 0);
  expect(scenario.messages.map(({ alert }) => alert.state)).toEqual(['open', 'escalated', 'resolved', 'open', 'escalated', 'resolved']);
  // Each rule was met in the year.
  for (const met of ['drift ran', 'drift cool-down', 'drift coalesced', 'quality ran', 'schedule ran', 'schedule the budget']) expect(quarters(seen).join('\n')).toContain(met);
}, 600_000);
