/**
 * Configuration of every process: the only file that reads the environment.
 *
 * Each variable has one meaning and one default; an impossible value stops the process at start with a
 * sentence that names the variable, because a service that starts half configured fails later and elsewhere.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PriceTable } from '../contracts/resources.ts';

export type ArtifactStoreConfig =
  | { kind: 'local'; folder: string }
  | { kind: 's3'; bucket: string; endpoint: string; region: string; accessKeyId: string; secretAccessKey: string };

export type Config = {
  /** Folder of all local state, absolute. */
  home: string;
  /** Address that every server binds; loopback unless PERENNIAL_BIND says otherwise. */
  bind: string;
  apiPort: number;
  /** Port of the first gateway; the next gateway listens on the next port. */
  gatewayPort: number;
  /** Port of the first gateway's V2 over gRPC; the next gateway listens on the next port. */
  gatewayGrpcPort: number;
  /** Name of this gateway: stable over restarts, distinct between gateways. */
  gatewayId: string;
  temporal: { address: string; namespace: string; port: number; uiPort: number; uiUrl: string };
  postgres: { port: number; url: string };
  artifactStore: ArtifactStoreConfig;
  /** Folders from which a pipeline may ingest local files, absolute. */
  sourceRoots: string[];
  /** Interpreter of the built-in Python trainers. */
  python: string;
  /** Base URL of the API, for clients. */
  apiUrl: string;
  /** Key that clients send; never logged. */
  apiKey: string | undefined;
  /** Credentials of the MLflow server that is imported from; never logged. */
  mlflowSource: { token: string | undefined; username: string | undefined; password: string | undefined };
  /** Where alerts may go: the operator's file of receivers, and the secrets that it names (adapters/notify/receivers.ts). */
  notify: { receiversFile: string | undefined; secrets: Readonly<Record<string, string>> };
  /** Port of a worker's metrics; undefined: it serves none. In a local stack that of the first worker, and the next worker has the next port. */
  metricsPort: number | undefined;
  /** What CPU, memory, GPU and storage cost; null: not declared, so that only use is shown. */
  prices: PriceTable | null;
  /** Version of this build. */
  version: string;
  /** PATH, on which tools such as nvidia-smi are looked for. */
  path: string;
  /** Test hook: names of code points at which the process kills itself once (see domain/ports/fault-points.ts). */
  faultPoints: string[];
  /** File of a workflow bundle in place of the one that is built from the sources here; undefined in general. */
  workflowBundle: string | undefined;
  /** Folder of the built console. */
  consoleFolder: string;
  logLevel: string;
};

type Environment = Record<string, string | undefined>;

const portOf = (environment: Environment, name: string, fallback: number): number => {
  const text = environment[name];
  if (text === undefined || text === '') return fallback;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`${name} is "${text}": it must be a port number from 1 to 65535`);
  }
  return port;
};

const required = (environment: Environment, name: string, why: string): string => {
  const value = environment[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set: ${why}`);
  return value;
};

const artifactStoreOf = (environment: Environment, home: string): ArtifactStoreConfig => {
  const text = environment['ARTIFACT_STORE'] ?? '';
  if (text === '') return { kind: 'local', folder: join(home, 'artifacts') };
  if (!text.startsWith('s3://')) return { kind: 'local', folder: resolve(text) };
  const why = 'ARTIFACT_STORE names a bucket, so the S3 server and its keys are needed';
  return {
    kind: 's3',
    bucket: text.slice('s3://'.length).replace(/\/+$/, ''),
    endpoint: required(environment, 'S3_ENDPOINT', why),
    region: environment['S3_REGION'] ?? 'us-east-1',
    accessKeyId: required(environment, 'S3_ACCESS_KEY_ID', why),
    secretAccessKey: required(environment, 'S3_SECRET_ACCESS_KEY', why),
  };
};

const buildVersion = (): string => (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;

/** PERENNIAL_PRICES: the price table as JSON, or the path of a file that holds it. */
const pricesOf = (environment: Environment): PriceTable | null => {
  const given = environment['PERENNIAL_PRICES'] ?? '';
  if (given === '') return null;
  const invalid = (why: string): Error => new Error(`PERENNIAL_PRICES is no price table: ${why}; give JSON such as {"currency":"EUR","cpuSecond":0.00001}, or the path of a file with it`);
  let value: unknown;
  try {
    value = JSON.parse(given.trimStart().startsWith('{') ? given : readFileSync(resolve(given), 'utf8'));
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error));
  }
  const { success, data, error } = PriceTable.safeParse(value);
  if (success) return data;
  const [issue] = error.issues;
  throw invalid(`${issue?.path.join('.') || 'the table'}: ${issue?.message ?? ''}`);
};

/** The database address that `perennial up` left in the home folder, so that single processes started by hand find it. */
const savedPostgresUrl = (home: string): string | undefined => {
  try {
    return readFileSync(join(home, 'postgres-url'), 'utf8').trim();
  } catch {
    return undefined;
  }
};

const SECRET_PREFIX = 'PERENNIAL_SECRET_';

const secretsOf = (environment: Environment): Record<string, string> =>
  Object.fromEntries(Object.entries(environment).filter((entry): entry is [string, string] => entry[0].startsWith(SECRET_PREFIX) && entry[1] !== undefined));

const receiversFileOf = (environment: Environment): string | undefined => {
  const file = environment['PERENNIAL_ALERT_RECEIVERS'];
  return file === undefined || file === '' ? undefined : resolve(file);
};

/**
 * Reads and checks the configuration.
 * @throws Error that names the variable when a value is impossible or a needed one is absent
 */
export const readConfig = (environment: Environment = process.env): Config => {
  const home = resolve(environment['PERENNIAL_HOME'] ?? '.perennial');
  const apiPort = portOf(environment, 'PERENNIAL_API_PORT', 7070);
  const temporalPort = portOf(environment, 'PERENNIAL_TEMPORAL_PORT', 7233);
  const uiPort = portOf(environment, 'PERENNIAL_TEMPORAL_UI_PORT', 8233);
  const postgresPort = portOf(environment, 'PERENNIAL_POSTGRES_PORT', 7432);
  return {
    home,
    bind: environment['PERENNIAL_BIND'] ?? '127.0.0.1',
    apiPort,
    gatewayPort: portOf(environment, 'PERENNIAL_GATEWAY_PORT', 7080),
    gatewayGrpcPort: portOf(environment, 'PERENNIAL_GATEWAY_GRPC_PORT', 7090),
    gatewayId: environment['PERENNIAL_GATEWAY_ID'] ?? 'gateway-1',
    temporal: {
      address: environment['PERENNIAL_TEMPORAL_ADDRESS'] ?? `127.0.0.1:${temporalPort}`,
      namespace: environment['PERENNIAL_TEMPORAL_NAMESPACE'] ?? 'default',
      port: temporalPort,
      uiPort,
      uiUrl: environment['PERENNIAL_TEMPORAL_UI_URL'] ?? `http://127.0.0.1:${uiPort}`,
    },
    postgres: {
      port: postgresPort,
      url:
        environment['PERENNIAL_POSTGRES_URL'] ??
        savedPostgresUrl(home) ??
        `postgres://perennial@127.0.0.1:${postgresPort}/perennial`,
    },
    artifactStore: artifactStoreOf(environment, home),
    sourceRoots: (environment['PERENNIAL_SOURCE_ROOTS'] ?? process.cwd()).split(':').filter(Boolean).map((root) => resolve(root)),
    python: environment['PERENNIAL_PYTHON'] ?? join(home, 'python', 'bin', 'python'),
    apiUrl: environment['PERENNIAL_URL'] ?? `http://127.0.0.1:${apiPort}`,
    apiKey: environment['PERENNIAL_API_KEY'],
    mlflowSource: { token: environment['MLFLOW_TRACKING_TOKEN'], username: environment['MLFLOW_TRACKING_USERNAME'], password: environment['MLFLOW_TRACKING_PASSWORD'] },
    notify: { receiversFile: receiversFileOf(environment), secrets: secretsOf(environment) },
    metricsPort: (environment['PERENNIAL_METRICS_PORT'] ?? '') === '' ? undefined : portOf(environment, 'PERENNIAL_METRICS_PORT', 0),
    prices: pricesOf(environment),
    version: buildVersion(),
    path: environment['PATH'] ?? '',
    faultPoints: (environment['PERENNIAL_FAULT_POINTS'] ?? '').split(',').filter(Boolean),
    workflowBundle: environment['PERENNIAL_WORKFLOW_BUNDLE'],
    consoleFolder: environment['PERENNIAL_CONSOLE'] ?? fileURLToPath(new URL('../build/console', import.meta.url)),
    logLevel: environment['PERENNIAL_LOG_LEVEL'] ?? 'info',
  };
};
