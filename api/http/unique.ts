/** Unique and canonical texts: UUIDv7, sha256, canonical JSON. */
import { createHash, randomUUID } from 'node:crypto';

/**
 * A UUID of version 7: 48 bits of time, so that ids sort by age, and 74 random bits. The random bits are those of a version 4, because
 * Node draws them in bulk: drawing 16 bytes for each request alone costs as much as the rest of a small one.
 */
export const uuidv7 = (nowMs = Date.now()): string => {
  const time = nowMs.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
};

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]));
};

/** JSON with sorted keys and no spaces: the same value gives the same text. */
export const canonicalJson = (value: unknown): string => JSON.stringify(sorted(value));
