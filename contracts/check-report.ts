/** What the checks of a run found. */
import { z } from 'zod';
import { ArtifactRef } from './artifact.ts';

/** A failing row: its file as the source names it and its number there, counted from 1 without the header; null where the rows are not those of a file. `values` is JSON text. */
export const CheckExample = z.strictObject({ file: z.string().nullable(), row: z.number().int().nullable(), values: z.string() });
export type CheckExample = z.infer<typeof CheckExample>;

/** Result of one check. `share` is failingRows of rows; `examples` are the first failing rows, at most 20. */
export const CheckResult = z.strictObject({
  check: z.string(),
  table: z.string(),
  passed: z.boolean(),
  severity: z.enum(['error', 'warn']),
  failingRows: z.number().int(),
  rows: z.number().int(),
  share: z.number(),
  message: z.string(),
  examples: z.array(CheckExample).max(20),
});
export type CheckResult = z.infer<typeof CheckResult>;

/** `results` holds at most the first 20 failing checks with 2 examples each; everything is in `report`, a StoredCheckReport. */
export const CheckReport = z.strictObject({
  passed: z.boolean(),
  checks: z.number().int(),
  failed: z.number().int(),
  warned: z.number().int(),
  results: z.array(CheckResult).max(20),
  report: ArtifactRef,
});
export type CheckReport = z.infer<typeof CheckReport>;

export const StoredCheckReport = z.strictObject({ dataset: z.string(), version: z.string(), results: z.array(CheckResult) });
export type StoredCheckReport = z.infer<typeof StoredCheckReport>;
