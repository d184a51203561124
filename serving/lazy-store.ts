/** The artifact store, opened when it is first needed: a gateway starts and serves while the store is away. */
import type { ArtifactStore } from '../domain/ports/artifact-store.ts';
import { PerennialFailure } from '../domain/failure.ts';

/** Opens once; while that fails, each use is told so and tries again. */
export const openWhenNeeded = (open: () => ArtifactStore): (() => ArtifactStore) => {
  let store: ArtifactStore | undefined;
  return () => {
    try {
      store ??= open();
      return store;
    } catch (error) {
      throw new PerennialFailure('ArtifactStoreUnavailable', `the artifact store cannot be opened (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`, { cause: error });
    }
  };
};
