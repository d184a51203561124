/** What every artifact store must do, run on each of them. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ArtifactRef } from '../../../contracts/artifact.ts';
import type { ArtifactStore } from '../../../domain/ports/artifact-store.ts';

export type OpenStore = {
  store: ArtifactStore;
  /** A second store on the same bytes, as another process has it. */
  other: ArtifactStore;
  /** Changes one byte of a stored artifact behind the store's back. */
  damage(artifact: ArtifactRef): Promise<void>;
  close(): Promise<void>;
};

const absent: ArtifactRef = { uri: `artifact:sha256/${'0'.repeat(64)}`, sha256: '0'.repeat(64), bytes: 3 };
const large = 40 * 1024 * 1024;

export const artifactStoreSuite = (name: string, open: () => Promise<OpenStore>): void => {
  describe(`artifact store: ${name}`, () => {
    let opened: OpenStore;
    let folder: string;

    beforeAll(async () => {
      opened = await open();
      folder = await mkdtemp(join(tmpdir(), 'artifact-store-'));
    });
    afterAll(async () => {
      await opened.close();
      await rm(folder, { recursive: true, force: true });
    });

    it('gives back the bytes that it got, under their hash', async () => {
      const bytes = Buffer.from('a model');
      const artifact = await opened.store.put(bytes);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      expect(artifact).toEqual({ uri: `artifact:sha256/${sha256}`, sha256, bytes: 7 });
      expect(Buffer.from(await opened.store.get(artifact))).toEqual(bytes);
      expect(await opened.store.exists(artifact)).toBe(true);
      expect(await opened.store.put(bytes)).toEqual(artifact);
    });

    it('stores nothing at all as an artifact too', async () => {
      const artifact = await opened.store.put(new Uint8Array());
      expect(artifact.bytes).toBe(0);
      expect((await opened.store.get(artifact)).byteLength).toBe(0);
    });

    it('streams a large file in and out, and tells how far it is', async () => {
      // Equal parts: a multipart upload that mixes them up would not show otherwise.
      const part = randomBytes(1024 * 1024);
      await writeFile(join(folder, 'large'), Buffer.concat(Array.from({ length: large / part.length }, () => part)));
      const seen = createHash('sha256');
      const artifact = await opened.store.putFile(join(folder, 'large'), (chunk) => seen.update(chunk));
      expect(artifact.bytes).toBe(large);
      expect(seen.digest('hex')).toBe(artifact.sha256);
      let read = 0;
      for await (const chunk of await opened.store.stream(artifact)) read += chunk.byteLength;
      expect(read).toBe(large);
      await opened.store.download(artifact, join(folder, 'copy'));
      expect(createHash('sha256').update(await readFile(join(folder, 'copy'))).digest('hex')).toBe(artifact.sha256);
      expect((await readdir(folder)).sort()).toEqual(['copy', 'large']);
    });

    it('streams bytes of unknown length in and out, and keeps nothing of a source that fails', async () => {
      const part = randomBytes(1024 * 1024);
      async function* parts(failing: boolean): AsyncGenerator<Uint8Array> {
        for (let index = 0; index < 20; index += 1) yield part;
        if (failing) throw new Error('the client went away');
      }
      const artifact = await opened.store.putStream(parts(false));
      expect(artifact.bytes).toBe(20 * part.length);
      expect(await opened.other.putStream(parts(false))).toEqual(artifact);
      const hash = createHash('sha256');
      for await (const chunk of await opened.other.stream(artifact)) hash.update(chunk);
      expect(hash.digest('hex')).toBe(artifact.sha256);
      await expect(opened.store.putStream(parts(true))).rejects.toMatchObject({ code: 'ArtifactStoreUnavailable' });
      expect((await opened.store.putStream((async function* () {})())).bytes).toBe(0);
      await expect(opened.store.stream(absent)).rejects.toMatchObject({ code: 'ArtifactNotFound' });
    });

    it('lets two writers store the same bytes at once', async () => {
      const bytes = randomBytes(300_000);
      await writeFile(join(folder, 'same'), randomBytes(20 * 1024 * 1024));
      const writers = [opened.store, opened.other, opened.store, opened.other];
      const [first, ...rest] = await Promise.all(writers.map((store) => store.put(bytes)));
      for (const artifact of rest) expect(artifact).toEqual(first);
      const files = await Promise.all([opened.store, opened.other].map((store) => store.putFile(join(folder, 'same'))));
      expect(files[0]).toEqual(files[1]);
      await opened.store.download(files[0] as ArtifactRef, join(folder, 'same-copy'));
      expect(Buffer.from(await opened.other.get(first as ArtifactRef))).toEqual(bytes);
    });

    it('says that an artifact is not there', async () => {
      expect(await opened.store.exists(absent)).toBe(false);
      await expect(opened.store.get(absent)).rejects.toMatchObject({ code: 'ArtifactNotFound' });
      await expect(opened.store.stream(absent)).rejects.toMatchObject({ code: 'ArtifactNotFound' });
      await expect(opened.store.download(absent, join(folder, 'absent'))).rejects.toMatchObject({ code: 'ArtifactNotFound' });
    });

    it('never gives damaged bytes', async () => {
      const artifact = await opened.store.put(randomBytes(5_000));
      await opened.damage(artifact);
      await expect(opened.store.get(artifact)).rejects.toMatchObject({ code: 'ArtifactCorrupt', retryable: true });
      await expect(opened.store.download(artifact, join(folder, 'damaged'))).rejects.toMatchObject({ code: 'ArtifactCorrupt' });
      expect(await readdir(folder)).not.toContain('damaged');
      const given: Uint8Array[] = [];
      const readAll = async (): Promise<void> => {
        for await (const chunk of await opened.store.stream(artifact)) given.push(chunk);
      };
      await expect(readAll()).rejects.toMatchObject({ code: 'ArtifactCorrupt' });
      expect(Buffer.concat(given).length).toBeLessThan(5_000);
    });

    it.each([
      ['a path', '../../../../etc/passwd'],
      ['an upper-case hash', 'A'.repeat(64)],
      ['a hash with a path behind it', `${'a'.repeat(64)}/../x`],
      ['nothing', ''],
    ])('makes no path of a reference that holds %s', async (_what, sha256) => {
      const forged = { uri: `artifact:sha256/${sha256}`, sha256, bytes: 1 };
      await expect(opened.store.get(forged)).rejects.toMatchObject({ code: 'ArtifactNotFound' });
      await expect(opened.store.exists(forged)).rejects.toMatchObject({ code: 'ArtifactNotFound' });
    });
  });
};
