/** Content addresses: how bytes become a reference, a reference a key, and how bytes that came back are proven. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import { PerennialFailure } from '../../domain/failure.ts';

const CHUNK_BYTES = 1024 * 1024;

export const artifactRef = (sha256: string, bytes: number): ArtifactRef => ({ uri: `artifact:sha256/${sha256}`, sha256, bytes });

export const refOf = (bytes: Uint8Array): ArtifactRef => artifactRef(createHash('sha256').update(bytes).digest('hex'), bytes.byteLength);

/**
 * Key of an artifact in every store, `sha256/ab/<hex>`. It is made of the hash alone, and only of a well-formed one:
 * a reference may come from a row or a request, and must never become another path.
 * @throws PerennialFailure ArtifactNotFound when the reference is not one
 */
export const keyOf = (artifact: ArtifactRef): string => {
  const { sha256, uri } = artifact;
  if (!/^[0-9a-f]{64}$/.test(sha256) || uri !== `artifact:sha256/${sha256}`) {
    throw new PerennialFailure('ArtifactNotFound', 'the artifact reference is not well-formed: its uri must be artifact:sha256/ and the 64 hexadecimal digits of its sha256');
  }
  return `sha256/${sha256.slice(0, 2)}/${sha256}`;
};

export const corrupt = (artifact: ArtifactRef, where: string): PerennialFailure =>
  new PerennialFailure('ArtifactCorrupt', `the bytes of ${artifact.uri} in ${where} do not match their hash (${artifact.bytes} bytes expected)`);

/** Size and sha256 of a file, read as a stream. */
export const hashFile = async (path: string, onChunk?: (chunk: Uint8Array) => void): Promise<ArtifactRef> => {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    onChunk?.(chunk as Buffer);
  }
  return artifactRef(hash.digest('hex'), bytes);
};

/** Gives the chunks of a source on, one late: the last is only given when all have the right hash. */
export async function* verified(target: { artifact: ArtifactRef; where: string }, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let held: Uint8Array | undefined;
  for await (const chunk of source) {
    hash.update(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  if (hash.digest('hex') !== target.artifact.sha256) throw corrupt(target.artifact, target.where);
  if (held !== undefined) yield held;
}

/** Writes a stream beside `path`, flushed, and hands over the reference of what was written and the file that holds it. */
export const writeBeside = async (path: string, source: AsyncIterable<Uint8Array>): Promise<{ written: ArtifactRef; part: string }> => {
  const part = `${path}.${randomUUID()}.part`;
  const file = await open(part, 'wx', 0o600);
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of source) {
      hash.update(chunk);
      bytes += chunk.byteLength;
      await file.writeFile(chunk);
    }
    await file.sync();
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  return { written: artifactRef(hash.digest('hex'), bytes), part };
};

/** Streams an artifact to a file that appears under its name only when its hash was verified. */
export const writeVerified = async (target: { artifact: ArtifactRef; path: string; where: string }, source: AsyncIterable<Uint8Array>): Promise<void> => {
  const { written, part } = await writeBeside(target.path, source);
  try {
    if (written.sha256 !== target.artifact.sha256) throw corrupt(target.artifact, target.where);
    await rename(part, target.path);
  } finally {
    await rm(part, { force: true });
  }
};
