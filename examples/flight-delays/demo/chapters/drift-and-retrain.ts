/** Point 5: summer comes. The monitor sees the drift, then, from labels that come late, the drop in quality; the ledger starts a retrain. */
import { setTimeout as pause } from 'node:timers/promises';
import { championVersion, historyOf, monitorRows, promotionCount, triggerRows, versionRows, type TriggerRow, type WindowRow } from '../evidence.ts';
import { deliverMonths, loadPipeline } from '../pipeline.ts';
import { followRun, trafficDuringRollout } from '../runs.ts';
import { MODEL, sendLabels, type Point, type Stage } from '../stage.ts';

const BOUND_MS = 60_000;

/** Waits for a row that the systems write on their own; says what was awaited when it does not come. */
const awaitRow = async <T>(what: string, find: () => Promise<T | undefined>): Promise<T> => {
  const until = Date.now() + BOUND_MS;
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    if (Date.now() > until) throw new Error(`${what} did not come within ${BOUND_MS / 1_000} s`);
    await pause(250);
  }
};

const fixed = (number: number | null): string => (number === null ? 'unknown' : number.toFixed(3));

const announceData = (stage: Stage): Promise<unknown> =>
  stage.api.event({ specversion: '1.0', id: 'summer-2013', source: '/demo', type: 'perennial.data.arrived', subject: MODEL, data: { months: ['2013-06', '2013-07'] } });

const seeDrift = async (stage: Stage, champion: number): Promise<WindowRow> => {
  const window = await awaitRow('a drifted window', async () => (await monitorRows(stage)).find(({ version, report }) => version === champion && report.drifted));
  stage.say(`  drift in window ${window.window_number}: ${(window.report.driftScore * 100).toFixed(0)} % of the columns`);
  return window;
};

const seeTrigger = async (stage: Stage): Promise<TriggerRow & { run_id: string }> => {
  const trigger = await awaitRow('a retrain in the ledger', async () => (await triggerRows(stage)).find(({ kind, outcome, run_id }) => kind === 'quality' && outcome === 'ran' && run_id !== null));
  stage.say(`  the ledger starts ${trigger.run_id}: ${trigger.reason}`);
  return { ...trigger, run_id: trigger.run_id ?? '' };
};

export const driftAndRetrain = async (stage: Stage): Promise<Point> => {
  stage.say('5. Summer: rows of July are served, the partitions of June and July arrive, the truth comes late');
  const before = (await championVersion(stage)) ?? 0;
  // The author takes the broken feature back: a retrain runs the pipeline as it is then.
  await stage.api.put(`/pipelines/${MODEL}`, loadPipeline(stage.arrivals));
  deliverMonths(stage.arrivals, ['2013-06', '2013-07']);
  const july = await stage.traffic.sendAll(await stage.rows('2013-07', 10_000), 16);
  const drift = await seeDrift(stage, before);
  await announceData(stage);
  stage.say(`  ${await sendLabels(stage, july)} labels of July`);
  const trigger = await seeTrigger(stage);
  const live = trafficDuringRollout(stage, await stage.rows('2013-08', 4_000));
  const run = await followRun(stage, trigger.run_id, live.onView);
  await live.stop();
  const [versions, champion, windows, triggers, history] = await Promise.all([versionRows(stage), championVersion(stage), monitorRows(stage), triggerRows(stage), historyOf(stage, run.workflowId)]);
  const version = versions.find(({ run_id }) => run_id === trigger.run_id);
  const dropped = windows.find(({ version: judged, report }) => judged === before && report.qualityDropped);
  const automatic = triggers.filter(({ outcome }) => outcome === 'ran');
  stage.say(`  ROC AUC live ${fixed(dropped?.report.quality ?? null)} against ${fixed(dropped?.report.judgedQuality ?? null)} when it was judged; retrained ${fixed(version?.evaluation.candidate.rocAuc ?? null)} on July`);
  const promotions = version === undefined ? 0 : await promotionCount(stage, version.version);
  return {
    name: 'drift',
    ok: run.state === 'succeeded' && history.status === 'COMPLETED' && dropped !== undefined && version?.trigger.kind === 'quality' && champion === version.version && promotions === 1,
    evidence: { drift: drift.report, quality: dropped?.report, trigger, automaticRuns: automatic.length, version: version?.version, candidate: version?.evaluation.candidate, comparisons: version?.evaluation.comparisons, champion, promotions },
  };
};
