/** What the API is built from; api/main.ts gives the real ones. */
import type { Client } from '@temporalio/client';
import type { FastifyServerOptions, RouteOptions } from 'fastify';
import type { Kysely } from 'kysely';
import type { Pool } from 'pg';
import type { Registry } from 'prom-client';
import type { LoggedInferences } from '../adapters/monitoring/logged-inferences.ts';
import type { Database } from '../adapters/postgres/schema.ts';
import type { PriceTable } from '../contracts/resources.ts';
import type { ArtifactStore } from '../domain/ports/artifact-store.ts';
import type { Deployments } from '../domain/ports/deployments.ts';
import type { ScheduleEngine, ScheduleRows } from '../domain/ports/schedules.ts';
import type { ConsoleFiles } from './console/console-files.ts';
import type { WorkflowControl } from '../domain/ports/workflow-control.ts';

export type ApiDependencies = {
  /** The API's own reads and writes: keys, pipelines, audit, idempotency, and what it shows. */
  database: Kysely<Database>;
  /** The connections of `database`, for the one question that is asked all the time. */
  pool: Pick<Pool, 'query'>;
  client: Client;
  /** Answers of models, in the prediction log. */
  inferences: LoggedInferences;
  /** Bytes of tracked artifacts and of the files of dataset versions. */
  artifacts: ArtifactStore;
  /** Traffic is only ever changed through this port. */
  deployments: Deployments;
  /** Hands events to the trigger ledger. */
  workflows: WorkflowControl;
  /** Schedules as they are wished for, and Temporal's. */
  schedules: { rows: ScheduleRows; engine: ScheduleEngine };
  /** Names of the operator's receivers of alerts; undefined where this process cannot know them. */
  receivers(): Promise<string[] | undefined>;
  /** True for errors that say that PostgreSQL cannot be reached. */
  isDatabaseOutage(error: unknown): boolean;
  temporal: { namespace: string; uiUrl: string };
  /** Makes the registry of metrics, with those of the process itself if they are wanted. */
  createRegistry(): Registry;
  /** What used resources cost; null: not declared. */
  prices: PriceTable | null;
  /** Whether /metrics answers without a key: only right where nobody but this machine can ask. */
  openMetrics: boolean;
  /** The built console; without a page it was not built. */
  consoleFiles: ConsoleFiles;
  logger: FastifyServerOptions['logger'];
  /** Told each route as it is registered, with its policy: for tests that walk the table. */
  onRoute?: (route: RouteOptions) => void;
};
