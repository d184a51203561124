/** What copies of requests showed of a candidate, in PostgreSQL. */
import { sql, type Kysely } from 'kysely';
import type { ShadowCounters, ShadowWindow } from '../../contracts/shadow.ts';
import { asJson } from './client.ts';
import { latencyQuantile, sumOfHistograms } from './latency.ts';
import type { Database } from './schema.ts';

/** Absolute upsert of the counts of one gateway process. */
export const upsertShadows = async (database: Kysely<Database>, gateway: { gatewayId: string; incarnation: string }, shadows: ShadowCounters[]): Promise<void> => {
  const rows = shadows.map(({ latency, examples, maximumDifference, ...rest }) => ({
    gateway_id: gateway.gatewayId,
    incarnation: gateway.incarnation,
    ...rest,
    maximum_difference: maximumDifference,
    latency: asJson(latency),
    examples: asJson(examples),
  }));
  await database
    .insertInto('shadow_comparisons')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['gateway_id', 'incarnation', 'model', 'version', 'generation']).doUpdateSet({
        against: sql`excluded.against`,
        copies: sql`excluded.copies`,
        dropped: sql`excluded.dropped`,
        failures: sql`excluded.failures`,
        differing: sql`excluded.differing`,
        maximum_difference: sql`excluded.maximum_difference`,
        latency: sql`excluded.latency`,
        examples: sql`excluded.examples`,
        updated_at: sql`now()`,
      }),
    )
    .execute();
};

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/** The counts of a candidate over all gateways, from a generation on. */
export const readShadowWindow = async (database: Kysely<Database>, model: string, version: number, fromGeneration: number): Promise<ShadowWindow> => {
  const rows = await database
    .selectFrom('shadow_comparisons')
    .select(['copies', 'dropped', 'failures', 'differing', 'maximum_difference', 'latency'])
    .where('model', '=', model)
    .where('version', '=', version)
    .where('generation', '>=', fromGeneration)
    .execute();
  const latency = sumOfHistograms(rows.map((row) => row.latency as number[]));
  return {
    copies: sum(rows.map(({ copies }) => copies)),
    dropped: sum(rows.map(({ dropped }) => dropped)),
    failures: sum(rows.map(({ failures }) => failures)),
    differing: sum(rows.map(({ differing }) => differing)),
    maximumDifference: Math.max(0, ...rows.map((row) => row.maximum_difference)),
    latencyP50Ms: latencyQuantile(latency, 0.5),
    latencyP95Ms: latencyQuantile(latency, 0.95),
  };
};
