/** What the columns of a dataset version hold, in numbers that are small enough to be kept with it. */
import { z } from 'zod';

/** What a column is to the profile: times are counted in milliseconds since 1970 (UTC); of `other` types (lists, structs, bytes) only nulls are counted, of masked columns nulls and distinct values. */
export const ColumnKind = z.enum(['number', 'time', 'text', 'other']);
export type ColumnKind = z.infer<typeof ColumnKind>;

/**
 * Values of a column in bins of about equal counts: bin i holds the values above edge i-1 (the first all from `minimum`) up to and with edge i. The
 * last edge is the maximum. Counts are exact.
 */
export const ProfileHistogram = z.strictObject({ edges: z.array(z.number()), counts: z.array(z.number().int()) });
export type ProfileHistogram = z.infer<typeof ProfileHistogram>;

/** `quantiles` are estimates (t-digest of a sample of some 200,000 rows) at the shares 0.01, 0.05, 0.25, 0.5, 0.75, 0.95 and 0.99; `notFinite` counts NaN and infinity, which are in nothing else here. */
export const NumberProfile = z.strictObject({
  minimum: z.number(),
  maximum: z.number(),
  mean: z.number().nullable(),
  notFinite: z.number().int(),
  quantiles: z.array(z.strictObject({ share: z.number(), value: z.number() })),
  histogram: ProfileHistogram,
});
export type NumberProfile = z.infer<typeof NumberProfile>;

/**
 * Profile of one column. `count`: values that are not null; `distinct`: how many different ones, an estimate, right to some 2 %. `top`: the most frequent
 * values with exact counts, found by an estimate; texts are cut at 200 characters. `numbers` is null where a column has none.
 */
export const ColumnProfile = z.strictObject({
  column: z.string(),
  kind: ColumnKind,
  count: z.number().int(),
  nulls: z.number().int(),
  distinct: z.number().int(),
  numbers: NumberProfile.nullable(),
  top: z.array(z.strictObject({ value: z.string(), count: z.number().int() })),
});
export type ColumnProfile = z.infer<typeof ColumnProfile>;
