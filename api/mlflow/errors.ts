/** Errors in the form of MLflow's protocol: `{error_code, message}`. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { FAILURES } from '../../contracts/failures.ts';
import type { PerennialFailure } from '../../domain/failure.ts';
import { TRACKING_STATUSES, TrackingRefusal, type TrackingCode } from '../../domain/tracking/refusal.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { failureOf } from '../http/errors.ts';
import { RequestRefused } from '../http/problem.ts';

const RETRY_AFTER_SECONDS = 2;

const CODES: Record<number, TrackingCode> = {
  400: 'INVALID_PARAMETER_VALUE', 401: 'UNAUTHENTICATED', 403: 'PERMISSION_DENIED', 404: 'RESOURCE_DOES_NOT_EXIST', 409: 'RESOURCE_CONFLICT', 413: 'BAD_REQUEST', 415: 'BAD_REQUEST',
  422: 'INVALID_PARAMETER_VALUE', 429: 'REQUEST_LIMIT_EXCEEDED', 503: 'TEMPORARILY_UNAVAILABLE',
};

/** What is wrong and how to mend it in one text: the protocol has one field for both. */
const messageOf = (failure: PerennialFailure): string => {
  if (failure instanceof RequestRefused) return failure.errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  return `${failure.message}. ${failure.fix}`;
};

const sendError = (reply: FastifyReply, status: number, error: { error_code: TrackingCode; message: string }): FastifyReply => {
  void reply.header('x-request-id', reply.request.id);
  if (status === 503 || status === 429) void reply.header('retry-after', String(RETRY_AFTER_SECONDS));
  if (status === 401) void reply.header('www-authenticate', 'Bearer realm="perennial", Basic realm="perennial"');
  return reply.code(status).type('application/json').send(JSON.stringify(error));
};

/** For the routes of one scope. */
export const installTrackingErrors = (scope: FastifyInstance, { isDatabaseOutage }: Pick<ApiDependencies, 'isDatabaseOutage'>): void => {
  scope.setErrorHandler((error, request, reply) => {
    if (error instanceof TrackingRefusal) return sendError(reply, TRACKING_STATUSES[error.code], { error_code: error.code, message: error.message });
    const failure = failureOf(error, isDatabaseOutage);
    if (failure.code === 'Internal') request.log.error({ err: failure.cause ?? error }, 'a tracking request ended in an unexpected error');
    const status = FAILURES[failure.code].httpStatus;
    return sendError(reply, status, { error_code: CODES[status] ?? 'INTERNAL_ERROR', message: messageOf(failure) });
  });
};
