/**
 * Artifact store in a folder. A file gets its name by one rename after its bytes are on the disk, and is read-only from then on;
 * so a crash leaves at most a file in `incoming/`, which the next start removes.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { chmod, mkdir, open, readFile, rename, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { ArtifactStore } from '../../domain/ports/artifact-store.ts';
import { corrupt, hashFile, keyOf, refOf, verified, writeBeside, writeVerified } from './content-address.ts';
import { notFound, saysAbsent, storeFailure } from './store-failure.ts';

const WHERE = 'the local artifact store';
const LEFT_OVER_MS = 60 * 60 * 1000;

/** Files of writers that died. */
const removeLeftOvers = (incoming: string): void => {
  for (const name of readdirSync(incoming)) {
    const path = join(incoming, name);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > LEFT_OVER_MS) rmSync(path, { force: true });
  }
};

const flushFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** True when the store holds the artifact whole; damaged bytes count as absent, so that the next put mends them. */
const holdsWhole = async (path: string, artifact: ArtifactRef): Promise<boolean> => {
  try {
    return (await hashFile(path)).sha256 === artifact.sha256;
  } catch (error) {
    if (saysAbsent(error)) return false;
    throw error;
  }
};

/** Moves a complete file under its key: flushed, read-only, then renamed. Two writers of the same bytes rename the same content. */
const publish = async (file: string, path: string): Promise<void> => {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  await chmod(file, 0o444);
  await mkdir(dirname(path), { recursive: true });
  await rename(file, path);
  await flushFolder(dirname(path));
};

const absentOr = (error: unknown, artifact: ArtifactRef): Error => (saysAbsent(error) ? notFound(artifact, WHERE) : storeFailure(error, WHERE));

const openArtifact = (path: string, artifact: ArtifactRef): Promise<FileHandle> =>
  open(path, 'r').catch((error: unknown) => {
    throw absentOr(error, artifact);
  });

type Folders = { incoming: string; pathOf: (artifact: ArtifactRef) => string };

const putStream = async ({ incoming, pathOf }: Folders, source: AsyncIterable<Uint8Array>): Promise<ArtifactRef> => {
  let part: string | undefined;
  try {
    const stream = await writeBeside(join(incoming, randomUUID()), source);
    part = stream.part;
    const path = pathOf(stream.written);
    if (!(await holdsWhole(path, stream.written))) await publish(part, path);
    return stream.written;
  } catch (error) {
    throw storeFailure(error, WHERE);
  } finally {
    if (part !== undefined) await rm(part, { force: true }).catch(() => undefined);
  }
};

/**
 * Opens (and makes) an artifact store in `folder`.
 * @throws Error of the file system when the folder cannot be made
 */
export const createLocalStore = (folder: string): ArtifactStore => {
  const incoming = join(folder, 'incoming');
  mkdirSync(incoming, { recursive: true });
  removeLeftOvers(incoming);
  const pathOf = (artifact: ArtifactRef): string => join(folder, keyOf(artifact));

  /** Stores what `write` leaves in a file, unless the store has it. */
  const store = async (artifact: ArtifactRef, write: (file: string) => Promise<unknown>): Promise<ArtifactRef> => {
    const path = pathOf(artifact);
    const file = join(incoming, randomUUID());
    try {
      if (await holdsWhole(path, artifact)) return artifact;
      await write(file);
      await publish(file, path);
      return artifact;
    } catch (error) {
      // A folder that cannot be written cannot be tidied either: the first error is the one to tell.
      await rm(file, { force: true }).catch(() => undefined);
      throw storeFailure(error, WHERE);
    }
  };

  return {
    put: (bytes) => store(refOf(bytes), (file) => writeFile(file, bytes)),

    putFile: async (path, onChunk) => {
      const artifact = await hashFile(path, onChunk);
      return store(artifact, async (file) => {
        await pipeline(createReadStream(path), createWriteStream(file));
        // The source may have changed since it was hashed: then its bytes must not get the name of the old ones.
        if (!(await holdsWhole(file, artifact))) throw corrupt(artifact, 'a file that changed while it was stored');
      });
    },

    putStream: (source) => putStream({ incoming, pathOf }, source),

    stream: async (artifact) => verified({ artifact, where: WHERE }, (await openArtifact(pathOf(artifact), artifact)).createReadStream()),

    get: async (artifact) => {
      const bytes = await readFile(pathOf(artifact)).catch((error: unknown) => {
        throw absentOr(error, artifact);
      });
      if (refOf(bytes).sha256 !== artifact.sha256) throw corrupt(artifact, WHERE);
      return bytes;
    },

    download: async (artifact, path) => {
      const source = await openArtifact(pathOf(artifact), artifact);
      try {
        await writeVerified({ artifact, path, where: WHERE }, source.createReadStream({ autoClose: false }));
      } catch (error) {
        throw storeFailure(error, WHERE);
      } finally {
        await source.close();
      }
    },


    exists: async (artifact) => {
      try {
        return (await stat(pathOf(artifact))).size === artifact.bytes;
      } catch (error) {
        if (saysAbsent(error)) return false;
        throw storeFailure(error, WHERE);
      }
    },
  };
};
