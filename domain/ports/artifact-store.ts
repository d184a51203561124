import type { ArtifactRef } from '../../contracts/artifact.ts';

/**
 * Content-addressed storage of immutable bytes. A key is the sha256 of the content, so every put is idempotent and two
 * writers of the same bytes do not disturb each other. Reads verify the hash: bytes that do not match are never returned
 * (failure ArtifactCorrupt). An absent artifact is ArtifactNotFound; an unreachable store ArtifactStoreUnavailable;
 * a full disk DiskFull.
 */
export interface ArtifactStore {
  put(bytes: Uint8Array): Promise<ArtifactRef>;
  /** Streams a file into the store; memory use does not grow with its size. `onChunk` gets its bytes in order, once, as they are hashed. */
  putFile(path: string, onChunk?: (chunk: Uint8Array) => void): Promise<ArtifactRef>;
  /** Streams bytes of unknown length and hash into the store; memory use does not grow with them. A source that fails leaves nothing. */
  putStream(source: AsyncIterable<Uint8Array>): Promise<ArtifactRef>;
  get(artifact: ArtifactRef): Promise<Uint8Array>;
  /** Streams an artifact out. The hash is known at the end only: the stream then fails (ArtifactCorrupt), before its last bytes are given. */
  stream(artifact: ArtifactRef): Promise<AsyncIterable<Uint8Array>>;
  /** Streams an artifact to a file, written beside it first and renamed when its hash was verified. */
  download(artifact: ArtifactRef, path: string): Promise<void>;
  exists(artifact: ArtifactRef): Promise<boolean>;
}
