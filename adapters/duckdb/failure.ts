/** What an error of DuckDB means to the one who called. */
import { PerennialFailure } from '../../domain/failure.ts';
import type { FailureCode } from '../../contracts/failures.ts';
import { messageOf } from './database.ts';

const DISK_FULL = /No space left on device|max_temp_directory_size|ENOSPC/i;
const OUT_OF_MEMORY = /^Out of Memory Error|could not allocate|failed to allocate|failed to pin/i;

/**
 * A PerennialFailure for an error while DuckDB worked on what a user gave: a full disk is an outage, all else is `code` with DuckDB's message behind
 * `what`.
 */
export const duckdbFailure = (code: FailureCode, what: string, error: unknown): PerennialFailure => {
  if (error instanceof PerennialFailure) return error;
  const message = messageOf(error);
  if (DISK_FULL.test(message)) return new PerennialFailure('DiskFull', `${what}: the disk of the worker is full`, { cause: error });
  if (OUT_OF_MEMORY.test(message)) {
    const fix = 'Select fewer rows or columns, join on a key, or raise the memory limit of the data worker.';
    return new PerennialFailure(code, `${what}: it needs more memory than the limit of the data worker (${message.split('\n')[0]})`, { cause: error, fix });
  }
  return new PerennialFailure(code, `${what}: ${message}`, { cause: error });
};
