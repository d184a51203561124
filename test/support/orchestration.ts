/** PostgreSQL, a Temporal dev server and worker processes, without API and gateways: each a process that can be killed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { createFleet, type Processes } from '../../deploy/local/processes/fleet.ts';
import { findFreePorts } from '../../deploy/local/processes/ports.ts';
import { entryFiles, workerProgram, type StackSettings } from '../../deploy/local/programs.ts';
import { temporalProgram } from '../../deploy/local/temporal.ts';
import { resolveTools } from '../../deploy/local/tools/resolve.ts';
import { childEnvironment } from '../../deploy/local/tools/machine.ts';
import { readConfig } from '../../workers/config.ts';
import { startTestPostgres, type TestDatabase, type TestPostgres } from './database.ts';

export type Orchestration = {
  home: string;
  client: Client;
  postgres: TestPostgres;
  test: TestDatabase;
  processes: Processes;
  /** Lines that a process has printed so far. */
  linesOf: (name: string) => string[];
  addWorker: (pool: string) => Promise<void>;
  stop: () => Promise<void>;
};

/** Starts everything; `pools` get a worker each. `environment` is given to the workers. */
export const startOrchestration = async ({ pools, environment = {} }: { pools: readonly string[]; environment?: Record<string, string> }): Promise<Orchestration> => {
  const home = mkdtempSync(join(tmpdir(), 'perennial-orchestration-'));
  const ports = await findFreePorts();
  const postgres = await startTestPostgres();
  const test = await postgres.createDatabase();
  const chosen = { PERENNIAL_HOME: home, PERENNIAL_TEMPORAL_PORT: String(ports.temporal), PERENNIAL_POSTGRES_URL: test.url, ...environment };
  const config = readConfig(childEnvironment(chosen));
  const settings: StackSettings = { config, ports, entries: entryFiles, environment: chosen };
  const lines = new Map<string, string[]>();
  const fleet = createFleet({ home, readyMs: 60_000, log: (name, line) => void lines.set(name, [...(lines.get(name) ?? []), line]) });
  const tools = resolveTools();
  await fleet.add(temporalProgram({ cli: tools.temporalCli, home, port: ports.temporal, uiPort: ports.temporalUi, namespace: 'default' }));
  const addWorker = (pool: string): Promise<void> => fleet.add(workerProgram(settings, pool));
  await Promise.all(pools.map(addWorker));
  const connection = await Connection.connect({ address: config.temporal.address });
  return {
    home,
    client: new Client({ connection }),
    postgres,
    test,
    processes: fleet.processes,
    linesOf: (name) => lines.get(name) ?? [],
    addWorker,
    stop: async () => {
      // The connection ends with the process: a call that is still tried again would fail on a closed one, uncaught.
      await fleet.stop();
      await test.drop();
      await postgres.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
};
