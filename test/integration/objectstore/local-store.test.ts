/** The folder store: the port's suite, and what only a folder can show. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ArtifactRef } from '../../../contracts/artifact.ts';
import { createArtifactStore } from '../../../adapters/objectstore/index.ts';
import { artifactStoreSuite } from '../../support/port-suites/artifact-store.ts';

const pathOf = (folder: string, artifact: ArtifactRef): string => join(folder, 'sha256', artifact.sha256.slice(0, 2), artifact.sha256);

const damage = async (path: string): Promise<void> => {
  const bytes = await readFile(path);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  await chmod(path, 0o644);
  await writeFile(path, bytes);
};

artifactStoreSuite('a folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'local-store-'));
  const open = () => createArtifactStore({ kind: 'local', folder });
  return {
    store: open(),
    other: open(),
    damage: (artifact) => damage(pathOf(folder, artifact)),
    close: () => rm(folder, { recursive: true, force: true }),
  };
});

describe('a folder as artifact store', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'local-store-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('keeps files read-only under their hash, and leaves nothing else', async () => {
    const store = createArtifactStore({ kind: 'local', folder });
    const artifact = await store.put(Buffer.from('bytes'));
    expect((await stat(pathOf(folder, artifact))).mode & 0o777).toBe(0o444);
    expect(await readdir(join(folder, 'incoming'))).toEqual([]);
  });

  it('mends a damaged artifact when the same bytes are put again', async () => {
    const store = createArtifactStore({ kind: 'local', folder });
    const bytes = randomBytes(1_000);
    const artifact = await store.put(bytes);
    await damage(pathOf(folder, artifact));
    await store.put(bytes);
    expect(Buffer.from(await store.get(artifact))).toEqual(bytes);
  });

  it('removes the files of a writer that died, and not those of one that may still write', async () => {
    const incoming = join(folder, 'incoming');
    await mkdir(incoming, { recursive: true });
    await writeFile(join(incoming, 'old'), 'x');
    await writeFile(join(incoming, 'new'), 'x');
    const twoHoursAgo = Date.now() / 1000 - 7_200;
    await utimes(join(incoming, 'old'), twoHoursAgo, twoHoursAgo);
    createArtifactStore({ kind: 'local', folder });
    expect(await readdir(incoming)).toEqual(['new']);
  });

  it('calls a store whose folder went away unavailable', async () => {
    const store = createArtifactStore({ kind: 'local', folder });
    await rm(folder, { recursive: true });
    await writeFile(folder, 'a file where the folder was');
    await expect(store.put(Buffer.from('bytes'))).rejects.toMatchObject({ code: 'ArtifactStoreUnavailable', retryable: true });
  });
});
