/** The audit trail: who asked for which change. One row per accepted change. */
import type { Kysely, Transaction } from 'kysely';
import type { Database } from '../../adapters/postgres/schema.ts';
import type { Principal } from '../keys/key-store.ts';

/** `action` is a resource and a verb, such as `pipeline.apply`; `subject` names the thing; `detail` holds no secret. */
export type AuditEntry = { action: string; subject: string; detail?: Record<string, unknown> };

/** Writes the entry; within a transaction it stands or falls with the change. */
export const audit = async (database: Kysely<Database> | Transaction<Database>, principal: Principal, entry: AuditEntry): Promise<void> => {
  const detail = { ...entry.detail, keyId: principal.keyId, role: principal.role };
  await database.insertInto('audit').values({ actor: principal.name, action: entry.action, subject: entry.subject, detail: JSON.stringify(detail) }).execute();
};
