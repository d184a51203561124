/** Turns whatever a request ended in into a problem document: a named failure as it is, an outage as 503, anything else as an opaque 500. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { FailureCode } from '../../contracts/failures.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import { PROBLEM_TYPE, problemOf } from './problem.ts';

const RETRY_AFTER_SECONDS = 2;

/** What Fastify itself refuses, by its error code. */
const FRAMEWORK: Record<string, [FailureCode, string]> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UnsupportedMediaType', 'this route does not take this content type'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['PayloadTooLarge', 'the body is larger than this route takes'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['MalformedBody', 'the body is not valid JSON'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['MalformedBody', 'the body is empty, but its content type says JSON'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['MalformedBody', 'the body does not have the length that Content-Length says'],
  FST_ERR_BAD_URL: ['InvalidRequest', 'the path has an invalid percent-encoding'],
  FST_ERR_NOT_FOUND: ['RouteNotFound', 'there is no such route'],
};

const statusFailure = (error: FastifyError): PerennialFailure | undefined => {
  const known = FRAMEWORK[error.code];
  if (known !== undefined) return new PerennialFailure(known[0], known[1]);
  // Proto poisoning and malformed JSON come as a SyntaxError with a status and no code of Fastify's.
  if (error instanceof SyntaxError && error.statusCode === 400) return new PerennialFailure('MalformedBody', `the body is not valid JSON: ${error.message.slice(0, 200)}`);
  if (error.statusCode === 413) return new PerennialFailure('PayloadTooLarge', 'the body is too large');
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) return new PerennialFailure('InvalidRequest', 'the request is not valid');
  return undefined;
};

/** PostgreSQL's class of data exceptions: a value that no schema refused, such as a text with a NUL character. */
const isDataException = (error: unknown): boolean => error instanceof Error && /^22[0-9A-Z]{3}$/.test(String((error as { code?: unknown }).code));

/** The failure to answer with; the cause of an unexpected one stays in the log. */
export const failureOf = (error: unknown, isDatabaseOutage: (error: unknown) => boolean): PerennialFailure => {
  if (error instanceof PerennialFailure) return error;
  if (isDatabaseOutage(error)) return new PerennialFailure('PostgresUnavailable', 'the request needs PostgreSQL, which does not answer', { cause: error });
  if (isDataException(error)) {
    return new PerennialFailure('InvalidRequest', 'a value cannot be stored: a text holds a character that is not allowed (NUL, half of a surrogate pair), or a number is out of range');
  }
  if (error instanceof Error) {
    const refused = statusFailure(error as FastifyError);
    if (refused !== undefined) return refused;
  }
  return new PerennialFailure('Internal', 'the request ended in an error that nobody foresaw; it is in the log of the API', { cause: error });
};

/** Sends the problem document of an error; 503 and 429 say when to try again. */
export const sendProblem = (reply: FastifyReply, failure: PerennialFailure): FastifyReply => {
  const request: FastifyRequest = reply.request;
  const problem = problemOf(failure, { id: request.id, path: request.url.split('?', 1)[0]?.slice(0, 500) ?? '' });
  // Also here, because an error of the framework itself passes no hook.
  void reply.header('x-request-id', request.id);
  if (problem.status === 503 || problem.status === 429) void reply.header('retry-after', String(RETRY_AFTER_SECONDS));
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer realm="perennial"');
  // Bytes, because to a text Fastify would add a charset, which this media type does not have.
  return reply.code(problem.status).type(PROBLEM_TYPE).send(Buffer.from(JSON.stringify(problem)));
};
