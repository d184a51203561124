/** The local Temporal server: `temporal server start-dev` on a file in the home folder, tuned and configured. */
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { repositoryRoot } from './tools/machine.ts';
import type { Program } from './processes/program.ts';

export type TemporalOptions = {
  /** Path of the Temporal CLI. */
  cli: string;
  home: string;
  port: number;
  uiPort: number;
  namespace: string;
};

const host = '127.0.0.1';

/** Histories stay for a season; the dev server's own default is one day. */
const retentionSeconds = 90 * 24 * 60 * 60;

const keyword = 2;
const searchAttributes = ['PerennialPipeline', 'PerennialModel', 'PerennialStage', 'PerennialOutcome', 'PerennialTrigger'];

/** The dev server has one shard and by default reads its queues 20 times a second: a workflow of seven steps took 750 ms. */
const dynamicConfig = [
  'history.transferProcessorMaxPollRPS=2000',
  'history.timerProcessorMaxPollRPS=2000',
  'system.enableActivityEagerExecution=true',
];

/** Survives kill -9 of the server; a power cut may cost the last moments. */
const sqlitePragmas = ['journal_mode=WAL', 'synchronous=NORMAL'];

const flags = (name: string, values: readonly string[]): string[] => values.flatMap((value) => [name, value]);

const ensureSearchAttributes = async (connection: Connection, namespace: string): Promise<void> => {
  const present = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = searchAttributes.filter((name) => !(name in (present.customAttributes ?? {})));
  if (missing.length === 0) return;
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])),
  });
};

const ensureRetention = async (connection: Connection, namespace: string): Promise<void> => {
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  if (Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) === retentionSeconds) return;
  const workflowExecutionRetentionTtl = { seconds: retentionSeconds } as never;
  await connection.workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl } });
};

/** A new attribute reaches the server's caches a moment after it was added: a query that names them all fails until then. */
const searchAttributesWork = async (connection: Connection, namespace: string): Promise<void> => {
  const query = searchAttributes.map((name) => `${name} = 'none'`).join(' and ');
  await connection.workflowService.listWorkflowExecutions({ namespace, query, pageSize: 1 });
};

/**
 * Sets retention and search attributes of the namespace; changes nothing that is right already.
 * @throws Error while the server is not up or has not taken them over yet
 */
export const configureTemporal = async ({ address, namespace }: { address: string; namespace: string }): Promise<void> => {
  const connection = await Connection.connect({ address, connectTimeout: '2s' });
  try {
    await connection.withDeadline(Date.now() + 5_000, async () => {
      await ensureRetention(connection, namespace);
      await ensureSearchAttributes(connection, namespace);
      await searchAttributesWork(connection, namespace);
    });
  } finally {
    await connection.close();
  }
};

/** How the supervisor runs the Temporal server; it is ready when it is up and configured, anew after every start. */
export const temporalProgram = ({ cli, home, port, uiPort, namespace }: TemporalOptions): Program => ({
  name: 'temporal',
  command: [
    cli,
    'server',
    'start-dev',
    ...['--ip', host, '--port', String(port), '--ui-port', String(uiPort)],
    ...['--namespace', namespace, '--db-filename', join(home, 'temporal.db')],
    ...flags('--sqlite-pragma', sqlitePragmas),
    ...flags('--dynamic-config-value', dynamicConfig),
    ...['--log-format', 'json', '--log-level', 'error', '--color', 'never'],
  ],
  environment: {},
  cwd: repositoryRoot,
  ready: {
    probe: async () => {
      await configureTemporal({ address: `${host}:${port}`, namespace });
      return true;
    },
  },
  stopSignal: 'SIGTERM',
  stopMs: 10_000,
});
