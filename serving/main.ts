/** The gateway process: `node --import tsx serving/main.ts`. It says `"ready":true` in its log when it listens. */
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createArtifactStore } from '../adapters/objectstore/index.ts';
import { connectDatabase } from '../adapters/postgres/client.ts';
import { createGatewayControl } from '../adapters/postgres/gateway-control.ts';
import { registerProcessMetrics } from '../adapters/prometheus/process-metrics.ts';
import { readTree } from '../adapters/resources/process-tree.ts';
import { readConfig } from '../workers/config.ts';
import { startGateway } from './gateway.ts';
import { openWhenNeeded } from './lazy-store.ts';

const config = readConfig();
const log = pino({ level: config.logLevel, name: config.gatewayId });

// A limit on file sizes is an error of one write, not the end of the process.
process.on('SIGXFSZ', () => undefined);

const store = openWhenNeeded(() => createArtifactStore(config.artifactStore));
const { database } = connectDatabase(config.postgres.url, { connections: 4 });
const registry = new Registry();
registerProcessMetrics(registry, { kind: 'gateway', build: config.version });
const gateway = await startGateway({
  gatewayId: config.gatewayId,
  bind: config.bind,
  port: config.gatewayPort,
  grpcPort: config.gatewayGrpcPort,
  home: config.home,
  control: createGatewayControl({ database, url: config.postgres.url }),
  store: { download: async (artifact, path) => store().download(artifact, path) },
  build: config.version,
  registry,
  readTree,
  log,
}).catch((error: Error) => {
  log.fatal(error.message);
  process.exit(1);
});
log.info({ ready: true, url: gateway.url, grpc: gateway.grpc }, 'the gateway listens');

let isStopping = false;
const stop = async (signal: string): Promise<void> => {
  if (isStopping) return;
  isStopping = true;
  log.info({ signal }, 'the gateway drains');
  await gateway.stop();
  log.info('the gateway has stopped');
  process.exit(0);
};
process.on('SIGTERM', () => void stop('SIGTERM'));
process.on('SIGINT', () => void stop('SIGINT'));
