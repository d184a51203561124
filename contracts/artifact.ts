/** References to immutable bytes in the artifact store: what histories and rows hold instead of the bytes. */
import { z } from 'zod';

export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a sha256 in lower-case hexadecimal');

/**
 * `uri` is `artifact:sha256/<hex>` and says nothing about where the store is, so that a record outlives a move
 * of the store. `bytes` is the size in bytes.
 */
export const ArtifactRef = z.strictObject({
  uri: z.string().regex(/^artifact:sha256\/[0-9a-f]{64}$/),
  sha256: Sha256,
  bytes: z.number().int().nonnegative(),
});
export type ArtifactRef = z.infer<typeof ArtifactRef>;
