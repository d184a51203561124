/** The API on a database and a Temporal server of the test's own, called in the process, with a key per role. */
import { Client, Connection } from '@temporalio/client';
import type { InjectOptions } from 'fastify';
import { Registry } from 'prom-client';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createArtifactStore } from '../../adapters/objectstore/index.ts';
import { createLoggedInferences } from '../../adapters/monitoring/logged-inferences.ts';
import { createScratch } from '../../adapters/objectstore/scratch.ts';
import { isDatabaseOutage } from '../../adapters/postgres/client.ts';
import { createDeployments } from '../../adapters/postgres/deployments.ts';
import { createPredictionSegments } from '../../adapters/postgres/prediction-segments.ts';
import { createScheduleRows } from '../../adapters/postgres/schedules.ts';
import { createScheduleEngine } from '../../adapters/temporal/schedules.ts';
import { createWorkflowControl } from '../../adapters/temporal/workflow-control.ts';
import { createApp } from '../../api/app.ts';
import type { ApiDependencies } from '../../api/dependencies.ts';
import type { App } from '../../api/http/app-types.ts';
import { hashApiKey, newApiKey } from '../../api/keys/api-key.ts';
import type { Role } from '../../contracts/roles.ts';
import type { TestDatabase } from './database.ts';
import { findFreePorts } from '../../deploy/local/processes/ports.ts';

/** A client of a server that is not there. It is not closed: a call that is still tried again would fail on a closed connection, uncaught. */
export const unreachableTemporal = async (): Promise<Client> => {
  const { temporal } = await findFreePorts();
  return new Client({ connection: Connection.lazy({ address: `127.0.0.1:${temporal}` }) });
};

/** Problem documents and other answers, read as far as a test wants. */
export type Answer = { status: number; headers: Record<string, unknown>; text: string; body: AnswerBody };
// Tests look into answers of every shape.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnswerBody = any;

export type TestApi = {
  app: App;
  dependencies: ApiDependencies;
  /** Makes a key of a role (one per role) and gives its text. */
  keyOf: (role: Role) => Promise<string>;
  /** One request as a role. */
  as: (role: Role, options: InjectOptions) => Promise<Answer>;
  /** One request without a key of its own. */
  request: (options: InjectOptions) => Promise<Answer>;
};

const read = (response: { statusCode: number; headers: Record<string, unknown>; body: string }): Answer => {
  const isJson = String(response.headers['content-type']).includes('json');
  return { status: response.statusCode, headers: response.headers, text: response.body, body: isJson && response.body !== '' ? (JSON.parse(response.body) as AnswerBody) : undefined };
};

/** The app, ready. `close` of the app is the caller's. */
export const createTestApi = async ({ database, pool }: Pick<TestDatabase, 'database' | 'pool'>, client: Client, changes: Partial<ApiDependencies> = {}): Promise<TestApi> => {
  const folder = mkdtempSync(join(tmpdir(), 'perennial-api-'));
  const artifacts = createArtifactStore({ kind: 'local', folder: join(folder, 'artifacts') });
  const dependencies: ApiDependencies = {
    database,
    pool,
    client,
    inferences: createLoggedInferences({ ...createPredictionSegments(database), artifacts, scratch: createScratch(join(folder, 'scratch')) }),
    artifacts,
    deployments: createDeployments(database),
    workflows: createWorkflowControl(client),
    schedules: { rows: createScheduleRows(database), engine: createScheduleEngine(client) },
    receivers: async () => ['team', 'mail'],
    isDatabaseOutage,
    temporal: { namespace: 'default', uiUrl: 'http://127.0.0.1:8233' },
    createRegistry: () => new Registry(),
    prices: null,
    openMetrics: false,
    consoleFiles: { page: undefined, find: () => undefined },
    logger: false,
    ...changes,
  };
  const app = await createApp(dependencies);
  app.addHook('onClose', async () => rmSync(folder, { recursive: true, force: true }));
  await app.ready();
  const keys = new Map<Role, Promise<string>>();
  const makeKey = async (role: Role): Promise<string> => {
    const key = newApiKey();
    const row = { id: `test-${role}`, name: `the ${role}`, role, key_hash: hashApiKey(key) };
    // A second app on the database takes the keys of the first.
    await database.insertInto('api_keys').values(row).onConflict((conflict) => conflict.column('id').doUpdateSet({ key_hash: row.key_hash })).execute();
    return key;
  };
  const keyOf = (role: Role): Promise<string> => {
    const key = keys.get(role) ?? makeKey(role);
    keys.set(role, key);
    return key;
  };
  const request = async (options: InjectOptions): Promise<Answer> => read(await app.inject(options));
  return {
    app,
    dependencies,
    keyOf,
    request,
    as: async (role, options) => request({ ...options, headers: { authorization: `Bearer ${await keyOf(role)}`, ...options.headers } }),
  };
};

/** Waits until `look` gives something; fails with `what` after the bound. */
export const eventually = async <T>(what: string, look: () => Promise<T | undefined>, boundMs = 60_000): Promise<T> => {
  const until = Date.now() + boundMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > until) throw new Error(`${what}: not within ${boundMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

/** The smallest model pipeline that is valid. */
export const modelPipeline = (name: string, changes: Record<string, unknown> = {}) => ({
  kind: 'model',
  name,
  source: { tables: { orders: { files: '/data/orders/*.parquet' } } },
  features: { sql: 'select * from orders', identity: ['id'], eventTime: 'at', label: 'late', columns: [{ name: 'price', type: 'numeric' }] },
  split: { holdout: { last: 'P1M' } },
  train: { trainer: 'lightgbm' },
  ...changes,
});

export const stepsPipeline = (name: string, steps: Record<string, unknown>[] = [{ name: 'first', kind: 'noop' }, { name: 'second', kind: 'noop' }]) => ({ kind: 'steps', name, steps });
