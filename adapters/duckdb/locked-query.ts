/**
 * User SQL, locked in. The tables lie in a database file of the call; nothing else can be reached: no file, no network, no other database, and no
 * setting can be changed back. It runs on one thread: parallel sums differ in their last digits from run to run.
 */
import { readdirSync, statSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { PerennialFailure } from '../../domain/failure.ts';
import { openDatabase, type DatabaseSettings } from './database.ts';
import { duckdbFailure } from './failure.ts';
import { guardSelect } from './select-guard.ts';

/** Where the rows of the query go: a schema that user SQL cannot name. */
export const RESULT_SCHEMA = 'perennial';
export const RESULT_TABLE = `${RESULT_SCHEMA}.result`;

const WATCH_MS = 200;
/** For how many rounds of the watch a query may ignore its interrupt. */
const INTERRUPTS = 15;
/** What Node and a plain plan take in this process besides DuckDB's own counted memory. */
const BESIDE_DUCKDB_BYTES = 1_000_000_000;
const LEAST_FREE_BYTES = 256 * 1024 * 1024;

export type QueryLimits = { timeoutMs: number; maximumBytes: number };

const invalid = (message: string, fix: string): PerennialFailure => new PerennialFailure('FeatureQueryInvalid', message, { fix });

const sizeOf = (folder: string): number => {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    bytes += entry.isDirectory() ? sizeOf(path) : (statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  }
  return bytes;
};

/** What the query uses up on disk, so that one that never ends does not fill it. */
const overuseOf = (folder: string, start: { bytes: number }, limits: QueryLimits): PerennialFailure | undefined => {
  const disk = statfsSync(folder);
  if (disk.bavail * disk.bsize < LEAST_FREE_BYTES) return new PerennialFailure('DiskFull', 'the feature SQL left too little space on the disk of the worker');
  const used = sizeOf(folder) - start.bytes;
  if (used <= limits.maximumBytes) return undefined;
  return invalid(`the feature SQL uses more than ${Math.round(limits.maximumBytes / 1e6)} MB of disk`, 'Select fewer rows or columns; look for a join without a key.');
};

/** Bytes of a limit such as `512MB` or `2GB`, as DuckDB reads it. */
export const bytesOf = (limit: string): number => {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([KMGT])i?B\s*$/i.exec(limit);
  if (match === null) throw new Error(`the memory limit "${limit}" is no size such as 512MB or 2GB`);
  return Number(match[1]) * 1_000 ** ('KMGT'.indexOf((match[2] ?? '').toUpperCase()) + 1);
};

/** What ends a query before its time: its bounds on time, disk and, beyond what DuckDB counts itself (plans, trees), memory. */
const watchUse = (settings: DatabaseSettings, limits: QueryLimits): (() => PerennialFailure | undefined) => {
  const start = { bytes: sizeOf(settings.folder), at: Date.now() };
  const memory = bytesOf(settings.memoryLimit) + BESIDE_DUCKDB_BYTES;
  return () => {
    if (Date.now() - start.at > limits.timeoutMs) return invalid(`the feature SQL ran longer than ${limits.timeoutMs / 1_000} s`, 'Make it cheaper: look for a join without a key.');
    if (process.memoryUsage.rss() > memory) return invalid(`the feature SQL needs more memory than the limit of the data worker (${settings.memoryLimit})`, 'Select fewer rows or columns, or make it simpler.');
    return overuseOf(settings.folder, start, limits);
  };
};

/** Does the work until it ends or uses up one of its bounds; work that does not heed its interrupt is left behind, for the process ends then. */
const within = async <T>(connection: DuckDBConnection, overuse: () => PerennialFailure | undefined, work: Promise<T>): Promise<T> => {
  let stopped: PerennialFailure | undefined;
  let watch: NodeJS.Timeout | undefined;
  const given = new Promise<never>((_resolve, reject) => {
    let interrupts = 0;
    watch = setInterval(() => {
      stopped ??= overuse();
      if (stopped === undefined) return;
      // Again and again: an interrupt that comes between two parts of the work is lost.
      connection.interrupt();
      interrupts += 1;
      if (interrupts > INTERRUPTS) reject(stopped);
    }, WATCH_MS);
  });
  try {
    return await Promise.race([work, given]);
  } catch (error) {
    throw stopped ?? error;
  } finally {
    clearInterval(watch);
  }
};

const LOCKS = ['SET enable_external_access = false', 'SET lock_configuration = true'];

const runGuarded = async (connection: DuckDBConnection, query: { sql: string; tables: readonly string[] }): Promise<void> => {
  await guardSelect(connection, query.sql, query.tables);
  // Once by itself: so that errors name the lines of the user's text.
  const prepared = await (await connection.extractStatements(query.sql)).prepare(0);
  if (prepared.parameterCount > 0) throw invalid('the feature SQL has parameters (? or $name), and there is nothing to put in their place', 'Write the values.');
  prepared.destroySync();
  await connection.run(`CREATE TABLE ${RESULT_TABLE} AS\n${query.sql}`);
};

/**
 * Runs one SELECT over the tables of the database file and leaves its rows in `RESULT_TABLE`.
 * @throws PerennialFailure FeatureQueryInvalid with DuckDB's own words and the line
 */
export const runLocked = async (settings: DatabaseSettings, query: { sql: string; tables: readonly string[]; limits: QueryLimits }): Promise<void> => {
  const { connection, close } = await openDatabase({ ...settings, threads: 1 });
  for (const lock of LOCKS) await connection.run(lock);
  try {
    await within(connection, watchUse(settings, query.limits), runGuarded(connection, query));
  } catch (error) {
    // The database stays open: closing it would wait for work that goes on, and the process ends after a failure.
    throw duckdbFailure('FeatureQueryInvalid', 'the feature SQL failed', error);
  }
  close();
};
