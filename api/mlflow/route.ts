/** Declares routes of the MLflow protocol: each with a policy, under both prefixes that clients use. */
import type { z } from 'zod';
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Permission } from '../../domain/permissions.ts';
import type { App } from '../http/app-types.ts';

export const PREFIX = '/api/2.0/mlflow';

type Parts = { body?: z.ZodType; querystring?: z.ZodType; params?: z.ZodType; summary: string };
type Parsed<P extends Parts> = {
  body: P['body'] extends z.ZodType ? z.output<P['body']> : undefined;
  query: P['querystring'] extends z.ZodType ? z.output<P['querystring']> : undefined;
  params: P['params'] extends z.ZodType ? z.output<P['params']> : undefined;
  request: FastifyRequest;
  reply: FastifyReply;
};
type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT';

type Register = <P extends Parts & { bodyLimit?: number }>(path: string, parts: P, handler: (parsed: Parsed<P>) => Promise<unknown>) => void;

/**
 * Gives a function that registers one route of a group. A handler's text is JSON that PostgreSQL has built already.
 */
export const mlflowRoute =
  (app: App, group: string, method: Method, policy: Permission): Register =>
  (path, { summary, bodyLimit, ...schema }, handler) => {
    const route: RouteOptions = {
      method,
      url: `${PREFIX}/${path}`,
      config: { policy },
      ...(bodyLimit === undefined ? {} : { bodyLimit }),
      schema: { tags: [`mlflow ${group}`], summary, ...schema },
      handler: async (request, reply) => {
        const answer = await handler({ body: request.body, query: request.query, params: request.params, request, reply } as never);
        return typeof answer === 'string' ? reply.type('application/json').send(answer) : answer;
      },
    };
    app.route(route as never);
  };
