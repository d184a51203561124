/** The hooks of a test file on a real PostgreSQL: one server for the file, a fresh database for each test. */
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { startTestPostgres, type TestDatabase, type TestPostgres } from './database.ts';

/** Registers the hooks; `prepare` gets the database of each test before it begins, and the server for tests that kill it. */
export const databasePerTest = (prepare: (test: TestDatabase, postgres: TestPostgres) => Promise<void> | void): void => {
  let postgres: TestPostgres;
  let test: TestDatabase;
  beforeAll(async () => {
    postgres = await startTestPostgres();
  }, 120_000);
  afterAll(() => postgres.stop());
  beforeEach(async () => {
    test = await postgres.createDatabase();
    await prepare(test, postgres);
  });
  afterEach(() => test.drop());
};
