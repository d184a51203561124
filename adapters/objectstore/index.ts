/** The artifact store: a folder on this machine, or a bucket of an S3 server. */
import type { ArtifactStore } from '../../domain/ports/artifact-store.ts';
import type { ArtifactStoreConfig } from '../../workers/config.ts';
import { createLocalStore } from './local-store.ts';
import { createS3Store } from './s3-store.ts';

/** Opens the store that the configuration names. */
export const createArtifactStore = (config: ArtifactStoreConfig): ArtifactStore =>
  config.kind === 'local' ? createLocalStore(config.folder) : createS3Store(config);
