/**
 * DataEngine on DuckDB. Every call has a process and a folder of its own: a file that crashes DuckDB or a query that eats
 * the memory ends that process, and the worker goes on with an error that says so.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isFailureCode } from '../../contracts/failures.ts';
import type { DataEngine } from '../../domain/ports/data-engine.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { Call, CallMessage } from './call.ts';
import { bytesOf } from './locked-query.ts';
import { checkFiles } from './checks/check-files.ts';

export type DataEngineOptions = {
  /** Folder for the working files of calls. */
  scratchFolder: string;
  /** Bound on DuckDB's memory per call, such as `2GB`. */
  memoryLimit?: string;
  /** Threads of trusted work (reading, checking); user SQL runs on one, so that it gives the same each time. */
  threads?: number;
  /** Bound on user SQL, in milliseconds. */
  queryTimeoutMs?: number;
  /** Bound on what user SQL may write to disk, rows and spill, in bytes. */
  maximumQueryBytes?: number;
};

const PROCESS = fileURLToPath(new URL('query-process.ts', import.meta.url));
const GIGABYTE = 1e9;
/** Enough to stream rows, and to go to disk with what does not fit; tables of very many columns need more, and get it. */
const STREAMING_LIMIT = '128MB';

const neededMore = (error: unknown): boolean => error instanceof PerennialFailure && /needs more memory than the limit/.test(error.message);

/** No secret of the worker is in the environment of a process that runs user SQL. */
const childEnvironment = (folder: string): NodeJS.ProcessEnv => ({ HOME: folder, TMPDIR: folder, TZ: 'UTC' });

const startProcess = (folder: string): ChildProcess =>
  fork(PROCESS, [], { execArgv: ['--import', import.meta.resolve('tsx')], env: childEnvironment(folder), cwd: folder, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });

/** What the sudden end of a process says: of the files while they were read, of the query otherwise. */
const deathOf = (call: Call, reading: string | null, how: string): Error => {
  if (reading !== null) return new PerennialFailure('SourceCorrupt', `reading ${reading} ended DuckDB (${how})`);
  if (call.task === 'buildFeatures' || call.task === 'matchFeatures' || call.task === 'customSql') return new PerennialFailure('FeatureQueryInvalid', `the feature SQL ended its process (${how})`, { fix: 'Select fewer rows or columns; look for a join without a key.' });
  return new Error(`the DuckDB process ended (${how})`);
};

/** Waits for the answer of a process, or for its end. */
const answerOf = (child: ChildProcess, call: Call): Promise<CallMessage> =>
  new Promise((resolve, reject) => {
    let reading: string | null = null;
    let complaint = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString('utf8')).slice(-2_000);
    });
    child.on('message', (message: CallMessage) => {
      if ('reading' in message) reading = message.reading;
      else resolve(message);
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      const started = reading !== null || signal !== null || complaint === '';
      reject(started ? deathOf(call, reading, signal ?? `exit code ${code}`) : new Error(`the DuckDB process could not work: ${complaint}`));
    });
    child.send(call, (error) => {
      if (error !== null) reject(error);
    });
  });

const unpack = (message: CallMessage): unknown => {
  if ('result' in message) return message.result;
  if ('failure' in message && isFailureCode(message.failure.code)) throw new PerennialFailure(message.failure.code, message.failure.message, { fix: message.failure.fix });
  throw new Error('error' in message ? message.error : 'the DuckDB process gave no answer');
};

/** Names of working files mean nothing to a user, and their folder is nobody's business. */
const hideFolder = (error: unknown, folder: string): unknown => {
  if (!(error instanceof PerennialFailure) || !error.message.includes(folder)) return error;
  return new PerennialFailure(error.code, error.message.replaceAll(`${folder}/`, '').replaceAll(folder, '.'), { fix: error.fix, cause: error.cause });
};

/** A data engine whose calls run side by side; memory is bounded per call. */
export const createDataEngine = (options: DataEngineOptions): DataEngine => {
  const { scratchFolder, memoryLimit = '2GB', threads = 2, queryTimeoutMs = 1_800_000, maximumQueryBytes = 50 * GIGABYTE } = options;
  mkdirSync(scratchFolder, { recursive: true });

  const perform = async <Result>(task: (base: Pick<Call, 'settings' | 'limits'>) => Call, signal?: AbortSignal): Promise<Result> => {
    signal?.throwIfAborted();
    const folder = await mkdtemp(join(scratchFolder, `duckdb.${process.pid}.`));
    const call = task({ settings: { folder, memoryLimit, threads }, limits: { timeoutMs: queryTimeoutMs, maximumBytes: maximumQueryBytes } });
    const child = startProcess(folder);
    const ended = new Promise((resolve) => child.once('exit', resolve).once('error', resolve));
    const kill = (): void => void child.kill('SIGKILL');
    signal?.addEventListener('abort', kill);
    try {
      return unpack(await answerOf(child, call)) as Result;
    } catch (error) {
      throw hideFolder(error, folder);
    } finally {
      signal?.removeEventListener('abort', kill);
      kill();
      // Else it might still write to the folder that is removed.
      await ended;
      await rm(folder, { recursive: true, force: true });
    }
  };

  const least = bytesOf(memoryLimit) < bytesOf(STREAMING_LIMIT) ? memoryLimit : STREAMING_LIMIT;

  /** Reading and checking: in little memory where that is enough, so that many steps have room beside each other. */
  const stream = <Result>(task: (base: Pick<Call, 'settings' | 'limits'>) => Call, signal?: AbortSignal): Promise<Result> =>
    perform<Result>(({ settings, limits }) => task({ settings: { ...settings, memoryLimit: least }, limits }), signal).catch((error: unknown) => {
      if (!neededMore(error)) throw error;
      return perform<Result>(task, signal);
    });

  return {
    inspect: (tables, call) => stream((base) => ({ ...base, task: 'inspect', tables }), call?.signal),
    check: ({ tables, checks, atMs }, call) => checkFiles({ tables, checks, atMs }, (task) => (task.task === 'check' ? stream : perform)((base) => ({ ...base, ...task }), call?.signal)),
    matchFeatures: (input, call) => perform((base) => ({ ...base, task: 'matchFeatures', input }), call?.signal),
    splitRows: (input, call) => perform((base) => ({ ...base, task: 'splitRows', input }), call?.signal),
    buildFeatures: (input, call) => perform((base) => ({ ...base, task: 'buildFeatures', input }), call?.signal),
  };
};
