/**
 * What a gateway keeps on its disk to start and serve with everything else down: the deployments that it applied, the bytes of their
 * models, the hashes of the API keys.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { ArtifactRef } from '../contracts/artifact.ts';
import { DeploymentSnapshot } from '../contracts/deployment.ts';
import type { ArtifactStore } from '../domain/ports/artifact-store.ts';
import { syncFolder } from './log-folder.ts';

/** An API key as the gateway knows it: never the key itself. */
export const StoredKey = z.object({ keyHash: z.string(), role: z.string() });
export type StoredKey = z.infer<typeof StoredKey>;

export type StateFolder = {
  /** Folder of the prediction log. */
  logFolder: string;
  /** The last applied deployments; undefined when there is no state yet. */
  readDeployments(): DeploymentSnapshot[] | undefined;
  writeDeployments(deployments: DeploymentSnapshot[]): Promise<void>;
  readKeys(): StoredKey[];
  writeKeys(keys: StoredKey[]): Promise<void>;
  /** Path of a model's bytes, fetched from the store when they are not here. */
  fetchModel(model: ArtifactRef, store: Pick<ArtifactStore, 'download'>): Promise<string>;
  /** Removes a model whose bytes turned out to be damaged. */
  dropModel(model: ArtifactRef): Promise<void>;
  /** Removes the models that no deployment names any more. */
  keepOnly(models: ReadonlySet<string>): Promise<void>;
};

/** Whole or not at all, also through a power cut. */
const writeWhole = async (folder: string, name: string, text: string): Promise<void> => {
  const path = join(folder, name);
  const handle = await open(`${path}.new`, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${path}.new`, path);
  await syncFolder(folder);
};

const readText = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

const hasSize = async (path: string, bytes: number): Promise<boolean> => (await stat(path).catch(() => undefined))?.size === bytes;

/** Opens (and makes) the folder of one gateway. */
export const openStateFolder = (folder: string): StateFolder => {
  const models = join(folder, 'models');
  const logFolder = join(folder, 'prediction-log');
  mkdirSync(models, { recursive: true });
  mkdirSync(logFolder, { recursive: true });
  const modelPath = (model: ArtifactRef): string => join(models, `${model.sha256}.onnx`);
  return {
    logFolder,
    readDeployments: () => {
      const text = readText(join(folder, 'deployments.json'));
      return text === undefined ? undefined : z.array(DeploymentSnapshot).parse(JSON.parse(text));
    },
    writeDeployments: (deployments) => writeWhole(folder, 'deployments.json', JSON.stringify(deployments)),
    readKeys: () => z.array(StoredKey).parse(JSON.parse(readText(join(folder, 'keys.json')) ?? '[]')),
    writeKeys: (keys) => writeWhole(folder, 'keys.json', JSON.stringify(keys)),
    fetchModel: async (model, store) => {
      const path = modelPath(model);
      if (!(await hasSize(path, model.bytes))) await store.download(model, path);
      return path;
    },
    dropModel: (model) => rm(modelPath(model), { force: true }),
    keepOnly: async (kept) => {
      for (const name of await readdir(models)) {
        if (name.endsWith('.onnx') && !kept.has(name.slice(0, -'.onnx'.length))) await rm(join(models, name), { force: true });
      }
    },
  };
};
