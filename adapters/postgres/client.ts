/** The connection pool to PostgreSQL, and the one place that tells an outage from a mistake. */
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Database } from './schema.ts';

const INT8 = 20;

/**
 * Opens a pool. bigint columns are read as numbers: ours count rows and generations, far below 2^53.
 * A statement is bounded to 15 s and a connection attempt to 5 s, so that an outage becomes an error, never a hang.
 */
export const connectDatabase = (url: string, options: { connections?: number } = {}): { database: Kysely<Database>; pool: pg.Pool } => {
  const types = new pg.TypeOverrides();
  types.setTypeParser(INT8, (text) => Number(text));
  const pool = new pg.Pool({
    connectionString: url,
    max: options.connections ?? 8,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 15_000,
    query_timeout: 20_000,
    keepAlive: true,
    types,
  });
  // An idle connection that breaks (server killed) must not end the process; the next query opens another.
  pool.on('error', () => undefined);
  return { database: new Kysely<Database>({ dialect: new PostgresDialect({ pool }) }), pool };
};

const CONNECTION_ERRORS = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH']);

/** True for errors that say that the database cannot be reached or is going down, which a retry may outlast. */
export const isDatabaseOutage = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string' && (CONNECTION_ERRORS.has(code) || code.startsWith('08') || code.startsWith('57P'))) return true;
  return /Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error/.test(error.message);
};

/** Runs a statement of the migrations' kind: JSON columns are written as text. */
export const asJson = (value: unknown): string => JSON.stringify(value);
