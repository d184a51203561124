/** Schemas that many routes share. */
import { z } from 'zod';
import { Name } from '../../contracts/pipeline.ts';
import { Problem } from './problem.ts';

/** An instant as ISO 8601 text in UTC. */
export const Instant = z.string().describe('ISO 8601, UTC');

export const NameParams = z.object({ name: Name });
export const ModelParams = z.object({ model: Name });

/** `<pipeline>.<unique part>`. */
export const RunId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}\.[A-Za-z0-9-]{1,64}$/, 'a run id: <pipeline>.<unique part>');
export const RunParams = z.object({ id: RunId });

/** How many entries a list gives, newest first. */
export const Limit = z.coerce.number().int().min(1).max(500).default(50);

const problem = { description: 'A problem document (RFC 9457).', content: { 'application/problem+json': { schema: Problem } } };

/** The error answers of a route, for the OpenAPI document. */
export const problems = (...statuses: number[]): Record<number, typeof problem> => Object.fromEntries([400, 401, 403, 503, ...statuses].map((status) => [status, problem]));

export const iso = (date: Date): string => date.toISOString();
export const isoOrNull = (date: Date | null): string | null => date?.toISOString() ?? null;

/** Header of the POST routes that create: for the OpenAPI document; http/idempotency.ts checks it. */
export const IDEMPOTENT = z.looseObject({
  'idempotency-key': z.string().optional().describe('Sent again with the same key, a request is the same request: it has its effect once.'),
});
