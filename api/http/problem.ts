/** Problem documents (RFC 9457): the one form of every error answer. */
import { z } from 'zod';
import { FAILURES, type FailureCode } from '../../contracts/failures.ts';
import { PerennialFailure } from '../../domain/failure.ts';

/** One thing that is wrong with a request: where, what, and how to mend it. `line` counts from 1 in a YAML body. */
export const FieldError = z.object({ path: z.string(), message: z.string(), fix: z.string(), line: z.number().int().optional() });
export type FieldError = z.infer<typeof FieldError>;

export const Problem = z
  .object({
    type: z.string().describe('urn:perennial:error:<code>'),
    title: z.string(),
    status: z.number().int(),
    code: z.string().describe('A stable code of contracts/failures.ts.'),
    detail: z.string().describe('What is wrong with this request.'),
    fix: z.string().describe('What can be done about it.'),
    instance: z.string().describe('The path of the request.'),
    requestId: z.string(),
    errors: z.array(FieldError).optional(),
  })
  .meta({ id: 'Problem', description: 'A problem document (RFC 9457).' });
export type Problem = z.infer<typeof Problem>;

export const PROBLEM_TYPE = 'application/problem+json';

/** A refused request with the list of what is wrong with it. */
export class RequestRefused extends PerennialFailure {
  readonly errors: FieldError[];
  constructor(code: FailureCode, errors: FieldError[]) {
    const [first] = errors;
    const others = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
    const place = first === undefined || first.path === '' ? '' : `${first.path}: `;
    super(code, first === undefined ? FAILURES[code].title : `${place}${first.message}${others}`, first === undefined ? {} : { fix: first.fix });
    this.errors = errors;
  }
}

/** Refuses a request for one field. */
export const invalid = (path: string, error: { message: string; fix: string }): RequestRefused => new RequestRefused('InvalidRequest', [{ path, ...error }]);

export const problemOf = (failure: PerennialFailure, request: { id: string; path: string }): Problem => {
  const definition = FAILURES[failure.code];
  return {
    type: `urn:perennial:error:${failure.code}`,
    title: definition.title,
    status: definition.httpStatus,
    code: failure.code,
    detail: failure.message,
    fix: failure.fix,
    instance: request.path,
    requestId: request.id,
    ...(failure instanceof RequestRefused ? { errors: failure.errors } : {}),
  };
};
