/** Puts the parts of a gateway together: start in an order that loses nothing, stop in the reverse one. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { NAME_PATTERN } from '../contracts/ids.ts';
import type { ArtifactStore } from '../domain/ports/artifact-store.ts';
import { createAccess } from './access.ts';
import { openControlLink, type ControlLink, type ControlPlane } from './control-link.ts';
import { createCounterBook, createShadowBook } from './counters.ts';
import { createDeploymentLookup, type Expectation } from './deployment-lookup.ts';
import { createDeploymentTable, variantsOf, type DeploymentTable } from './deployment-table.ts';
import { createGatewayServer, type Readiness } from './http-server.ts';
import { startGrpcServer } from './grpc/server.ts';
import { createHostAccount, type HostAccount, type HostAccountParts } from './host-account.ts';
import { createInferenceService } from './inference-service.ts';
import { listClosed } from './log-folder.ts';
import { createMetrics, type GatewayState } from './metrics.ts';
import { PredictionLog } from './prediction-log.ts';
import { createReconciler, type Reconciler } from './reconciler.ts';
import { createRefusalBook, type RefusalBook } from './refusals.ts';
import { superviseShipper } from './shipper-process.ts';
import { openStateFolder, type StateFolder } from './state-folder.ts';
import { createVersionPool, type VersionPool } from './version-pool.ts';

const DRAIN_MS = 10_000;
/** How long a start waits for the database before it serves what the disk says. */
const DATABASE_PATIENCE_MS = 1_000;

export type GatewayOptions = {
  gatewayId: string;
  bind: string;
  port: number;
  /** Port of V2 over gRPC. */
  grpcPort: number;
  /** Folder of all local state of Perennial. */
  home: string;
  control: ControlPlane;
  store: Pick<ArtifactStore, 'download'>;
  build: string;
  /** With the metrics of the process itself; the gateway adds its own. */
  registry: Registry;
  /** What processes use, as the system tells. */
  readTree: HostAccountParts['readTree'];
  log: Logger;
};

/** `grpc` is host and port of V2 over gRPC. */
export type Gateway = { url: string; grpc: string; stop(): Promise<void> };

const listen = async (server: Server, bind: string, port: number): Promise<string> => {
  server.listen(port, bind);
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EADDRINUSE' ? new Error(`port ${port} is taken: set PERENNIAL_GATEWAY_PORT to a free one`) : error;
  });
  const host = bind.includes(':') ? `[${bind}]` : bind;
  return `http://${host}:${(server.address() as AddressInfo).port}`;
};

type StateParts = { table: DeploymentTable; pool: VersionPool; account: HostAccount; state: StateFolder; predictionLog: PredictionLog; refusals: RefusalBook };

const gatewayState = ({ table, pool, account, state, predictionLog, refusals }: StateParts): GatewayState => ({
  weights: () =>
    table.all().flatMap((deployment) =>
      variantsOf(deployment).map(({ model, version, role }) => {
        const canary = deployment.stable === null ? 1 : deployment.split.canaryWeight / 100;
        return { model, version, ratio: role === 'canary' ? canary : 1 - deployment.split.canaryWeight / 100 };
      }),
    ),
  refusals: () => refusals.totals(),
  inFlight: () => table.all().map(({ snapshot, inFlight }) => ({ model: snapshot.model, requests: inFlight })),
  hosts: () => {
    account.look();
    return pool.hosts().map((host) => ({ host, used: account.of(host.name) }));
  },
  logCommits: () => predictionLog.commits,
  closedLogFiles: async () => (await listClosed(state.logFolder)).length,
});

/** What may be said of a model that is not served, by its last attempt. One that is applied is in the table a moment later. */
const expectedBy = { loading: 'loading', applied: 'loading', failed: 'failed', unwanted: 'unknown' } satisfies Record<string, Expectation>;

/** Stops accepting, and waits until the last answer is out or the time is up. */
const drain = async (server: Server): Promise<void> => {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, DRAIN_MS).unref())]);
  server.closeAllConnections();
};

/** Ready once the deployments are known and each has been tried; it stays ready from then on. */
const createReadiness = (parts: { isKnown: () => boolean; reconciler: Reconciler; silentSince: () => Date | undefined; log: PredictionLog }): (() => Readiness) => {
  let ready = false;
  return () => {
    ready ||= parts.isKnown() && parts.reconciler.isSettled();
    const silentSince = parts.silentSince();
    const degraded = [
      ...(silentSince === undefined ? [] : [`database unreachable since ${silentSince.toISOString()}`]),
      ...(parts.log.failingSince === undefined ? [] : [`prediction log cannot be written since ${parts.log.failingSince.toISOString()}`]),
    ].join('; ');
    return { ready, ...(degraded === '' ? {} : { degraded }) };
  };
};

/** Serves what the disk says, where the database did not say it first. True when the disk said anything. */
const startFromDisk = async (state: StateFolder, reconciler: Reconciler, asked: Promise<boolean>): Promise<boolean> => {
  const deployments = state.readDeployments();
  if (deployments === undefined) return false;
  await Promise.race([asked, new Promise((resolve) => setTimeout(resolve, DATABASE_PATIENCE_MS))]);
  void reconciler.reconcile(deployments);
  return true;
};

/**
 * Starts a gateway: it listens at once, serves its last deployments from the disk as soon as they are loaded, and follows the control
 * plane from then on.
 * @throws Error when the port is taken or the folder cannot be used
 */
export const startGateway = async (options: GatewayOptions): Promise<Gateway> => {
  const { gatewayId, log, control, store, build } = options;
  if (!NAME_PATTERN.test(gatewayId)) throw new Error(`PERENNIAL_GATEWAY_ID is "${gatewayId}": it must be a name of letters, digits, ".", "_" and "-"`);
  const state = openStateFolder(join(options.home, 'gateways', gatewayId));
  const table = createDeploymentTable();
  const pool = createVersionPool({ state, store, log });
  const counters = createCounterBook();
  const shadows = createShadowBook();
  const refusals = createRefusalBook();
  const account = createHostAccount({ hosts: () => pool.hosts(), readTree: options.readTree });
  const access = createAccess();
  const keysOnDisk = state.readKeys();
  if (keysOnDisk.length > 0) access.replace(keysOnDisk);
  const predictionLog = new PredictionLog(state.logFolder);
  const metrics = createMetrics(gatewayState({ table, pool, account, state, predictionLog, refusals }), options.registry);
  const link: { opened?: ControlLink } = {};
  let isOnDisk = false;
  const isKnown = (): boolean => isOnDisk || link.opened?.isKnown() === true;
  const expectationOf = (model: string): Expectation => (isKnown() ? expectedBy[reconciler.stateOf(model) ?? 'unwanted'] : 'loading');
  const lookup = createDeploymentLookup({ table, expectationOf, hurry: pool.hurry });
  const reconciler: Reconciler = createReconciler({ table, pool, counters, shadows, metrics, state, log, changed: lookup.changed });
  const readiness = createReadiness({ isKnown, reconciler, silentSince: () => link.opened?.silentSince(), log: predictionLog });
  const parts = { infer: createInferenceService({ lookup, log: predictionLog, refusals }), access, table, lookup, metrics, wanted: reconciler.wanted, build, log, readiness };
  const server = createGatewayServer(parts);
  // The port is the lock of the gateway: nothing of the folder is changed before it is ours.
  const url = await listen(server, options.bind, options.port);
  const grpc = await startGrpcServer(parts, { bind: options.bind, port: options.grpcPort });
  predictionLog.recover();
  const shipper = superviseShipper(state.logFolder, log);
  const opened = openControlLink({ control, identity: { gatewayId, incarnation: randomUUID(), url }, reconciler, table, access, counters, shadows, refusals, account, state, log });
  link.opened = opened;
  void startFromDisk(state, reconciler, opened.asked).then((isFound) => {
    isOnDisk = isFound;
    lookup.changed();
  });
  return {
    url,
    grpc: grpc.address,
    stop: async () => {
      await Promise.all([drain(server), grpc.drain(DRAIN_MS)]);
      await predictionLog.stop();
      await Promise.all([opened.close(), shipper.stop()]);
      pool.close();
    },
  };
};
