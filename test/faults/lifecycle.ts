/** The lifecycle that a fault trial disturbs: train, deploy, serve, challenge, promote, try the old version and take it back, with clients that never stop. */
import { setTimeout as pause } from 'node:timers/promises';
import { createApiClient, type ApiClient } from '../../examples/flight-delays/demo/api-client.ts';
import { createGatewayClient } from '../../examples/flight-delays/demo/gateway-client.ts';
import { createTraffic, type Answered, type LabelledRow, type Traffic } from '../../examples/flight-delays/demo/traffic.ts';
import type { Stack } from '../../deploy/local/stack.ts';

export type LifecycleResult = {
  acceptedRuns: string[];
  answered: Answered[];
  sent: number;
  failed: number;
  failures: string[];
  /** How each run ended, and then the operator's rollout, as the API tells it. */
  ends: string[];
  seconds: number;
};

export type LifecycleInput = {
  stack: Stack;
  /** Pipeline (and model) name: new for each trial. */
  name: string;
  /** The pipeline of the first run and of the challenger. */
  pipelines: [unknown, unknown];
  rows: LabelledRow[];
  perSecond: number;
  /** Bound on each run, in milliseconds: past it the run counts as lost. */
  runBoundMs: number;
};

type RunView = { state: string };
type Challenge = { runId: string; end: string; answered: Answered[] };

/** Looks again and again until what is seen will do, or the bound is reached; gives what was seen last. */
const lookUntil = async <View>(look: () => Promise<View>, isDone: (view: View) => boolean, boundMs: number): Promise<View> => {
  for (const until = Date.now() + boundMs; ; await pause(200)) {
    const view = await look();
    if (isDone(view) || Date.now() > until) return view;
  }
};

/** Waits until a run has ended; gives up at the bound and says where it stood. */
const awaitRun = async (api: ApiClient, runId: string, boundMs: number): Promise<string> => {
  const { state } = await lookUntil(() => api.get<RunView>(`/runs/${runId}`), (run) => run.state !== 'running', boundMs);
  return state === 'running' ? `still running after ${boundMs} ms` : state;
};

/** Applies the pipeline and starts a run of it; `key` makes the start safe to send again. */
const startRun = async (api: ApiClient, { name, pipeline, key }: { name: string; pipeline: unknown; key: string }): Promise<string> => {
  await api.put(`/pipelines/${name}`, pipeline);
  return (await api.post<{ runId: string }>(`/pipelines/${name}/runs`, {}, key)).runId;
};

/** Sends rows until the challenger's run has ended, so that a rollout under way always has requests to judge. */
const challenge = async (input: LifecycleInput, api: ApiClient, traffic: Traffic): Promise<Challenge> => {
  const sender = traffic.start(input.rows, input.perSecond);
  try {
    const runId = await startRun(api, { name: input.name, pipeline: input.pipelines[1], key: `${input.name}-2` });
    const end = await awaitRun(api, runId, input.runBoundMs);
    return { runId, end, answered: await sender.stop() };
  } catch (error) {
    await sender.stop();
    throw error;
  }
};

type DeploymentView = { split: { canary: number | null }; rollout: { rolloutId: string; outcome: { kind: string } | null } | null };

const awaitDeployment = async (api: ApiClient, { name, runBoundMs }: LifecycleInput, isDone: (view: DeploymentView) => boolean): Promise<DeploymentView> => {
  const view = await lookUntil(() => api.get<DeploymentView>(`/models/${name}/deployment`), isDone, runBoundMs);
  if (!isDone(view)) throw new Error(`the deployment stayed ${JSON.stringify(view)} for ${runBoundMs} ms`);
  return view;
};

/** An operator sends a quarter of the requests to the first version again, then thinks better of it: all of them must return to the champion. */
const changeOfMind = async (input: LifecycleInput, api: ApiClient, traffic: Traffic): Promise<Omit<Challenge, 'runId'>> => {
  const sender = traffic.start(input.rows, input.perSecond);
  const path = `/models/${input.name}`;
  try {
    const plan = { steps: [{ weight: 25, seconds: 3_600 }, { weight: 100, seconds: 1 }], deadlineMs: 5_000 };
    const { rolloutId } = await api.post<{ rolloutId: string }>(`${path}/rollouts`, { version: 1, ...plan }, `${input.name}-3`);
    await awaitDeployment(api, input, ({ split, rollout }) => split.canary === 1 || (rollout?.rolloutId === rolloutId && rollout.outcome !== null));
    await api.post(`${path}/rollout/abort`, { reason: 'a change of mind' }, `${input.name}-4`);
    const { rollout } = await awaitDeployment(api, input, (view) => view.rollout?.rolloutId === rolloutId && view.rollout.outcome !== null);
    return { end: rollout?.outcome?.kind ?? 'unknown', answered: await sender.stop() };
  } catch (error) {
    await sender.stop();
    throw error;
  }
};

/** Runs one lifecycle to its end; every call is idempotent and goes on through outages, as a careful client's does. */
export const runLifecycle = async (input: LifecycleInput): Promise<LifecycleResult> => {
  const startedAt = Date.now();
  const { stack, name } = input;
  const apiKey = stack.adminKey;
  if (apiKey === undefined) throw new Error('the stack has no admin key');
  const api = createApiClient({ url: stack.urls.api, apiKey, patienceMs: 90_000 });
  const client = createGatewayClient({ gateways: stack.urls.gateways, model: name, apiKey });
  const traffic = createTraffic(client);
  try {
    const first = await startRun(api, { name, pipeline: input.pipelines[0], key: `${name}-1` });
    const firstEnd = await awaitRun(api, first, input.runBoundMs);
    const second = firstEnd === 'succeeded' ? await challenge(input, api, traffic) : undefined;
    const third = second?.end === 'succeeded' ? await changeOfMind(input, api, traffic) : undefined;
    return {
      acceptedRuns: [first, ...(second === undefined ? [] : [second.runId])],
      answered: [...(second?.answered ?? []), ...(third?.answered ?? [])],
      sent: traffic.counts.sent,
      failed: traffic.counts.failed,
      failures: traffic.counts.failures,
      ends: [firstEnd, ...(second === undefined ? [] : [second.end]), ...(third === undefined ? [] : [third.end])],
      seconds: (Date.now() - startedAt) / 1_000,
    };
  } finally {
    client.close();
  }
};
