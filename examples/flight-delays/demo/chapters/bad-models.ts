/** Point 4: two bad challengers. One is refused by the gate; one passes every offline check, fails live, and is rolled back by itself. */
import { join } from 'node:path';
import { championVersion, historyOf, rolloutRows, servedBy, splitsOf, versionRows } from '../evidence.ts';
import { deliverMonths, EXAMPLE_FOLDER, loadPipeline, type FlightDelaysPipeline } from '../pipeline.ts';
import { followRun, startRun, trafficDuringRollout } from '../runs.ts';
import type { Point, Stage } from '../stage.ts';

export type Refusal = { ok: boolean; evidence: Record<string, unknown> };

/** Joins the weather by the wrong clock: names, types and checks are right, the model is worse. */
export const refusedByGate = async (stage: Stage): Promise<Refusal> => {
  stage.say('4b. A challenger with a broken feature is refused by the gate');
  const before = await championVersion(stage);
  const runId = await startRun(stage, loadPipeline(stage.arrivals, { sqlFile: 'features-broken.sql' }), 'broken-feature');
  const run = await followRun(stage, runId);
  const [history, versions, champion] = await Promise.all([historyOf(stage, run.workflowId), versionRows(stage), championVersion(stage)]);
  const registered = versions.some(({ run_id }) => run_id === runId);
  for (const reason of run.outcome?.kind === 'rejected' ? run.outcome.reasons : []) stage.say(`  ${reason}`);
  return {
    ok: run.state === 'rejected' && history.status === 'COMPLETED' && !registered && champion === before,
    evidence: { runId, outcome: run.outcome, registered, champion },
  };
};

/** The example's lookup_table.py: its graph knows only values that occur in the judged rows. */
const lookupPipeline = (stage: Stage): FlightDelaysPipeline => {
  const pipeline = loadPipeline(stage.arrivals);
  const command = [stage.stack.config.python, join(EXAMPLE_FOLDER, 'trainers', 'lookup_table.py')];
  return { ...pipeline, train: { ...pipeline.train, trainer: { command }, params: { ...pipeline.train.params, lookupColumn: 'humid' } } };
};

export const rolledBackLive = async (stage: Stage): Promise<Refusal> => {
  stage.say('4a. A challenger that passes offline errs on values it has never seen: rolled back by itself, while stable answers in its place');
  const failedBefore = stage.traffic.counts.failed;
  const before = await championVersion(stage);
  deliverMonths(stage.arrivals, ['2013-05']);
  const live = trafficDuringRollout(stage, await stage.rows('2013-06', 4_000));
  const runId = await startRun(stage, lookupPipeline(stage), 'lookup-table');
  const run = await followRun(stage, runId, live.onView);
  await live.stop();
  const [versions, champion, rollouts] = await Promise.all([versionRows(stage), championVersion(stage), rolloutRows(stage)]);
  const version = versions.find(({ run_id }) => run_id === runId)?.version;
  const rollout = rollouts.find((row) => row.version === version);
  const splits = rollout === undefined ? [] : await splitsOf(stage, rollout.rollout_id);
  const served = version === undefined ? undefined : await servedBy(stage, version);
  const clientFailures = stage.traffic.counts.failed - failedBefore;
  if (rollout?.outcome?.reason !== undefined) stage.say(`  ${rollout.outcome.reason}; ${served?.fallbacks} canary answers came from stable, ${clientFailures} client requests failed`);
  const last = splits.at(-1)?.split;
  return {
    ok: run.state === 'rolledBack' && rollout?.outcome?.kind === 'rolledBack' && champion === before && last?.canary === null && last.stable === before && (served?.failures ?? 0) > 0 && clientFailures === 0,
    evidence: { runId, version, outcome: rollout?.outcome, served, splits: splits.map(({ split }) => split), champion, clientFailures },
  };
};

/** Both together are the fourth point. */
export const badModelsPoint = (live: Refusal, gate: Refusal): Point => ({ name: 'bad', ok: gate.ok && live.ok, evidence: { gate: gate.evidence, live: live.evidence } });
