/** An artifact store that tells the meter how many bytes a step left in it. */
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { ArtifactStore } from '../../domain/ports/artifact-store.ts';
import type { ResourceMeter } from '../../domain/ports/resource-meter.ts';

/** The same bytes put twice are counted twice, though the store keeps them once: a step answers for what it leaves, not for what was there. */
export const createCountingStore = (store: ArtifactStore, meter: Pick<ResourceMeter, 'stored'>): ArtifactStore => {
  const count = (artifact: ArtifactRef): ArtifactRef => {
    meter.stored(artifact.bytes);
    return artifact;
  };
  return {
    ...store,
    put: async (bytes) => count(await store.put(bytes)),
    putStream: async (source) => count(await store.putStream(source)),
    putFile: async (path, onChunk) => count(await store.putFile(path, onChunk)),
  };
};
