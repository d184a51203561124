/** The API with a database of its own, listening, and MLflow's clients that speak to it. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createModelRegistry } from '../../../adapters/postgres/model-registry.ts';
import { repositoryRoot } from '../../../deploy/local/tools/machine.ts';
import type { Part } from '../../../deploy/local/tools/part.ts';
import { createTestApi, unreachableTemporal, type TestApi } from '../../support/api.ts';
import { registration } from '../../support/fakes.ts';
import { startTestPostgres, type TestDatabase } from '../../support/database.ts';

export type TrackingServer = {
  url: string;
  api: TestApi;
  test: TestDatabase;
  /** Runs a program of test/clients with the client of an environment, and gives what it printed as JSON. */
  run: (client: Part, program: string, environment: Record<string, string>) => Promise<Record<string, unknown>>;
  stop: () => Promise<void>;
};

const CLIENT_MS = 170_000;

export const startTrackingServer = async (): Promise<TrackingServer> => {
  const postgres = await startTestPostgres();
  const test = await postgres.createDatabase();
  const api = await createTestApi(test, await unreachableTemporal());
  const url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  const scratch = mkdtempSync(join(tmpdir(), 'mlflow-client-'));
  return {
    url,
    api,
    test,
    run: async (client, program, environment) => {
      const python = client.find();
      if (python === undefined) throw new Error(`${client.name} is missing: run \`npm run setup\``);
      const own = mkdtempSync(join(scratch, 'run-'));
      const env = { PATH: process.env['PATH'], HOME: own, MLFLOW_TRACKING_URI: url, MLFLOW_DISABLE_TELEMETRY: 'true', GIT_PYTHON_REFRESH: 'quiet', MLFLOW_HTTP_REQUEST_MAX_RETRIES: '1', PYTHONNOUSERSITE: '1', TQDM_DISABLE: '1', ...environment };
      const { stdout } = await promisify(execFile)(python, [join(repositoryRoot, 'test', 'clients', program), own], { cwd: own, env, timeout: CLIENT_MS, maxBuffer: 16 * 1024 * 1024 });
      return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
    },
    stop: async () => {
      await api.app.close();
      await test.drop();
      await postgres.stop();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
};

/** Registers an ONNX fixture as a pipeline would. */
export const registerPipelineModel = async ({ api, test }: Pick<TrackingServer, 'api' | 'test'>, model: string): Promise<void> => {
  const bytes = readFileSync(join(repositoryRoot, 'test', 'integration', 'serving', 'fixtures', 'sum-a.onnx'));
  const artifact = await api.dependencies.artifacts.put(bytes);
  const given = registration(`${model}.run-1`, model);
  await createModelRegistry(test.database).registerVersion({ ...given, trained: { ...given.trained, model: artifact } });
};
