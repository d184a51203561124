/** Ground truth by inference id: late, duplicate and out of order are fine. */
import { sql, type Kysely } from 'kysely';
import { z } from 'zod';
import type { Database } from '../../adapters/postgres/schema.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { ModelParams, problems } from '../http/schemas.ts';
import { requireModel } from './routes.ts';

const MOST_LABELS = 10_000;
/** 10,000 labels with their times are more than the 1 MB of other routes. */
const BODY_LIMIT = 4 * 1_048_576;

const Label = z.strictObject({
  inferenceId: z.string().min(1).max(200).describe('The x-request-id of the answer that this is the truth of.'),
  label: z.union([z.boolean(), z.number()]).describe('false or 0, true or 1; for a regression any number.'),
  observedAt: z.iso.datetime({ offset: true }).optional().describe('When the truth was seen.'),
});
const Labels = z.strictObject({ labels: z.array(Label).min(1).max(MOST_LABELS) });
type Label = z.infer<typeof Label>;

const LabelCounts = z.object({
  received: z.number().int(),
  stored: z.number().int(),
  duplicates: z.number().int().describe('Labels of inferences that had theirs already: the first one stands.'),
});

const store = async (database: Kysely<Database>, model: string, labels: Label[]): Promise<number> => {
  const ids = labels.map((label) => label.inferenceId);
  const values = labels.map((label) => Number(label.label));
  const times = labels.map((label) => label.observedAt ?? null);
  // Ordered by id, so that two batches with the same ids do not wait for each other in a circle.
  const { rows } = await sql<{ stored: number }>`
    with stored as (
      insert into labels (model, inference_id, label, observed_at)
      select ${model}, batch.id, batch.label, batch.observed_at
      from unnest(${ids}::text[], ${values}::float8[], ${times}::timestamptz[]) with ordinality as batch (id, label, observed_at, place)
      order by batch.id, batch.place
      on conflict do nothing returning 1)
    select count(*)::int as stored from stored`.execute(database);
  return rows[0]?.stored ?? 0;
};

export const registerLabelRoutes = (app: App, context: ApiContext): void => {
  app.route({
    method: 'POST',
    url: '/api/v1/models/:model/labels',
    config: { policy: 'labels:write' },
    bodyLimit: BODY_LIMIT,
    schema: {
      tags: ['monitoring'],
      summary: 'Ground truth by inference id, up to 10,000 at once',
      params: ModelParams,
      body: Labels,
      response: { 200: LabelCounts, ...problems(404, 413) },
    },
    handler: async (request) => {
      const { model } = request.params;
      const { labels } = request.body;
      await requireModel(context, model);
      const stored = await store(context.database, model, labels);
      return { received: labels.length, stored, duplicates: labels.length - stored };
    },
  });
};
