/**
 * Artifact store in a bucket of any S3 server. An object gets its key only whole (one put, or a completed multipart upload);
 * `If-None-Match` keeps a second writer from writing the same bytes again; that the object is there then is a success.
 */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { ArtifactStore } from '../../domain/ports/artifact-store.ts';
import { corrupt, hashFile, keyOf, refOf, writeVerified } from './content-address.ts';
import { connectS3, type S3Config } from './s3-connection.ts';
import { notFound, saysAbsent, storeFailure } from './store-failure.ts';

/** The `minio` client does not see an error of the stream that it reads from, and would wait for its end. */
const failureOf = (body: Readable): Promise<never> => new Promise((_resolve, reject) => body.once('error', reject));

/** Opens an artifact store in a bucket; nothing is asked of the server yet. `idleMs`: a connection without traffic is given up after it. */
export const createS3Store = (config: S3Config, idleMs?: number): ArtifactStore => {
  const client = connectS3(config, idleMs);
  const { bucket } = config;
  const where = `the bucket ${bucket}`;

  /** Size of the object in bytes; undefined when there is none. */
  const sizeOf = async (artifact: ArtifactRef): Promise<number | undefined> => {
    try {
      return (await client.statObject(bucket, keyOf(artifact))).size;
    } catch (error) {
      if (saysAbsent(error)) return undefined;
      throw storeFailure(error, where);
    }
  };

  const upload = async (artifact: ArtifactRef, body: Buffer | Readable): Promise<void> => {
    const put = client.putObject(bucket, keyOf(artifact), body, artifact.bytes, { 'If-None-Match': '*', 'Content-Type': 'application/octet-stream' });
    await (Buffer.isBuffer(body) ? put : Promise.race([put, failureOf(body)]));
  };

  const store = async (artifact: ArtifactRef, open: () => Buffer | Readable): Promise<ArtifactRef> => {
    if ((await sizeOf(artifact)) === artifact.bytes) return artifact;
    const failure = await upload(artifact, open()).then(() => undefined, (error: unknown) => error);
    // Whatever the answer was: another writer may have stored the same bytes meanwhile, in the same multipart upload even.
    const size = await sizeOf(artifact);
    if (size === artifact.bytes) return artifact;
    await client.removeIncompleteUpload(bucket, keyOf(artifact)).catch(() => undefined);
    if (size === undefined) throw storeFailure(failure, where);
    // Never seen but by a broken server or a source that changed: what has this key must go, or every later put would trust it.
    await client.removeObject(bucket, keyOf(artifact)).catch(() => undefined);
    throw corrupt(artifact, where);
  };

  const read = async (artifact: ArtifactRef): Promise<Readable> => {
    try {
      return await client.getObject(bucket, keyOf(artifact));
    } catch (error) {
      throw saysAbsent(error) ? notFound(artifact, where) : storeFailure(error, where);
    }
  };

  return {
    put: (bytes) => store(refOf(bytes), () => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)),

    putFile: async (path, onProgress) => {
      const artifact = await hashFile(path, onProgress);
      return store(artifact, () => createReadStream(path));
    },

    get: async (artifact) => {
      const chunks: Uint8Array[] = [];
      let size = 0;
      try {
        for await (const chunk of await read(artifact)) {
          chunks.push(chunk as Uint8Array);
          size += (chunk as Uint8Array).byteLength;
          if (size > artifact.bytes) throw corrupt(artifact, where);
        }
      } catch (error) {
        throw storeFailure(error, where);
      }
      const bytes = Buffer.concat(chunks);
      if (refOf(bytes).sha256 !== artifact.sha256) throw corrupt(artifact, where);
      return bytes;
    },

    download: async (artifact, path) => {
      const body = await read(artifact);
      try {
        await writeVerified({ artifact, path, where }, body);
      } catch (error) {
        body.destroy();
        throw error instanceof PerennialFailure ? error : storeFailure(error, where);
      }
    },

    exists: async (artifact) => (await sizeOf(artifact)) === artifact.bytes,
  };
};
