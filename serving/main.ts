/** The gateway process: `node --import tsx serving/main.ts`. It says `"ready":true` in its log when it listens. */
import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import { createArtifactStore } from '../adapters/objectstore/index.ts';
import { connectDatabase } from '../adapters/postgres/client.ts';
import { createGatewayControl } from '../adapters/postgres/gateway-control.ts';
import { readConfig } from '../workers/config.ts';
import { startGateway } from './gateway.ts';
import { openWhenNeeded } from './lazy-store.ts';

const config = readConfig();
const log = pino({ level: config.logLevel, name: config.gatewayId });
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };

// A limit on file sizes is an error of one write, not the end of the process.
process.on('SIGXFSZ', () => undefined);

const store = openWhenNeeded(() => createArtifactStore(config.artifactStore));
const { database } = connectDatabase(config.postgres.url, { connections: 4 });
const gateway = await startGateway({
  gatewayId: config.gatewayId,
  bind: config.bind,
  port: config.gatewayPort,
  home: config.home,
  control: createGatewayControl({ database, url: config.postgres.url }),
  store: { download: async (artifact, path) => store().download(artifact, path) },
  build: version,
  log,
}).catch((error: Error) => {
  log.fatal(error.message);
  process.exit(1);
});
log.info({ ready: true, url: gateway.url }, 'the gateway listens');

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
