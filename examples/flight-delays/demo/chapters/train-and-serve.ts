/** Points 1 and 2: the first model from January to March, judged on April; then real rows of May, with their truth later. */
import { deliverMonths, loadPipeline } from '../pipeline.ts';
import { championVersion, historyOf, servedBy, versionRows } from '../evidence.ts';
import { followRun, startRun } from '../runs.ts';
import { sendLabels, type Point, type Stage } from '../stage.ts';

export const trainFirstModel = async (stage: Stage): Promise<Point> => {
  stage.say('1. Train on January to March, judge on April');
  deliverMonths(stage.arrivals, ['2013-01', '2013-02', '2013-03', '2013-04']);
  const runId = await startRun(stage, loadPipeline(stage.arrivals), 'first-model');
  const run = await followRun(stage, runId);
  const [history, versions, champion] = await Promise.all([historyOf(stage, run.workflowId), versionRows(stage), championVersion(stage)]);
  const first = versions[0];
  const ok =
    history.status === 'COMPLETED' &&
    ['ingest', 'check', 'features', 'train', 'evaluate', 'register'].every((activity) => history.activities.includes(activity)) &&
    first?.version === 1 &&
    first.run_id === runId &&
    (first.evaluation.parity?.largestDifference ?? 1) <= 1e-5 &&
    champion === 1;
  return {
    name: 'train',
    ok,
    evidence: { runId, workflow: history.status, champion, modelSha256: first?.model_sha256, candidate: first?.evaluation.candidate, parity: first?.evaluation.parity, lineage: first?.lineage },
  };
};

export const serveMay = async (stage: Stage): Promise<Point> => {
  stage.say('2. Serve real rows of May over V2; the truth comes later');
  const before = stage.traffic.counts.sent;
  const answered = await stage.traffic.sendAll(await stage.rows('2013-05', 3_000), 16);
  const stored = await sendLabels(stage, answered);
  const distinctIds = new Set(answered.map(({ inferenceId }) => inferenceId)).size;
  const served = await servedBy(stage, 1);
  stage.say(`  ${answered.length} answers, each with its version and inference id; ${stored} labels sent`);
  const ok = answered.length === 3_000 && distinctIds === 3_000 && answered.every(({ version }) => version === 1) && stored === 3_000;
  return { name: 'serve', ok, evidence: { sent: stage.traffic.counts.sent - before, answered: answered.length, distinctIds, labels: stored, countedByGateways: served } };
};
