/**
 * Creates that are sent again. MLflow's clients repeat a request whose answer was lost with the same bytes and no key, so:
 * a create is a replay if the same API key sent a byte-identical body whose first answer was finished before this one arrived, at most 10 minutes
 * ago, and what that answer made is still there: it gets the first answer again. Requests in flight together are distinct.
 * `Idempotency-Key` overrides: the same key is the same create, another key is another one.
 */
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sql, type Kysely } from 'kysely';
import type { Database } from '../../adapters/postgres/schema.ts';
import type { ApiContext } from '../http/app-types.ts';
import { principalOf } from '../http/guard.ts';

const REPLAY_MS = 10 * 60_000;
const CLEAN_EVERY = 200;
const MOST_KEPT = 2_000;

declare module 'fastify' {
  interface FastifyRequest {
    /** The JSON body as it was sent. */
    sentText: string;
    /** When its header came, in milliseconds since 1970 with their fraction. */
    arrivedMs: number;
  }
}

/** Milliseconds since 1970, to the microsecond: an answer and the next request may be less than one apart. */
const nowMs = (): number => performance.timeOrigin + performance.now();

/** Keeps the text of bodies, and when requests arrive. For the routes of one scope, before the first. */
export const installReplays = (scope: FastifyInstance): void => {
  scope.decorateRequest('sentText', '');
  scope.decorateRequest('arrivedMs', 0);
  const parse = scope.getDefaultJsonParser('error', 'error');
  scope.removeContentTypeParser('application/json');
  scope.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    request.sentText = text as string;
    // Clients send a content type also with no body.
    if (text === '') done(null, {});
    else void parse(request, text as string, done);
  });
  scope.addHook('onRequest', async (request) => {
    request.arrivedMs = nowMs();
  });
};

type Create<Answer> = {
  /** Makes it; `digest` is 32 hexadecimal digits that are the same for the same Idempotency-Key. */
  make: (digest: string) => Promise<Answer>;
  /** Whether what a first answer made is still there. */
  isThere: (answer: Answer) => Promise<boolean>;
};

type Exchange = { request: FastifyRequest; reply: FastifyReply };

export type Replays = { create<Answer>(exchange: Exchange, act: string, create: Create<Answer>): Promise<Answer> };

type Finished = { answer: string; finishedMs: number };

const findFinished = async (database: Kysely<Database>, scope: string, arrivedMs: number): Promise<string | undefined> => {
  const { rows } = await sql<{ answer: string }>`
    select answer from create_answers where scope = ${scope} and finished_at < to_timestamp(${arrivedMs}::float8 / 1000) and finished_at >= to_timestamp(${arrivedMs - REPLAY_MS}::float8 / 1000)
    order by finished_at desc limit 1`.execute(database);
  return rows[0]?.answer;
};

const keepFinished = async (database: Kysely<Database>, scope: string, { answer, finishedMs }: Finished): Promise<void> => {
  await sql`insert into create_answers (scope, answer, finished_at) values (${scope}, ${answer}, to_timestamp(${finishedMs}::float8 / 1000))`.execute(database);
};

/** Other API processes read finished answers from the database; this one also from memory, as a row is written after its answer. */
export const createReplays = ({ database, idempotency }: ApiContext): Replays => {
  const recent = new Map<string, Finished>();
  let count = 0;

  const remember = (request: FastifyRequest, scope: string, answer: string): void => {
    const finished = { answer, finishedMs: nowMs() };
    if (recent.size >= MOST_KEPT) recent.clear();
    recent.set(scope, finished);
    count += 1;
    const clean = count % CLEAN_EVERY === 0 ? sql`delete from create_answers where finished_at < now() - interval '20 minutes'`.execute(database) : undefined;
    void Promise.all([keepFinished(database, scope, finished), clean]).catch((error: unknown) => request.log.warn({ err: error }, 'a finished answer could not be kept: a retry would not be recognised'));
  };

  const findRecent = (scope: string, arrivedMs: number): string | undefined => {
    const found = recent.get(scope);
    if (found === undefined) return undefined;
    if (found.finishedMs >= arrivedMs - REPLAY_MS) return found.finishedMs < arrivedMs ? found.answer : undefined;
    recent.delete(scope);
    return undefined;
  };

  return {
    create: async ({ request, reply }, act, { make, isThere }) => {
      if (request.headers['idempotency-key'] !== undefined) {
        const answer = await idempotency.once(request, { act: `mlflow ${act}`, content: request.body }, async ({ digest }) => ({ status: 200, body: await make(digest) }));
        return answer.body as Awaited<ReturnType<typeof make>>;
      }
      const scope = createHash('sha256').update(`${principalOf(request).keyId}\0${act}\0${request.sentText}`).digest('hex');
      const first = findRecent(scope, request.arrivedMs) ?? (await findFinished(database, scope, request.arrivedMs));
      if (first !== undefined) {
        const answer = JSON.parse(first) as Awaited<ReturnType<typeof make>>;
        if (await isThere(answer)) return answer;
        recent.delete(scope);
      }
      const answer = await make(createHash('sha256').update(request.id).digest('hex').slice(0, 32));
      reply.raw.once('finish', () => {
        if (reply.statusCode === 200) remember(request, scope, JSON.stringify(answer));
      });
      return answer;
    },
  };
};
