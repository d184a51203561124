/** The admin API key of a local stack: made on the first start, told once, and kept in the home for the local CLI. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { writeSecret } from './postgres.ts';

export type AdminKey = {
  /** The key, as far as this home knows it: an admin made elsewhere has a key that is known nowhere. */
  key: string | undefined;
  /** True when it was made just now, and so is to be told. */
  isNew: boolean;
};

type AdminRow = { key_hash: string; revoked_at: Date | null };

const keyFile = (home: string): string => join(home, 'admin-key');

/** The admin key that an earlier start left in the home, if any. */
export const savedAdminKey = (home: string): string | undefined =>
  existsSync(keyFile(home)) ? readFileSync(keyFile(home), 'utf8').trim() : undefined;

const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex');

/** Makes an admin key when the database has none; only its hash goes there. */
export const ensureAdminKey = async ({ home, url }: { home: string; url: string }): Promise<AdminKey> => {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    // A revoked admin counts as one: a start must not undo a revocation.
    const admins = await client.query<AdminRow>("select key_hash, revoked_at from api_keys where role = 'admin'");
    const saved = savedAdminKey(home);
    if (admins.rows.length > 0) {
      const isValid = saved !== undefined && admins.rows.some((row) => row.key_hash === hashOf(saved) && row.revoked_at === null);
      return { key: isValid ? saved : undefined, isNew: false };
    }
    // Kept before it counts: a start cut off between the two finds its key here and uses it.
    const key = saved ?? `perennial_${randomBytes(32).toString('base64url')}`;
    writeSecret(keyFile(home), key);
    await client.query("insert into api_keys (id, name, role, key_hash) values ($1, 'local admin', 'admin', $2)", [randomUUID(), hashOf(key)]);
    return { key, isNew: true };
  } finally {
    await client.end();
  }
};
