/** Feature columns, the signature of a model, and the feature set that a run builds. */
import { z } from 'zod';
import { ArtifactRef } from './artifact.ts';

export const ColumnName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'a column name: letters, digits and _');

/** What a model predicts: the probability of a yes, or a number. */
export const Task = z.enum(['binaryClassification', 'regression']);
export type Task = z.infer<typeof Task>;

/** One input column of a model. `missing` says whether null (JSON) or NaN may stand for a missing value. */
export const FeatureColumn = z.strictObject({
  name: ColumnName,
  type: z.enum(['numeric', 'categorical']),
  missing: z.enum(['allowed', 'forbidden']).default('forbidden'),
});
export type FeatureColumn = z.infer<typeof FeatureColumn>;

/** Data types of the Open Inference Protocol V2 that a signature may use: all but FP16. */
export const Datatype = z.enum(['FP32', 'FP64', 'INT64', 'INT32', 'INT16', 'INT8', 'UINT64', 'UINT32', 'UINT16', 'UINT8', 'BOOL', 'BYTES']);
export type Datatype = z.infer<typeof Datatype>;

/** One tensor of a signature; `shape` counts rows first, -1 for any number of them. */
export const SignatureTensor = z.object({
  name: z.string().min(1).max(256),
  datatype: Datatype,
  shape: z.array(z.number().int().min(-1)).min(1).max(4),
  missing: z.enum(['allowed', 'forbidden']).default('forbidden'),
});
export type SignatureTensor = z.infer<typeof SignatureTensor>;

/** What a trainer leaves as signature.json: the inputs and outputs of model.onnx. */
export const ModelSignature = z.object({
  task: Task,
  inputs: z.array(SignatureTensor).min(1).max(2_000),
  outputs: z.array(SignatureTensor).min(1).max(100),
});
export type ModelSignature = z.infer<typeof ModelSignature>;

/** The time windows of a split, half-open, as ISO 8601 instants in UTC. */
export const SplitWindow = z.strictObject({
  trainFrom: z.string(),
  holdoutFrom: z.string(),
  holdoutUntil: z.string(),
});
export type SplitWindow = z.infer<typeof SplitWindow>;

/**
 * Distribution of one column over some rows, in bounded size; two of the same column can be compared (domain/drift/).
 *
 * Numeric: `edges` in increasing order; bin i holds edges[i-1] < value <= edges[i], so there are edges.length + 1 counts, the last for all
 * values above the edges. `gaps[i]` is the sum over a bin's values of their distance to its edge (the upper one, for the last bin the lower
 * one). `exact`: every value is an edge, so the bins are the distinct values, the last is empty and all gaps are 0. `deviation` is the
 * standard deviation (of the rows, not an estimate). NaN and infinity count as missing.
 * Categorical: `categories` are the most frequent values; the last count is every other value.
 */
export const ColumnDistribution = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('numeric'),
    column: z.string(),
    exact: z.boolean(),
    edges: z.array(z.number()),
    counts: z.array(z.number()),
    gaps: z.array(z.number()),
    missing: z.number(),
    minimum: z.number().nullable(),
    maximum: z.number().nullable(),
    deviation: z.number(),
  }),
  z.strictObject({ type: z.literal('categorical'), column: z.string(), categories: z.array(z.string()), counts: z.array(z.number()), missing: z.number() }),
]);
export type ColumnDistribution = z.infer<typeof ColumnDistribution>;
export type NumericDistribution = Extract<ColumnDistribution, { type: 'numeric' }>;
export type CategoricalDistribution = Extract<ColumnDistribution, { type: 'categorical' }>;

/** Stored as JSON in the artifact store; the history holds only FeatureSetRef. */
export const FeatureSetManifest = z.strictObject({
  version: z.string(),
  sqlHash: z.string(),
  datasetVersion: z.string(),
  split: SplitWindow,
  identity: z.array(z.string()),
  eventTime: z.string(),
  label: z.string(),
  columns: z.array(FeatureColumn),
  train: ArtifactRef,
  holdout: ArtifactRef,
  trainRows: z.number().int(),
  holdoutRows: z.number().int(),
  reference: z.array(ColumnDistribution),
});
export type FeatureSetManifest = z.infer<typeof FeatureSetManifest>;

/** Reference to a feature set. `version` is the sha256 of its content: same bytes, same version. */
export const FeatureSetRef = z.strictObject({
  name: z.string(),
  version: z.string(),
  manifest: ArtifactRef,
  train: ArtifactRef,
  holdout: ArtifactRef,
  trainRows: z.number().int(),
  holdoutRows: z.number().int(),
  split: SplitWindow,
});
export type FeatureSetRef = z.infer<typeof FeatureSetRef>;
