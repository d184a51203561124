/** What the serving tests need: a PostgreSQL, an artifact folder, registered models, deployments, gateways and a client. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createArtifactStore } from '../../../../adapters/objectstore/index.ts';
import { createDeployments } from '../../../../adapters/postgres/deployments.ts';
import type { TrafficSplit } from '../../../../contracts/deployment.ts';
import { ModelSignature } from '../../../../contracts/features.ts';
import type { ShadowSettings } from '../../../../contracts/shadow.ts';
import type { Role } from '../../../../contracts/roles.ts';
import { findFreePorts } from '../../../../deploy/local/processes/ports.ts';
import { startTestPostgres, type TestDatabase, type TestPostgres } from '../../../support/database.ts';
import { eventually } from './eventually.ts';
import { startGatewayProcess, type GatewayProcess } from './gateway-process.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures', import.meta.url));

export const ROW_SIGNATURE = ModelSignature.parse({
  task: 'binaryClassification',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }],
  outputs: [{ name: 'score', datatype: 'FP32', shape: [-1, 1] }],
});

export const MIXED_SIGNATURE = ModelSignature.parse({
  task: 'binaryClassification',
  inputs: [
    { name: 'a', datatype: 'FP32', shape: [-1, 1], missing: 'allowed' },
    { name: 'b', datatype: 'BYTES', shape: [-1, 1], missing: 'allowed' },
    { name: 'c', datatype: 'INT64', shape: [-1, 1] },
  ],
  outputs: [{ name: 'score', datatype: 'FP32', shape: [-1, 1] }],
});

const DATATYPES = ['FP32', 'FP64', 'INT8', 'INT16', 'INT32', 'INT64', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'BOOL', 'BYTES'];

export const TYPED_SIGNATURE = ModelSignature.parse({
  task: 'regression',
  inputs: DATATYPES.map((datatype) => ({ name: datatype.toLowerCase(), datatype, shape: [-1, 1] })),
  outputs: [{ name: 'score', datatype: 'FP32', shape: [-1, 1] }, ...DATATYPES.map((datatype) => ({ name: `same_${datatype.toLowerCase()}`, datatype, shape: [-1, 1] }))],
});

export type Rig = {
  home: string;
  key: string;
  database: TestDatabase;
  postgres: TestPostgres;
  store: ReturnType<typeof createArtifactStore>;
  /** A key of a role. */
  keyOf(role: Role): Promise<string>;
  /** Registers a fixture as a version. */
  register(model: string, version: number, fixture: string, signature?: ModelSignature): Promise<void>;
  /** Sets the split; gives the generation. */
  deploy(model: string, split: Partial<TrafficSplit>, options?: { deadlineMs?: number; salt?: string; onLogFailure?: 'refuse' | 'answer'; shadow?: ShadowSettings }): Promise<number>;
  startGateway(options?: { id?: string; environment?: Record<string, string>; prefix?: string[] }): Promise<GatewayProcess>;
  /** Waits until a generation is acknowledged by as many gateways, or refused by one. */
  acknowledged(model: string, generation: number, gateways?: number): Promise<{ gateway: string; error: string }[]>;
  stop(): Promise<void>;
};

const register = async ({ database }: TestDatabase, store: Rig['store'], version: { model: string; version: number; fixture: string; signature: ModelSignature }): Promise<void> => {
  const artifact = await store.put(readFileSync(join(FIXTURES, `${version.fixture}.onnx`)));
  await database.insertInto('registered_models').values({ name: version.model }).onConflict((conflict) => conflict.doNothing()).execute();
  const empty = JSON.stringify({});
  await database
    .insertInto('model_versions')
    .values({ model: version.model, version: version.version, run_id: `run-${version.version}`, artifact: JSON.stringify(artifact), model_sha256: artifact.sha256, signature: JSON.stringify(version.signature), metrics: empty, evaluation: empty, gates: empty, lineage: empty })
    .execute();
};

const createKey = async ({ database }: TestDatabase, role: Role): Promise<string> => {
  const key = `perennial_${randomBytes(32).toString('base64url')}`;
  await database.insertInto('api_keys').values({ id: key.slice(-8), name: role, role, key_hash: createHash('sha256').update(key).digest('hex') }).execute();
  return key;
};

/** Starts everything but gateways; call `stop` at the end. */
export const startRig = async (): Promise<Rig> => {
  const home = mkdtempSync(join(tmpdir(), 'perennial-serving-'));
  const postgres = await startTestPostgres();
  const database = await postgres.createDatabase();
  const store = createArtifactStore({ kind: 'local', folder: join(home, 'artifacts') });
  const deployments = createDeployments(database.database);
  const gateways: GatewayProcess[] = [];
  let requests = 0;
  return {
    home,
    key: await createKey(database, 'predictor'),
    database,
    postgres,
    store,
    keyOf: (role) => createKey(database, role),
    register: (model, version, fixture, signature = ROW_SIGNATURE) => register(database, store, { model, version, fixture, signature }),
    deploy: async (model, split, options = {}) => {
      const { generation } = await deployments.current(model);
      const answer = await deployments.setSplit({
        model,
        requestId: `request-${(requests += 1)}`,
        expectedGeneration: generation,
        split: { stable: null, canary: null, canaryWeight: 0, ...split },
        options: { salt: options.salt ?? 'salt', deadlineMs: options.deadlineMs ?? 1_000, onLogFailure: options.onLogFailure ?? 'refuse', ...(options.shadow === undefined ? {} : { shadow: options.shadow }) },
        rolloutId: `${model}.rollout`,
        reason: 'a test',
      });
      return answer.generation;
    },
    startGateway: async ({ id = 'gateway-1', environment = {}, prefix = [] } = {}) => {
      const { gateway, gatewayGrpc } = await findFreePorts();
      const variables = { PERENNIAL_HOME: home, PERENNIAL_POSTGRES_URL: database.url, PERENNIAL_GATEWAY_PORT: String(gateway), PERENNIAL_GATEWAY_GRPC_PORT: String(gatewayGrpc), PERENNIAL_GATEWAY_ID: id, ARTIFACT_STORE: '', ...environment };
      const started = await startGatewayProcess(variables, prefix);
      gateways.push(started);
      return started;
    },
    acknowledged: (model, generation, count = 1) =>
      eventually(
        async () => {
          const { acknowledged, failures } = await deployments.acknowledgements(model, generation);
          return acknowledged >= count || failures.length > 0 ? failures : undefined;
        },
        { what: `generation ${generation} of ${model} is acknowledged`, ms: 40_000 },
      ),
    stop: async () => {
      await Promise.all(gateways.filter(({ child }) => child.exitCode === null && child.signalCode === null).map((gateway) => gateway.kill()));
      // A test may have ended while the database was down.
      await database.drop().catch(() => undefined);
      await postgres.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
};
