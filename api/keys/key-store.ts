/** Looks keys up by their hash. Answers are kept for a moment, so that a revoked key stops within 5 seconds. */
import type { Kysely } from 'kysely';
import type { Database } from '../../adapters/postgres/schema.ts';
import { ROLES, type Role } from '../../contracts/roles.ts';
import { hashApiKey } from './api-key.ts';

/** Who sends a request. */
export type Principal = { keyId: string; name: string; role: Role };

export type KeyStore = {
  /** Undefined when there is no such key, or it was revoked. */
  find(key: string): Promise<Principal | undefined>;
  /** Drops what is kept of a key, so that this process at least stops it at once. */
  forget(keyId: string): void;
};

const KEPT_MS = 4_000;
const MOST_KEPT = 5_000;

type Kept = { until: number; principal: Promise<Principal | undefined> };

const isRole = (text: string): text is Role => (ROLES as readonly string[]).includes(text);

export const createKeyStore = (database: Kysely<Database>): KeyStore => {
  const kept = new Map<string, Kept>();

  const read = async (hash: string): Promise<Principal | undefined> => {
    const row = await database.selectFrom('api_keys').select(['id', 'name', 'role']).where('key_hash', '=', hash).where('revoked_at', 'is', null).executeTakeFirst();
    return row !== undefined && isRole(row.role) ? { keyId: row.id, name: row.name, role: row.role } : undefined;
  };

  const find = (key: string): Promise<Principal | undefined> => {
    const hash = hashApiKey(key);
    const known = kept.get(hash);
    if (known !== undefined && known.until > Date.now()) return known.principal;
    const principal = read(hash);
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(hash, { until: Date.now() + KEPT_MS, principal });
    // An outage is no answer to keep.
    principal.catch(() => kept.delete(hash));
    return principal;
  };

  const forget = (keyId: string): void => {
    for (const [hash, { principal }] of kept) {
      void principal.then((found) => (found?.keyId === keyId ? kept.delete(hash) : undefined)).catch(() => undefined);
    }
  };

  return { find, forget };
};
