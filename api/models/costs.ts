/** What a model, or a pipeline, used and cost: by step, by run, by version that was served, and over time. */
import { z } from 'zod';
import { sql, type RawBuilder } from 'kysely';
import type { ResourceUse } from '../../contracts/resources.ts';
import { noUse, sumUse } from '../../domain/cost.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { Instant, iso, ModelParams, NameParams, problems } from '../http/schemas.ts';
import { priced, PricedUse } from '../runs/resources.ts';
import { requireModel } from './routes.ts';

const Day = z.iso.datetime({ offset: true }).or(z.iso.date());

const CostQuery = z.strictObject({
  from: Day.optional().describe('A date or an instant; 30 days before `to` by default.'),
  to: Day.optional().describe('Exclusive; now by default.'),
  by: z.enum(['day', 'week', 'month']).default('day').describe('Length of the periods, in UTC.'),
});

const CostView = z.object({
  of: z.string(),
  currency: z.string().nullable().describe('Null where no prices are declared (PERENNIAL_PRICES): then only the use is known.'),
  from: Instant,
  to: Instant,
  by: CostQuery.shape.by,
  total: PricedUse,
  training: PricedUse.describe('Steps of runs.'),
  serving: PricedUse.describe('Model hosts of gateways.'),
  steps: z.array(PricedUse.extend({ step: z.string(), attempts: z.number().int() })).describe('The dearest first.'),
  runs: z.array(PricedUse.extend({ runId: z.string(), at: Instant })).describe('The newest 50.'),
  versions: z.array(PricedUse.extend({ version: z.number().int() })).describe('What serving each version used.'),
  periods: z.array(PricedUse.extend({ from: Instant })).describe('Oldest first; periods in which nothing was used are left out.'),
});
type CostView = z.infer<typeof CostView>;

const DAYS_30_MS = 30 * 86_400_000;
const MOST_RUNS = 50;

type Grouped<Key> = ResourceUse & { key: Key; attempts: number; at: Date };

const USED = sql`sum(cpu_seconds) as "cpuSeconds", sum(memory_gib_seconds) as "memoryGibSeconds", max(peak_memory_bytes)::bigint as "peakMemoryBytes",
  sum(gpu_seconds) as "gpuSeconds", max(gpu_peak_memory_bytes)::bigint as "gpuPeakMemoryBytes", sum(stored_bytes)::bigint as "storedBytes"`;
const SERVED = sql`sum(cpu_seconds) as "cpuSeconds", sum(memory_gib_seconds) as "memoryGibSeconds", max(peak_memory_bytes)::bigint as "peakMemoryBytes",
  0::float8 as "gpuSeconds", 0::bigint as "gpuPeakMemoryBytes", 0::bigint as "storedBytes"`;

type Span = { from: Date; to: Date };

const attemptsBy = async <Key>({ database }: ApiContext, key: RawBuilder<Key>, about: { owner: RawBuilder<unknown>; span: Span }): Promise<Grouped<Key>[]> => {
  const { owner, span } = about;
  const { rows } = await sql<Grouped<Key>>`
    select ${key} as key, count(*)::int as attempts, max(at) as at, ${USED} from step_resources
    where ${owner} and at >= ${span.from} and at < ${span.to} group by 1`.execute(database);
  return rows;
};

const servingBy = async <Key>({ database }: ApiContext, key: RawBuilder<Key>, about: { model: string; span: Span }): Promise<Grouped<Key>[]> => {
  const { model, span } = about;
  const { rows } = await sql<Grouped<Key>>`
    select ${key} as key, count(*)::int as attempts, max(updated_at) as at, ${SERVED} from serving_resources
    where model = ${model} and day >= (${span.from}::timestamptz at time zone 'UTC')::date and day < ${span.to}::timestamptz at time zone 'UTC' group by 1`.execute(database);
  return rows;
};

const spanOf = ({ from, to }: z.infer<typeof CostQuery>): Span => {
  const end = to === undefined ? new Date() : new Date(to);
  const start = from === undefined ? new Date(end.getTime() - DAYS_30_MS) : new Date(from);
  if (start < end) return { from: start, to: end };
  throw new PerennialFailure('InvalidRequest', 'from is not before to');
};

const useOnly = ({ cpuSeconds, memoryGibSeconds, peakMemoryBytes, gpuSeconds, gpuPeakMemoryBytes, storedBytes }: ResourceUse): ResourceUse => ({ cpuSeconds, memoryGibSeconds, peakMemoryBytes, gpuSeconds, gpuPeakMemoryBytes, storedBytes });

/** Training and serving of each period together. */
const periodsOf = (groups: readonly Grouped<Date>[]): { from: Date; use: ResourceUse }[] => {
  const byPeriod = new Map<number, ResourceUse>();
  for (const group of groups) byPeriod.set(group.key.getTime(), sumUse([byPeriod.get(group.key.getTime()) ?? noUse(), useOnly(group)]));
  return [...byPeriod].sort(([first], [second]) => first - second).map(([from, use]) => ({ from: new Date(from), use }));
};

type Owner = { name: string; attempts: RawBuilder<unknown>; model: string | undefined };

const showCosts = async (context: ApiContext, owner: Owner, query: z.infer<typeof CostQuery>): Promise<CostView> => {
  const { prices } = context;
  const span = spanOf(query);
  const about = { owner: owner.attempts, span };
  const served = async <Key>(key: RawBuilder<Key>): Promise<Grouped<Key>[]> => (owner.model === undefined ? [] : servingBy(context, key, { model: owner.model, span }));
  const [steps, runs, attemptPeriods, versions, servedPeriods] = await Promise.all([
    attemptsBy(context, sql<string>`step`, about),
    attemptsBy(context, sql<string>`run_id`, about),
    attemptsBy(context, sql<Date>`date_trunc(${query.by}::text, at, 'UTC')`, about),
    served(sql<number>`version`),
    served(sql<Date>`date_trunc(${query.by}::text, day::timestamp at time zone 'UTC', 'UTC')`),
  ]);
  const show = (use: ResourceUse): z.infer<typeof PricedUse> => priced(useOnly(use), prices);
  const dearestFirst = (first: z.infer<typeof PricedUse>, second: z.infer<typeof PricedUse>): number => (second.cost?.total ?? second.cpuSeconds) - (first.cost?.total ?? first.cpuSeconds);
  const [training, serving] = [sumUse(steps), sumUse(versions)];
  return {
    of: owner.name,
    currency: prices?.currency ?? null,
    from: iso(span.from),
    to: iso(span.to),
    by: query.by,
    total: priced(sumUse([training, serving]), prices),
    training: priced(training, prices),
    serving: priced(serving, prices),
    steps: steps.map((step) => ({ ...show(step), step: step.key, attempts: step.attempts })).sort(dearestFirst),
    runs: runs.sort((first, second) => second.at.getTime() - first.at.getTime()).slice(0, MOST_RUNS).map((run) => ({ ...show(run), runId: run.key, at: iso(run.at) })),
    versions: versions.map((version) => ({ ...show(version), version: version.key })).sort((first, second) => second.version - first.version),
    periods: periodsOf([...attemptPeriods, ...servedPeriods]).map(({ from, use }) => ({ ...show(use), from: iso(from) })),
  };
};

export const registerCostRoutes = (app: App, context: ApiContext): void => {
  const tags = ['costs'];
  const response = { 200: CostView, ...problems(404) };
  app.route({
    method: 'GET',
    url: '/api/v1/models/:model/costs',
    config: { policy: 'read' },
    schema: { tags, summary: 'What a model used and cost: its runs and its serving', params: ModelParams, querystring: CostQuery, response },
    handler: async (request) => {
      const { model } = request.params;
      await requireModel(context, model);
      return showCosts(context, { name: model, attempts: sql`model = ${model}`, model }, request.query);
    },
  });
  app.route({
    method: 'GET',
    url: '/api/v1/pipelines/:name/costs',
    config: { policy: 'read' },
    schema: { tags, summary: 'What the runs of a pipeline used and cost', params: NameParams, querystring: CostQuery, response },
    handler: async (request) => {
      const { name } = request.params;
      await context.pipelines.current(name);
      return showCosts(context, { name, attempts: sql`pipeline = ${name}`, model: undefined }, request.query);
    },
  });
};
