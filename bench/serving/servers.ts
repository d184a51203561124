/** The two servers of the benchmark, each started on free ports in a temporary home. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createArtifactStore } from '../../adapters/objectstore/index.ts';
import { connectDatabase } from '../../adapters/postgres/client.ts';
import { createDeployments } from '../../adapters/postgres/deployments.ts';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { ModelSignature } from '../../contracts/features.ts';
import { ensureDatabase, preparePostgres } from '../../deploy/local/postgres.ts';
import { createLogLines } from '../../deploy/local/processes/log-lines.ts';
import { findFreePorts } from '../../deploy/local/processes/ports.ts';
import type { Program } from '../../deploy/local/processes/program.ts';
import { SupervisedProcess } from '../../deploy/local/processes/supervised-process.ts';
import { entryFiles, nodeCommand } from '../../deploy/local/programs.ts';
import { repositoryRoot } from '../../deploy/local/tools/machine.ts';

const READY_MS = 60_000;
const FEATURES = 30;

export type Server = { name: string; port: number; key: string; settle(): Promise<void>; stop(): Promise<void> };

const SIGNATURE = ModelSignature.parse({
  task: 'binaryClassification',
  inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, FEATURES] }],
  outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [-1, 2] }],
});

const launch = async (program: Program, home: string): Promise<SupervisedProcess> => {
  const child = new SupervisedProcess(program, createLogLines(join(home, `${program.name}.log`), () => undefined), () => undefined);
  child.start();
  await child.waitReady(READY_MS);
  return child;
};

const respondsOk = (url: string) => async (): Promise<boolean> => (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok;

/** Registers the model, deploys it and makes a key. */
const fillDatabase = async (url: string, home: string, modelFile: string): Promise<string> => {
  const { database } = connectDatabase(url, { connections: 2 });
  await migrate(database);
  const artifact = await createArtifactStore({ kind: 'local', folder: join(home, 'artifacts') }).put(readFileSync(modelFile));
  const empty = JSON.stringify({});
  const rest = { run_id: 'bench', metrics: empty, evaluation: empty, gates: empty, lineage: empty };
  await database.insertInto('registered_models').values({ name: 'bench' }).execute();
  await database.insertInto('model_versions').values({ model: 'bench', version: 1, artifact: JSON.stringify(artifact), model_sha256: artifact.sha256, signature: JSON.stringify(SIGNATURE), ...rest }).execute();
  await createDeployments(database).setSplit({
    model: 'bench',
    requestId: 'bench',
    expectedGeneration: 0,
    split: { stable: 1, canary: null, canaryWeight: 0 },
    options: { salt: 'bench', deadlineMs: 1_000, onLogFailure: 'refuse' },
    rolloutId: 'bench',
    reason: 'the benchmark',
  });
  const key = `perennial_${randomBytes(32).toString('base64url')}`;
  await database.insertInto('api_keys').values({ id: 'bench', name: 'bench', role: 'predictor', key_hash: createHash('sha256').update(key).digest('hex') }).execute();
  await database.destroy();
  return key;
};

const poll = async (isDone: () => Promise<boolean>, what: string): Promise<void> => {
  const deadline = Date.now() + READY_MS;
  while (!(await isDone())) {
    if (Date.now() > deadline) throw new Error(`${what} took longer than ${READY_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

/** A gateway as it runs in production: keys, routing, prediction log, metrics and counters are all on. */
export const startGateway = async (home: string, modelFile: string): Promise<Server> => {
  mkdirSync(home, { recursive: true });
  const ports = await findFreePorts();
  const { program, url } = await preparePostgres({ home, port: ports.postgres });
  const postgres = await launch(program, home);
  await ensureDatabase(url);
  const key = await fillDatabase(url, home, modelFile);
  const base = `http://127.0.0.1:${ports.gateway}`;
  const gateway = await launch(
    {
      name: 'gateway',
      command: nodeCommand(entryFiles.gateway),
      environment: { PERENNIAL_HOME: home, PERENNIAL_POSTGRES_URL: url, PERENNIAL_GATEWAY_PORT: String(ports.gateway), PERENNIAL_GATEWAY_GRPC_PORT: String(ports.gatewayGrpc), PERENNIAL_GATEWAY_ID: 'gateway-1', ARTIFACT_STORE: '' },
      cwd: repositoryRoot,
      ready: { probe: respondsOk(`${base}/readyz`) },
      stopSignal: 'SIGTERM',
      stopMs: 20_000,
    },
    home,
  );
  const isShipped = async (): Promise<boolean> => /^perennial_prediction_log_files 0$/m.test(await (await fetch(`${base}/metrics`)).text());
  return {
    name: 'perennial',
    port: ports.gateway,
    key,
    settle: () => poll(isShipped, 'shipping the prediction log'),
    stop: async () => {
      await gateway.stop();
      await postgres.stop();
    },
  };
};

/** FastAPI with two uvicorn processes. */
export const startFastApi = async (home: string, { modelFile, python }: { modelFile: string; python: string }): Promise<Server> => {
  const { api: port } = await findFreePorts();
  const uvicorn = ['-m', 'uvicorn', 'fastapi_app:app', '--host', '127.0.0.1', '--port', String(port), '--workers', '2', '--loop', 'uvloop', '--http', 'httptools', '--no-access-log', '--log-level', 'warning'];
  const server = await launch(
    {
      name: 'fastapi',
      command: [python, ...uvicorn],
      environment: { BENCH_MODEL: modelFile },
      cwd: join(repositoryRoot, 'bench', 'serving', 'peers'),
      ready: { probe: respondsOk(`http://127.0.0.1:${port}/healthz`) },
      stopSignal: 'SIGTERM',
      stopMs: 10_000,
    },
    home,
  );
  return { name: 'fastapi', port, key: 'none', settle: () => Promise.resolve(), stop: () => server.stop() };
};
