/** The two sides: what starts a run and what says that its result is known. Both are asked from this process, at the same intervals. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, fetch } from 'undici';
import type { Client } from '@temporalio/client';
import { BARE_TASK_QUEUE } from './bare-worker.ts';

export const STEPS = 7;

export type Contender = {
  name: 'perennial' | 'bare SDK';
  /** Starts a run and resolves when its result is known, asking every `pollMs`. */
  run: (pollMs: number) => Promise<void>;
};

const PIPELINE = 'bench-orchestration';
const connections = new Agent({ connections: 64, keepAliveTimeout: 60_000 });

type Api = { url: string; key: string };

const callApi = async ({ url, key }: Api, method: string, path: string, body?: unknown): Promise<unknown> => {
  const headers = { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  const response = await fetch(`${url}${path}`, { method, headers, dispatcher: connections, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${JSON.stringify(answer)}`);
  return answer;
};

const noopSteps = Array.from({ length: STEPS }, (_, index) => ({ name: `step-${index + 1}`, kind: 'noop' }));

/** Perennial through its API: POST the run, then GET it until it has ended. */
export const perennial = async (api: Api): Promise<Contender> => {
  await callApi(api, 'PUT', `/api/v1/pipelines/${PIPELINE}`, { kind: 'steps', name: PIPELINE, steps: noopSteps });
  return {
    name: 'perennial',
    run: async (pollMs) => {
      const { runId } = (await callApi(api, 'POST', `/api/v1/pipelines/${PIPELINE}/runs`, {})) as { runId: string };
      for (;;) {
        await delay(pollMs);
        const { state } = (await callApi(api, 'GET', `/api/v1/runs/${runId}`)) as { state: string };
        if (state === 'succeeded') return;
        if (state !== 'running' && state !== 'waiting') throw new Error(`run ${runId} ended as ${state}`);
      }
    },
  };
};

/** The SDK alone: start the workflow, then describe it until it has ended, and take its result. */
export const bareSdk = (client: Client): Contender => ({
  name: 'bare SDK',
  run: async (pollMs) => {
    const handle = await client.workflow.start('bareRun', { workflowId: `bare/${randomUUID()}`, taskQueue: BARE_TASK_QUEUE, args: [STEPS] });
    for (;;) {
      await delay(pollMs);
      const { status } = await handle.describe();
      if (status.name === 'COMPLETED') break;
      if (status.name !== 'RUNNING') throw new Error(`${handle.workflowId} ended as ${status.name}`);
    }
    await handle.result();
  },
});
