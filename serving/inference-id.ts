/** Inference ids: UUIDv7, so that they sort by time, or the client's own when it is fit to be a header and a key. */
import { randomFillSync } from 'node:crypto';

const CLIENT_ID = /^[A-Za-z0-9._:-]{1,128}$/;

const POOL_IDS = 256;
const RANDOM_BYTES = 10;
const pool = Buffer.alloc(POOL_IDS * RANDOM_BYTES);
let used = POOL_IDS;

/** A new UUIDv7. Random bytes are drawn for many ids at a time, because one draw costs more than the rest together. */
export const newInferenceId = (): string => {
  if (used === POOL_IDS) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.toString('hex', used * RANDOM_BYTES, (used + 1) * RANDOM_BYTES);
  used += 1;
  const time = Date.now().toString(16).padStart(12, '0');
  const variant = '89ab'[parseInt(random[3] ?? '0', 16) & 3];
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${random.slice(8)}`;
};

/** The first of the client's ids that is fit to be used; undefined when none is. */
export const clientIdOf = (...candidates: (string | undefined)[]): string | undefined => candidates.find((id) => id !== undefined && CLIENT_ID.test(id));
