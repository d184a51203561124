/** Aliases of models: several move in one request, all or none; and the history of every move. */
import { z } from 'zod';
import { aliasHistory, type AliasWish } from '../../adapters/postgres/tracking/alias-moves.ts';
import { Name } from '../../contracts/pipeline.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { invalid } from '../http/problem.ts';
import { Instant, Limit, ModelParams, problems } from '../http/schemas.ts';
import { moveAsked } from '../mlflow/aliases.ts';

const MOST_MOVES = 100;

const Alias = z.string().regex(/^[\w-]{1,255}$/, 'letters, digits, "_" and "-"');
const Version = z.number().int().positive().nullable();
const Move = z.strictObject({
  model: z.string().min(1).max(256),
  alias: Alias,
  version: Version.describe('null: the alias then names nothing.'),
  expected: Version.optional().describe('What the alias names before; null: nothing; absent: whatever.'),
});
const Moves = z.strictObject({ moves: z.array(Move).min(1).max(MOST_MOVES) });
const MoveView = z.object({ alias: z.string(), from: z.number().int().nullable(), to: z.number().int().nullable(), reason: z.string(), requestId: z.string(), at: Instant });

const wishOf = ({ model, alias, version, expected }: z.infer<typeof Move>): AliasWish => ({ model, alias, version, ...(expected === undefined ? {} : { expected }) });

export const registerAliasMoves = (app: App, context: ApiContext): void => {
  const tags = ['models'];
  app.route({
    method: 'POST',
    url: '/api/v1/aliases/moves',
    config: { policy: 'aliases:write' },
    schema: { tags, summary: 'Moves aliases of one or several models, all or none', body: Moves, response: { 200: Moves, ...problems(404, 409) } },
    handler: async (request) => {
      const names = request.body.moves.map(({ model, alias }) => `${model}@${alias}`);
      const twice = names.findIndex((name, index) => names.indexOf(name) !== index);
      if (twice >= 0) throw invalid(`moves.${twice}`, { message: `moves ${names[twice]} a second time`, fix: 'Name each alias once.' });
      await moveAsked(context, request, request.body.moves.map(wishOf));
      return { moves: request.body.moves };
    },
  });
  app.route({
    method: 'GET',
    url: '/api/v1/models/:model/aliases',
    config: { policy: 'read' },
    schema: {
      tags,
      summary: 'Every move of the aliases of a model, newest first',
      params: ModelParams.extend({ model: Name }),
      querystring: z.object({ alias: Alias.optional(), limit: Limit }),
      response: { 200: z.object({ moves: z.array(MoveView) }), ...problems() },
    },
    handler: async (request) => ({ moves: await aliasHistory(context.database, { model: request.params.model, alias: request.query.alias, limit: request.query.limit }) }),
  });
};
