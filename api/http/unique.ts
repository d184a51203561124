/** Unique and canonical texts: UUIDv7, sha256, canonical JSON. */
import { createHash, randomBytes } from 'node:crypto';

/** A UUID of version 7: 48 bits of time, so that ids sort by age, and 74 random bits. */
export const uuidv7 = (nowMs = Date.now()): string => {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
};

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]));
};

/** JSON with sorted keys and no spaces: the same value gives the same text. */
export const canonicalJson = (value: unknown): string => JSON.stringify(sorted(value));
