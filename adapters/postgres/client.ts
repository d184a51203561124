/** The connection pool to PostgreSQL, and the one place that tells an outage from a mistake. */
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { PerennialFailure } from '../../domain/failure.ts';
import type { Database } from './schema.ts';

const INT8 = 20;

/**
 * Opens a pool. bigint columns are read as numbers: ours count rows and generations, far below 2^53.
 * A statement is bounded to 8 s and a connection attempt to 5 s, so that an outage becomes an error, never a hang.
 */
export const connectDatabase = (url: string, options: { connections?: number } = {}): { database: Kysely<Database>; pool: pg.Pool } => {
  const types = new pg.TypeOverrides();
  types.setTypeParser(INT8, (text) => Number(text));
  const pool = new pg.Pool({
    connectionString: url,
    max: options.connections ?? 8,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 8_000,
    query_timeout: 9_000,
    keepAlive: true,
    types,
  });
  // An idle connection that breaks (server killed) must not end the process; the next query opens another.
  pool.on('error', () => undefined);
  // Nor must one that breaks in the middle of a query: the query itself fails, and that error is handled where it was asked.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return { database: new Kysely<Database>({ dialect: new PostgresDialect({ pool }) }), pool };
};

const CONNECTION_ERRORS = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);

/** SQLSTATE classes and codes: connection lost, operator intervention, out of connections, statement timeout, read-only standby. */
const isOutageState = (code: string): boolean => code.startsWith('08') || code.startsWith('57') || code === '53300' || code === '25006';

const OUTAGE_MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed/;

/** True for errors that say that the database cannot be reached or is going down, which a retry may outlast. */
export const isDatabaseOutage = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string' && (CONNECTION_ERRORS.has(code) || isOutageState(code))) return true;
  return OUTAGE_MESSAGES.test(error.message);
};

const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? code : 'no answer';
};

/**
 * Runs one question to the database. Whatever says "not reachable" becomes one named failure; any other error goes through.
 * @throws PerennialFailure PostgresUnavailable
 */
export const askDatabase = async <T>(question: () => Promise<T>): Promise<T> => {
  try {
    return await question();
  } catch (error) {
    if (!isDatabaseOutage(error)) throw error;
    throw new PerennialFailure('PostgresUnavailable', `PostgreSQL cannot be reached (${codeOf(error)})`, { cause: error });
  }
};

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;
const MAY_BE_UNSTORABLE = /\\u(0000|d[89a-f])/;

/** PostgreSQL's jsonb refuses NUL and lone surrogates, which a trainer's log or a file name may hold: they become U+FFFD. */
const storable = (text: string): string => text.replaceAll('\u0000', '\uFFFD').replace(LONE_SURROGATE, '\uFFFD');

/** A value for a JSON column, which is written as text; undefined is JSON null. */
export const asJson = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'null';
  if (!MAY_BE_UNSTORABLE.test(text)) return text;
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'string' ? storable(part) : part));
};
