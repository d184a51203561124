/** The S3 store on a real server: the port's suite, and what a network can do to it. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createArtifactStore } from '../../../adapters/objectstore/index.ts';
import { createS3Store } from '../../../adapters/objectstore/s3-store.ts';
import { artifactStoreSuite } from '../../support/port-suites/artifact-store.ts';
import { startFaultyProxy, startS3Server, type FaultyProxy, type S3Server } from './s3-server.ts';

artifactStoreSuite('a bucket of an S3 server', async () => {
  const server = await startS3Server();
  return {
    store: createArtifactStore(server.config),
    other: createArtifactStore(server.config),
    damage: async ({ sha256 }) => {
      const path = join(server.bucketFolder, 'sha256', sha256.slice(0, 2), sha256);
      const bytes = await readFile(path);
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      await writeFile(path, bytes);
    },
    close: () => server.stop(),
  };
});

describe('a bucket behind a bad network', () => {
  let server: S3Server;
  let proxy: FaultyProxy;
  let folder: string;
  beforeAll(async () => {
    server = await startS3Server();
    proxy = await startFaultyProxy(server.config.endpoint);
    folder = await mkdtemp(join(tmpdir(), 's3-store-'));
  });
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const open = (idleMs?: number) => createS3Store({ ...server.config, endpoint: proxy.endpoint }, idleMs);

  it.each(['reset', 'truncate'] as const)('calls an answer that ends in the middle (%s) an outage, and reads whole bytes again after it', async (kind) => {
    const bytes = randomBytes(200_000);
    const artifact = await open().put(bytes);
    proxy.break({ kind }, 2);
    await expect(open().get(artifact)).rejects.toMatchObject({ code: 'ArtifactStoreUnavailable', retryable: true });
    await expect(open().download(artifact, join(folder, kind))).rejects.toMatchObject({ code: 'ArtifactStoreUnavailable' });
    expect(await readdir(folder)).toEqual([]);
    expect(Buffer.from(await open().get(artifact))).toEqual(bytes);
  });

  it('detects a byte that changed on its way', async () => {
    const artifact = await open().put(randomBytes(50_000));
    proxy.break({ kind: 'flip' }, 1);
    await expect(open().get(artifact)).rejects.toMatchObject({ code: 'ArtifactCorrupt', retryable: true });
  });

  it('outlasts a few refusals, and calls many an outage', async () => {
    proxy.break({ kind: 'status', status: 503 }, 2);
    const artifact = await open().put(randomBytes(1_000));
    expect(await open().exists(artifact)).toBe(true);
    proxy.break({ kind: 'status', status: 503 }, 10);
    await expect(open().put(randomBytes(1_000))).rejects.toMatchObject({ code: 'ArtifactStoreUnavailable' });
    proxy.break(null);
  });

  it('gives up on a server that says nothing', async () => {
    proxy.break({ kind: 'hang' }, 1);
    await expect(open(300).put(randomBytes(1_000))).rejects.toMatchObject({ code: 'ArtifactStoreUnavailable' });
    proxy.break(null);
  });

  it('calls a server that is down an outage, and keeps its keys to itself', async () => {
    const artifact = await open().put(Buffer.from('kept'));
    const gone = createS3Store({ ...server.config, endpoint: 'http://127.0.0.1:1' });
    for (const attempt of [gone.put(Buffer.from('x')), gone.get(artifact), gone.exists(artifact), gone.download(artifact, join(folder, 'gone'))]) {
      const error: unknown = await attempt.catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'ArtifactStoreUnavailable', retryable: true });
      expect(String(error)).not.toContain(server.config.secretAccessKey);
    }
  });

  it('does not call refused keys or an absent bucket an absent artifact', async () => {
    const artifact = await open().put(Buffer.from('kept'));
    const wrong = createS3Store({ ...server.config, secretAccessKey: 'wrong' });
    await expect(wrong.get(artifact)).rejects.toMatchObject({ code: 'ArtifactStoreUnavailable' });
    await expect(wrong.put(Buffer.from('y'))).rejects.toMatchObject({ code: 'ArtifactStoreUnavailable' });
    const elsewhere = createS3Store({ ...server.config, bucket: 'no-such-bucket' });
    await expect(elsewhere.put(Buffer.from('y'))).rejects.toMatchObject({ code: 'ArtifactStoreUnavailable' });
  });

  it('leaves no part of an upload that failed', async () => {
    const path = join(folder, 'interrupted');
    await writeFile(path, randomBytes(20 * 1024 * 1024));
    proxy.break({ kind: 'status', status: 403 }, 4);
    await expect(open().putFile(path)).rejects.toMatchObject({ code: 'ArtifactStoreUnavailable' });
    proxy.break(null);
    const artifact = await open().putFile(path);
    await open().download(artifact, `${path}-copy`);
    expect((await readFile(`${path}-copy`)).equals(await readFile(path))).toBe(true);
    await Promise.all([rm(path), rm(`${path}-copy`)]);
  });
});
