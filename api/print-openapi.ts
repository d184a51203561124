/** Writes the OpenAPI document of the API to a file, without a server: `node --import tsx api/print-openapi.ts FILE`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Registry } from 'prom-client';
import { createApp } from './app.ts';
import type { ApiDependencies } from './dependencies.ts';

const neverAsked = new Proxy({}, {
  get: (_target, name) => {
    throw new Error(`the document asks for ${String(name)} of a system, which it must not need`);
  },
});

/** Routes are only described here, so nothing behind them is there. */
const described: Partial<ApiDependencies> = {
  database: neverAsked as ApiDependencies['database'],
  pool: neverAsked as ApiDependencies['pool'],
  client: neverAsked as ApiDependencies['client'],
  inferences: neverAsked as ApiDependencies['inferences'],
  artifacts: neverAsked as ApiDependencies['artifacts'],
  deployments: neverAsked as ApiDependencies['deployments'],
  workflows: neverAsked as ApiDependencies['workflows'],
  schedules: neverAsked as ApiDependencies['schedules'],
  receivers: async () => undefined,
  isDatabaseOutage: () => false,
  temporal: { namespace: 'default', uiUrl: '' },
  createRegistry: () => new Registry(),
  prices: null,
  consoleFiles: { page: undefined, find: () => undefined },
  openMetrics: true,
  logger: false,
};

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('give the file to write');
const app = await createApp(described as ApiDependencies);
await app.ready();
const document = JSON.stringify(app.swagger());
await app.close();
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, document);
