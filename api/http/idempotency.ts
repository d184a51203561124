/**
 * Idempotency-Key: a request that is sent again with its key is the same request.
 *
 * Two things make it hold over a crash at any point. The claim (key and hash of the request) is written before the act, so a
 * second request with another body is refused. And the act itself is named by the digest of the key (a workflow id, an
 * update id, a row's id), so that doing it again does it once; the stored answer only saves the work.
 */
import type { FastifyRequest } from 'fastify';
import type { Kysely } from 'kysely';
import type { Database } from '../../adapters/postgres/schema.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import { principalOf } from './guard.ts';
import { invalid } from './problem.ts';
import { canonicalJson, sha256, uuidv7 } from './unique.ts';

/** One intended act: `digest` names it, the same for the same key of the same caller. */
export type Intent = { digest: string; scope: string; key: string | undefined };

export type Answer = { status: number; body: unknown };

export type Idempotency = {
  /** Claims the key of a request for what it asks. @throws IdempotencyKeyReused when it was claimed for something else */
  claim(request: FastifyRequest, what: { act: string; content: unknown }): Promise<{ intent: Intent; answer: Answer | undefined }>;
  /** Keeps the answer, which later requests with this key get. */
  settle(intent: Intent, answer: Answer): Promise<void>;
  /** Claims, acts unless it was done, and keeps the answer. */
  once(request: FastifyRequest, what: { act: string; content: unknown }, work: (intent: Intent) => Promise<Answer>): Promise<Answer>;
};

const KEY_PATTERN = /^[\x21-\x7e]{1,255}$/;

const keyOf = (request: FastifyRequest): string | undefined => {
  const header = request.headers['idempotency-key'];
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || !KEY_PATTERN.test(header)) {
    throw invalid('Idempotency-Key', { message: 'must be 1 to 255 printable characters without spaces', fix: 'Send a UUID.' });
  }
  return header;
};

export const createIdempotency = (database: Kysely<Database>): Idempotency => {
  const claim: Idempotency['claim'] = async (request, { act, content }) => {
    const key = keyOf(request);
    const scope = `${principalOf(request).keyId} ${act}`;
    if (key === undefined) return { intent: { digest: uuidv7(), scope, key }, answer: undefined };
    const digest = sha256(`${scope}\0${key}`).slice(0, 32);
    const requestHash = sha256(canonicalJson(content ?? {}));
    const inserted = await database
      .insertInto('idempotency_keys')
      .values({ scope, key, request_hash: requestHash, status: null, response: null })
      .onConflict((conflict) => conflict.columns(['scope', 'key']).doNothing())
      .returning('key')
      .executeTakeFirst();
    if (inserted !== undefined) return { intent: { digest, scope, key }, answer: undefined };
    const row = await database.selectFrom('idempotency_keys').select(['request_hash', 'status', 'response']).where('scope', '=', scope).where('key', '=', key).executeTakeFirstOrThrow();
    if (row.request_hash !== requestHash) throw new PerennialFailure('IdempotencyKeyReused', `the key ${key} was used for "${act}" with another body`);
    return { intent: { digest, scope, key }, answer: row.status === null ? undefined : { status: row.status, body: row.response } };
  };

  const settle: Idempotency['settle'] = async ({ scope, key }, { status, body }) => {
    if (key === undefined) return;
    await database.updateTable('idempotency_keys').set({ status, response: JSON.stringify(body) }).where('scope', '=', scope).where('key', '=', key).where('status', 'is', null).execute();
  };

  const once: Idempotency['once'] = async (request, what, work) => {
    const { intent, answer } = await claim(request, what);
    if (answer !== undefined) return answer;
    const fresh = await work(intent);
    await settle(intent, fresh);
    return fresh;
  };

  return { claim, settle, once };
};
