/** What the last shadow of a model showed. */
import { z } from 'zod';
import type { ShadowExample } from '../../contracts/shadow.ts';
import type { ApiContext } from '../http/app-types.ts';

const Example = z.object({ id: z.string(), output: z.string(), stable: z.string(), candidate: z.string() });

const MOST_EXAMPLES = 20;

export const ShadowView = z.object({
  version: z.number().int(),
  against: z.number().int().describe('The version whose answers the clients got.'),
  generation: z.number().int(),
  copies: z.number().int(),
  dropped: z.number().int().describe('Copies that were not tried, because the candidate did not keep up.'),
  failures: z.number().int(),
  differing: z.number().int(),
  maximumDifference: z.number().describe('The largest difference between two numbers, absolute.'),
  examples: z.array(Example).describe('Answers that differ; the id leads to the inputs in the prediction log.'),
});

/** The newest generation that had a shadow, summed over gateways; null when there was none. */
export const readShadow = async ({ database }: ApiContext, model: string): Promise<z.infer<typeof ShadowView> | null> => {
  const newest = database.selectFrom('shadow_comparisons').select((all) => all.fn.max('generation').as('generation')).where('model', '=', model);
  const rows = await database.selectFrom('shadow_comparisons').selectAll().where('model', '=', model).where('generation', '=', newest).execute();
  const [first] = rows;
  if (first === undefined) return null;
  const sum = (count: (row: (typeof rows)[number]) => number): number => rows.reduce((total, row) => total + count(row), 0);
  return {
    version: first.version,
    against: first.against,
    generation: first.generation,
    copies: sum(({ copies }) => copies),
    dropped: sum(({ dropped }) => dropped),
    failures: sum(({ failures }) => failures),
    differing: sum(({ differing }) => differing),
    maximumDifference: Math.max(...rows.map((row) => row.maximum_difference)),
    examples: rows.flatMap((row) => row.examples as ShadowExample[]).slice(0, MOST_EXAMPLES),
  };
};
