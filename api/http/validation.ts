/** Checks requests by their zod schemas, and says everything that is wrong in our own words. */
import type { z } from 'zod';
import { explainIssues } from './explain-issues.ts';
import { RequestRefused } from './problem.ts';

type RoutePart = { schema: unknown; httpPart?: string };
type Validate = (data: unknown) => { value: unknown } | { error: RequestRefused };

/** For the whole app: a request that does not fit is refused with InvalidRequest. */
export const validatorCompiler = ({ schema: given }: RoutePart): Validate => {
  const schema = given as z.ZodType;
  return (data) => {
    const result = schema.safeParse(data, { reportInput: true });
    if (result.success) return { value: result.data };
    return { error: new RequestRefused('InvalidRequest', explainIssues(schema, result.error.issues, data)) };
  };
};

/** For routes that check their body themselves because they have more to say: the schema then is for the OpenAPI document. */
export const bodyAsIs = (part: RoutePart): Validate => (part.httpPart === 'body' ? (data) => ({ value: data }) : validatorCompiler(part));
