/** What errors of disk and network mean to a caller of the artifact store. */
import type { ArtifactRef } from '../../contracts/artifact.ts';
import { PerennialFailure } from '../../domain/failure.ts';

const FULL = new Set(['ENOSPC', 'EDQUOT', 'XMinioStorageFull', 'InsufficientStorage']);
const ABSENT = new Set(['ENOENT', 'NoSuchKey', 'NotFound']);

export const codeOf = (error: unknown): string => {
  const code = error !== null && typeof error === 'object' && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
};

/** True when the store answered that it has no such object, as against being unreachable. */
export const saysAbsent = (error: unknown): boolean => ABSENT.has(codeOf(error));

export const notFound = (artifact: ArtifactRef, where: string): PerennialFailure =>
  new PerennialFailure('ArtifactNotFound', `${artifact.uri} is not in ${where}`);

/**
 * Translates an error: a full disk is DiskFull, everything else that kept the store from answering is ArtifactStoreUnavailable, which is retried.
 * The code alone is told, because a client's message may hold addresses or keys.
 */
export const storeFailure = (error: unknown, where: string): PerennialFailure => {
  if (error instanceof PerennialFailure) return error;
  const code = codeOf(error);
  if (FULL.has(code)) return new PerennialFailure('DiskFull', `there is no space left for ${where} (${code})`, { cause: error });
  const reason = code === '' ? (error instanceof Error ? error.name : 'unknown error') : code;
  return new PerennialFailure('ArtifactStoreUnavailable', `${where} did not answer as it should (${reason})`, { cause: error });
};
