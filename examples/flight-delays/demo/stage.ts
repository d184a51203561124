/** What every chapter of the demo works with, and the way it talks to the reader. */
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import type { Stack } from '../../../deploy/local/stack.ts';
import { createApiClient, type ApiClient } from './api-client.ts';
import { createGatewayClient } from './gateway-client.ts';
import { createTraffic, type Answered, type LabelledRow, type Traffic } from './traffic.ts';
import { rowsOfMonth } from './rows.ts';
import { EXAMPLE_FOLDER, loadPipeline } from './pipeline.ts';

export const MODEL = 'flight-delays';

/** One of the six points: verified against the systems themselves. */
export type Point = { name: string; ok: boolean; evidence: Record<string, unknown> };

export type Stage = {
  stack: Stack;
  api: ApiClient;
  traffic: Traffic;
  pool: pg.Pool;
  temporal: Client;
  /** Folder where partitions arrive. */
  arrivals: string;
  rows: (month: string, limit: number) => Promise<LabelledRow[]>;
  say: (line: string) => void;
  close: () => Promise<void>;
};

const startedAt = Date.now();

const say = (line: string): void => {
  const seconds = ((Date.now() - startedAt) / 1_000).toFixed(1).padStart(6);
  process.stdout.write(`${seconds} s  ${line}\n`);
};

export const openStage = async (stack: Stack, arrivals: string): Promise<Stage> => {
  const apiKey = stack.adminKey;
  if (apiKey === undefined) throw new Error('the stack has no admin key: start the demo on a new home folder');
  const client = createGatewayClient({ gateways: stack.urls.gateways, model: MODEL, apiKey });
  const pool = new pg.Pool({ connectionString: stack.urls.postgres, max: 2 });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const connection = await Connection.connect({ address: stack.urls.temporal });
  const { features } = loadPipeline(arrivals);
  return {
    stack,
    api: createApiClient({ url: stack.urls.api, apiKey }),
    traffic: createTraffic(client),
    pool,
    temporal: new Client({ connection }),
    arrivals,
    rows: (month, limit) => rowsOfMonth({ exampleFolder: EXAMPLE_FOLDER, features }, month, limit),
    say,
    close: async () => {
      client.close();
      await Promise.all([pool.end(), connection.close()]);
    },
  };
};

/** Sends the ground truth of answered inferences, as it would come hours later. */
export const sendLabels = async (stage: Stage, answered: Answered[]): Promise<number> => {
  let stored = 0;
  for (let from = 0; from < answered.length; from += 5_000) {
    const labels = answered.slice(from, from + 5_000).map(({ inferenceId, label }) => ({ inferenceId, label }));
    stored += (await stage.api.post<{ stored: number }>(`/models/${MODEL}/labels`, { labels }, `labels-${answered[from]!.inferenceId}`)).stored;
  }
  return stored;
};
