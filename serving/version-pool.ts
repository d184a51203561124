/** Loaded versions, shared between the generations of a deployment: a version that stays is not loaded again. */
import type { Logger } from 'pino';
import type { ServedVersion } from '../contracts/deployment.ts';
import type { ArtifactStore } from '../domain/ports/artifact-store.ts';
import { PerennialFailure } from '../domain/failure.ts';
import type { HostLimits } from './host-process.ts';
import { createLoadQueue } from './load-queue.ts';
import type { StateFolder } from './state-folder.ts';
import { VersionHost } from './version-host.ts';

/** A background host is one of its own: its priority cannot be raised again when its version gets traffic. */
export type HostUse = { isBackground: boolean };

const FOREGROUND: HostUse = { isBackground: false };

export type VersionPool = {
  /**
   * The host of a version, loaded and warm; every acquire needs its release.
   * @throws PerennialFailure when the bytes cannot be had or the model cannot be loaded
   */
  acquire(model: string, version: ServedVersion, use?: HostUse): Promise<VersionHost>;
  release(model: string, version: ServedVersion, use?: HostUse): void;
  /** Somebody waits for this model: its versions are loaded before others. */
  hurry(model: string): void;
  hosts(): VersionHost[];
  close(): void;
};

type Entry = { loading: Promise<VersionHost>; host: VersionHost | undefined; uses: number };

const keyOf = (model: string, { version, model: artifact }: ServedVersion, { isBackground }: HostUse): string => `${model}/${version}/${artifact.sha256}${isBackground ? '/background' : ''}`;

export const createVersionPool = (parts: { state: StateFolder; store: Pick<ArtifactStore, 'download'>; log: Logger; limits?: HostLimits }): VersionPool => {
  const entries = new Map<string, Entry>();
  const queue = createLoadQueue();
  const load = async (model: string, version: ServedVersion, use: HostUse): Promise<VersionHost> => {
    const path = await parts.state.fetchModel(version.model, parts.store);
    const host = new VersionHost(
      { path, sha256: version.model.sha256, signature: version.signature },
      { name: `${model}/${version.version}`, log: parts.log, ...use, ...(parts.limits === undefined ? {} : { limits: parts.limits }) },
    );
    try {
      await host.start();
    } catch (error) {
      if (error instanceof PerennialFailure && error.code === 'ArtifactCorrupt') await parts.state.dropModel(version.model);
      throw error;
    }
    return host;
  };
  const begin = (model: string, version: ServedVersion, use: HostUse): Entry => {
    const key = keyOf(model, version, use);
    const entry: Entry = { loading: queue.run(model, () => load(model, version, use)), host: undefined, uses: 0 };
    entries.set(key, entry);
    entry.loading.then(
      (host) => {
        entry.host = host;
        if (entry.uses === 0) host.close();
      },
      () => {
        if (entries.get(key) === entry) entries.delete(key);
      },
    );
    return entry;
  };
  const release = (model: string, version: ServedVersion, use = FOREGROUND): void => {
    const key = keyOf(model, version, use);
    const entry = entries.get(key);
    if (entry === undefined) return;
    entry.uses -= 1;
    if (entry.uses > 0) return;
    entries.delete(key);
    entry.host?.close();
  };
  return {
    acquire: async (model, version, use = FOREGROUND) => {
      const entry = entries.get(keyOf(model, version, use)) ?? begin(model, version, use);
      entry.uses += 1;
      return entry.loading;
    },
    release,
    hurry: queue.hurry,
    hosts: () => [...entries.values()].flatMap(({ host }) => (host === undefined ? [] : [host])),
    close: () => {
      for (const { host } of entries.values()) host?.close();
      entries.clear();
    },
  };
};
