/**
 * Artifact store in a bucket of any S3 server. An object gets its key only whole (one put, or a completed multipart upload);
 * `If-None-Match` keeps a second writer from writing the same bytes again; that the object is there then is a success.
 */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Client } from 'minio';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { ArtifactStore } from '../../domain/ports/artifact-store.ts';
import { corrupt, hashFile, keyOf, refOf, verified, writeBeside, writeVerified } from './content-address.ts';
import { connectS3, type S3Config } from './s3-connection.ts';
import { notFound, saysAbsent, storeFailure } from './store-failure.ts';

/** The `minio` client does not see an error of the stream that it reads from, and would wait for its end. */
const failureOf = (body: Readable): Promise<never> => new Promise((_resolve, reject) => body.once('error', reject));

type Bucket = { client: Client; bucket: string; where: string };

/** Size of the object in bytes; undefined when there is none. */
const sizeOf = async ({ client, bucket, where }: Bucket, artifact: ArtifactRef): Promise<number | undefined> => {
  try {
    return (await client.statObject(bucket, keyOf(artifact))).size;
  } catch (error) {
    if (saysAbsent(error)) return undefined;
    throw storeFailure(error, where);
  }
};

const upload = async ({ client, bucket }: Bucket, artifact: ArtifactRef, body: Buffer | Readable): Promise<void> => {
  const put = client.putObject(bucket, keyOf(artifact), body, artifact.bytes, { 'If-None-Match': '*', 'Content-Type': 'application/octet-stream' });
  await (Buffer.isBuffer(body) ? put : Promise.race([put, failureOf(body)]));
};

/** Writers of the same bytes share a multipart upload: whoever comes second finds it gone, and the object may take a moment to be there. */
const isSharedUpload = (failure: unknown): boolean => failure instanceof Error && 'code' in failure && failure.code === 'NoSuchUpload';

/** Uploads what the store does not have yet; `open` gives the bytes. */
const store = async (target: Bucket, artifact: ArtifactRef, open: () => Buffer | Readable, isAgain = false): Promise<ArtifactRef> => {
  const { client, bucket, where } = target;
  if ((await sizeOf(target, artifact)) === artifact.bytes) return artifact;
  const failure = await upload(target, artifact, open()).then(() => undefined, (error: unknown) => error);
  // Whatever the answer was: another writer may have stored the same bytes meanwhile, in the same multipart upload even.
  const size = await sizeOf(target, artifact);
  if (size === artifact.bytes) return artifact;
  if (size === undefined && isSharedUpload(failure) && !isAgain) return store(target, artifact, open, true);
  await client.removeIncompleteUpload(bucket, keyOf(artifact)).catch(() => undefined);
  if (size === undefined) throw storeFailure(failure, where);
  // Never seen but by a broken server or a source that changed: what has this key must go, or every later put would trust it.
  await client.removeObject(bucket, keyOf(artifact)).catch(() => undefined);
  throw corrupt(artifact, where);
};

const read = async ({ client, bucket, where }: Bucket, artifact: ArtifactRef): Promise<Readable> => {
  try {
    return await client.getObject(bucket, keyOf(artifact));
  } catch (error) {
    throw saysAbsent(error) ? notFound(artifact, where) : storeFailure(error, where);
  }
};

const readAll = async (source: Bucket, artifact: ArtifactRef): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of await read(source, artifact)) {
      chunks.push(chunk as Uint8Array);
      size += (chunk as Uint8Array).byteLength;
      if (size > artifact.bytes) throw corrupt(artifact, source.where);
    }
  } catch (error) {
    throw storeFailure(error, source.where);
  }
  const bytes = Buffer.concat(chunks);
  if (refOf(bytes).sha256 !== artifact.sha256) throw corrupt(artifact, source.where);
  return bytes;
};

/** The key is the hash, which is known at the end of a stream: it passes through a file, which is read again for the upload. */
const storeStream = async (target: Bucket, source: AsyncIterable<Uint8Array>): Promise<ArtifactRef> => {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-upload-'));
  try {
    const { written, part } = await writeBeside(join(folder, 'stream'), source);
    return await store(target, written, () => createReadStream(part));
  } catch (error) {
    throw storeFailure(error, target.where);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** Opens an artifact store in a bucket; nothing is asked of the server yet. `idleMs`: a connection without traffic is given up after it. */
export const createS3Store = (config: S3Config, idleMs?: number): ArtifactStore => {
  const target: Bucket = { client: connectS3(config, idleMs), bucket: config.bucket, where: `the bucket ${config.bucket}` };
  return {
    put: (bytes) => store(target, refOf(bytes), () => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)),

    putFile: async (path, onChunk) => {
      const artifact = await hashFile(path, onChunk);
      return store(target, artifact, () => createReadStream(path));
    },

    putStream: (source) => storeStream(target, source),

    stream: async (artifact) => verified({ artifact, where: target.where }, await read(target, artifact)),

    get: (artifact) => readAll(target, artifact),

    download: async (artifact, path) => {
      const body = await read(target, artifact);
      try {
        await writeVerified({ artifact, path, where: target.where }, body);
      } catch (error) {
        body.destroy();
        throw storeFailure(error, target.where);
      }
    },


    exists: async (artifact) => (await sizeOf(target, artifact)) === artifact.bytes,
  };
};
