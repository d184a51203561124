/** Points 3 and 6: a challenger goes live step by step on rows of June, while everything but the gateways is killed in the middle. */
import { setTimeout as pause } from 'node:timers/promises';
import { historyOf, championVersion, promotionCount, rolloutRows, splitsOf, versionRows } from '../evidence.ts';
import { loadPipeline } from '../pipeline.ts';
import { followRun, startRun, trafficDuringRollout } from '../runs.ts';
import { MODEL, type Point, type Stage } from '../stage.ts';
import { rolloutWorkflowId } from '../../../../contracts/ids.ts';

type Deployment = { generation: number; split: { canaryWeight: number }; rollout: { status?: { step: number } } | null };

/** Everything that is not a gateway and not the database, at once, with SIGKILL. */
const VICTIMS = ['worker-workflows', 'worker-data', 'worker-cpu', 'worker-gpu', 'api', 'temporal'];

type Strike = { killed: string[]; at: Deployment; answeredMeanwhile: number };

/** Resolves when the supervisor has started another process in the place of the killed one, and it is ready. */
const killAndAwait = async ({ stack: { processes } }: Stage, victim: string): Promise<void> => {
  const before = processes.pid(victim);
  processes.kill(victim, 'SIGKILL');
  while (processes.pid(victim) === before || processes.pid(victim) === undefined) await pause(20);
  await processes.waitReady(victim);
};

/** Kills at the first sight of the wanted weight and waits until all is back; the supervisor starts what died. */
const strikeAt = (stage: Stage, weight: number): { onView: () => Promise<void>; strike: () => Strike | undefined } => {
  let done: Strike | undefined;
  return {
    strike: () => done,
    onView: async () => {
      if (done !== undefined) return;
      const deployment = await stage.api.get<Deployment>(`/models/${MODEL}/deployment`);
      if (deployment.split.canaryWeight !== weight) return;
      const sentBefore = stage.traffic.counts.sent;
      stage.say(`  the canary has ${weight} %: kill -9 of ${VICTIMS.join(', ')}`);
      done = { killed: VICTIMS, at: deployment, answeredMeanwhile: 0 };
      await Promise.all(VICTIMS.map((victim) => killAndAwait(stage, victim)));
      done.answeredMeanwhile = stage.traffic.counts.sent - sentBefore;
      stage.say(`  all are back; the gateways answered ${done.answeredMeanwhile} requests meanwhile, ${stage.traffic.counts.failed} failed so far`);
    },
  };
};

export const canaryAndSurvive = async (stage: Stage): Promise<Point[]> => {
  stage.say('3. Canary: a challenger from January to April, judged on May beside the champion, goes live on rows of June');
  const live = trafficDuringRollout(stage, await stage.rows('2013-06', 4_000));
  const failedBefore = stage.traffic.counts.failed;
  const chaos = strikeAt(stage, 25);
  const runId = await startRun(stage, loadPipeline(stage.arrivals), 'challenger');
  const run = await followRun(stage, runId, async (view) => {
    live.onView(view);
    await chaos.onView();
  });
  const answered = await live.stop();
  const [versions, champion, rollouts] = await Promise.all([versionRows(stage), championVersion(stage), rolloutRows(stage)]);
  const version = versions.find(({ run_id }) => run_id === runId);
  const rollout = rollouts.find((row) => row.version === version?.version);
  const splits = rollout === undefined ? [] : await splitsOf(stage, rollout.rollout_id);
  const weights = splits.filter(({ split }) => split.canary !== null).map(({ split }) => split.canaryWeight);
  const promotions = version === undefined ? 0 : await promotionCount(stage, version.version);
  const canaryAnswers = answered.filter((answer) => answer.version === version?.version).length;
  const comparison = version?.evaluation.comparisons[0];
  const canary: Point = {
    name: 'canary',
    ok: run.state === 'succeeded' && champion === version?.version && rollout?.outcome?.kind === 'promoted' && weights.join() === '5,25,50,100' && promotions === 1 && canaryAnswers > 0,
    evidence: { runId, version: version?.version, champion, comparison, weights, promotions, canaryAnswers, outcome: rollout?.outcome },
  };
  return [canary, await survivalPoint(stage, { strike: chaos.strike(), weights, rolloutId: rollout?.rollout_id, failed: stage.traffic.counts.failed - failedBefore })];
};

/** The same workflow execution ran to its end, made each step once, and no client saw a failure. */
const survivalPoint = async (stage: Stage, seen: { strike: Strike | undefined; weights: number[]; rolloutId: string | undefined; failed: number }): Promise<Point> => {
  const execution = seen.rolloutId?.slice(MODEL.length + 1);
  const history = execution === undefined ? undefined : await historyOf(stage, rolloutWorkflowId(MODEL), execution);
  const everyStepOnce = new Set(seen.weights).size === seen.weights.length && seen.weights.length === 4;
  return {
    name: 'survive',
    ok: seen.strike !== undefined && seen.strike.answeredMeanwhile > 0 && seen.failed === 0 && everyStepOnce && history?.status === 'COMPLETED',
    evidence: { killed: seen.strike?.killed, atWeight: seen.strike?.at.split.canaryWeight, answeredMeanwhile: seen.strike?.answeredMeanwhile, failed: seen.failed, weights: seen.weights, rollout: history?.status, events: history?.events },
  };
};
