/** Gates: what must hold before a model is registered, and what the evaluation measures for them. */
import { z } from 'zod';
import { ColumnName } from './features.ts';
import { MetricName } from './metric.ts';

/** What a rule does with values of a column that have too few rows to say something: `refuse` is a no. */
const Small = z.enum(['refuse', 'ignore']).default('refuse');
const Confidence = z.number().min(0.5).max(0.999).default(0.95);
const Resamples = z.number().int().min(100).max(10_000).default(1_000);
const Threshold = z.number().min(0).max(1).default(0.5);

/** Differences between groups are better the smaller they are, 0 at best; `disparateImpact` is a ratio, 1 at best (four fifths is a usual bound). */
export const FairnessMeasure = z.enum(['demographicParityDifference', 'disparateImpact', 'equalOpportunityDifference', 'equalizedOddsDifference']);
export type FairnessMeasure = z.infer<typeof FairnessMeasure>;

/**
 * Gates, all of which must hold. `champion` compares with the champion re-scored on the same rows. `test: bootstrap` is a paired bootstrap over
 * clusters (days of the event time, or the values of `cluster`): the whole interval of the difference must lie above minimumEffect (for rmse and mae a
 * share of the champion's error). `test: mcnemar` is McNemar's test of right and wrong decisions, for accuracy. It passes when there is no champion.
 * `slice` is a threshold for every value of a column; `fairness` bounds how unlike the groups of a column are decided on, with its bootstrap interval;
 * `calibration` bounds the expected calibration error; `latency` the time of one row in ONNX Runtime; `size` the bytes of the model; `signature` demands the
 * inputs and outputs of the champion. `approval` waits for a person; an expired one is "no".
 */
export const GateSpec = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('threshold'), metric: MetricName, min: z.number().optional(), max: z.number().optional() }),
  z.strictObject({
    kind: z.literal('champion'),
    metric: MetricName,
    test: z.enum(['bootstrap', 'mcnemar']).default('bootstrap'),
    cluster: ColumnName.optional(),
    minimumEffect: z.number().min(0).max(1).default(0),
    confidence: Confidence,
    resamples: Resamples,
  }),
  z.strictObject({ kind: z.literal('rows'), min: z.number().int().min(1) }),
  z.strictObject({
    kind: z.literal('slice'),
    column: ColumnName,
    metric: MetricName,
    min: z.number().optional(),
    max: z.number().optional(),
    minimumRows: z.number().int().min(1).default(50),
    small: Small,
  }),
  z.strictObject({
    kind: z.literal('fairness'),
    column: ColumnName,
    measure: FairnessMeasure,
    min: z.number().min(0).max(1).optional(),
    max: z.number().min(0).max(1).optional(),
    /** A score from here on is a yes. */
    threshold: Threshold,
    minimumRows: z.number().int().min(1).default(50),
    small: Small,
    cluster: ColumnName.optional(),
    confidence: Confidence,
    resamples: Resamples,
  }),
  z.strictObject({ kind: z.literal('calibration'), max: z.number().positive().max(1) }),
  z.strictObject({ kind: z.literal('latency'), maxP95Ms: z.number().positive(), requests: z.number().int().min(20).max(10_000).default(200) }),
  z.strictObject({ kind: z.literal('size'), maxBytes: z.number().int().positive() }),
  z.strictObject({ kind: z.literal('signature') }),
  z.strictObject({ kind: z.literal('approval'), expiresSeconds: z.number().int().min(1).max(31_536_000).default(604_800) }),
]);
export type GateSpec = z.infer<typeof GateSpec>;
export type Gate<Kind extends GateSpec['kind']> = Extract<GateSpec, { kind: Kind }>;

/** Rows of one value of a column; `value` is null where it is missing. */
const SliceMeasurement = z.strictObject({ value: z.string().nullable(), rows: z.number().int(), metric: z.number().nullable() });

/** How one group is decided on. A rate is null where it has no rows to be a rate of. */
const GroupRates = z.strictObject({
  value: z.string().nullable(),
  rows: z.number().int(),
  positives: z.number().int(),
  selectionRate: z.number().nullable(),
  truePositiveRate: z.number().nullable(),
  falsePositiveRate: z.number().nullable(),
});
export type GroupRates = z.infer<typeof GroupRates>;

/**
 * What the gates of a pipeline asked the evaluation to measure, besides metrics and comparisons. `distinct` counts the values of a column: `values` and `groups` are
 * empty where there are more than MOST_GROUPS.
 */
export const GateMeasurements = z.strictObject({
  slices: z.array(z.strictObject({ column: z.string(), metric: MetricName, distinct: z.number().int(), values: z.array(SliceMeasurement) })),
  fairness: z.array(
    z.strictObject({
      column: z.string(),
      measure: FairnessMeasure,
      threshold: z.number(),
      minimumRows: z.number().int(),
      cluster: z.string().nullable(),
      confidence: z.number(),
      resamples: z.number().int(),
      distinct: z.number().int(),
      /** Of the groups with enough rows. */
      value: z.number().nullable(),
      low: z.number().nullable(),
      high: z.number().nullable(),
      groups: z.array(GroupRates),
    }),
  ),
  /** Rows by who of both decided right, at 0.5; null without a champion. */
  mcnemar: z.strictObject({ bothRight: z.number().int(), candidateOnly: z.number().int(), championOnly: z.number().int(), bothWrong: z.number().int(), pValue: z.number(), exact: z.boolean() }).nullable(),
  calibrationError: z.number().nullable(),
  latency: z.strictObject({ requests: z.number().int(), p50Ms: z.number(), p95Ms: z.number(), p99Ms: z.number() }).nullable(),
  modelBytes: z.number().int(),
  /** How the candidate's signature differs from the champion's; null without a champion. */
  signatureDifferences: z.array(z.string()).nullable(),
});
export type GateMeasurements = z.infer<typeof GateMeasurements>;
