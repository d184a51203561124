/**
 * Brings the database to the newest schema. Run by hand, by `perennial up` and by tests:
 * `node --import tsx adapters/postgres/migrate.ts`. Kysely's migrator holds an advisory lock and runs all in one transaction,
 * so two at once, or one killed half way, do no harm.
 */
import { pathToFileURL } from 'node:url';
import { Migrator, type Kysely } from 'kysely';
import { readConfig } from '../../workers/config.ts';
import { connectDatabase } from './client.ts';
import * as init from './migrations/0001-init.ts';
import * as quality from './migrations/0003-quality.ts';
import * as alerts from './migrations/0004-alerts.ts';
import * as resources from './migrations/0006-resources.ts';
import * as schedules from './migrations/0005-schedules.ts';
import * as shadow from './migrations/0009-shadow.ts';
import * as tracking from './migrations/0010-tracking.ts';
import * as search from './migrations/0012-search.ts';
import type { Database } from './schema.ts';

const migrations = { '0001-init': init, '0003-quality': quality, '0004-alerts': alerts, '0005-schedules': schedules, '0006-resources': resources, '0009-shadow': shadow, '0010-tracking': tracking, '0012-search': search };

/** @throws Error of the first migration that failed; nothing of it remains */
export const migrate = async (database: Kysely<Database>): Promise<void> => {
  const migrator = new Migrator({ db: database, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
};

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { database } = connectDatabase(readConfig().postgres.url, { connections: 1 });
  try {
    await migrate(database);
  } finally {
    await database.destroy();
  }
}
